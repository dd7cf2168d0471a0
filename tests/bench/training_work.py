"""The same training work for the loop and its peers: random models of known shapes, packed data."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from lemur.tokenization.packed import SEGMENT
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

# Llama shapes: `smoke`'s and SmolLM2-135M's (config/models.yaml), one between, and Llama-3.2-1B's.
SHAPES = {
    "1m": (4_096, 128, 256, 4, 4, 2, True),
    "13m": (16_384, 384, 1_024, 4, 6, 2, True),
    "135m": (49_152, 576, 1_536, 30, 9, 3, True),
    "1b": (128_256, 2_048, 8_192, 16, 32, 8, True),
}
NAMES = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "tie_word_embeddings",
)  # fmt: skip
BETAS, EPSILON, DECAY, RATE, CLIP = (0.9, 0.95), 1e-8, 0.1, 1e-4, 1.0


@dataclass(frozen=True)
class Work:
    """One measurement. ``batch`` tokens an optimiser step, ``micro`` sequences a forward pass."""

    who: str
    model: str
    context: int
    batch: int
    micro: int
    precision: str
    device: str
    compile: bool
    deterministic: bool
    steps: int
    warm: int

    @property
    def sequences(self) -> int:
        return self.batch // self.context

    def text(self) -> str:
        return json.dumps(asdict(self))


def model_folder(work: Work, folder: Path) -> Path:
    """Random weights from a fixed seed, saved once."""
    made = folder / f"model-{work.model}"
    if not (made / "config.json").exists():
        torch.manual_seed(0)
        shape = dict(zip(NAMES, SHAPES[work.model], strict=True))
        config = LlamaConfig(**shape, max_position_embeddings=8_192, bos_token_id=0, eos_token_id=0)
        with torch.device(work.device):  # a GPU draws a billion numbers at once
            model = LlamaForCausalLM(config)
        model.save_pretrained(made)
    return made


def load(work: Work, folder: Path) -> LlamaForCausalLM:
    """As a peer loads it: float32 weights, SDPA, on the device."""
    model = AutoModelForCausalLM.from_pretrained(
        model_folder(work, folder), dtype=torch.float32, attn_implementation="sdpa"
    )
    model.config.use_cache = False
    return model.to(work.device).train()


def data(work: Work, folder: Path) -> Path:
    """index.json of whole sequences of one document each: no side can save attention by packing."""
    count = work.sequences * 4
    here = folder / f"data-{work.model}-{work.context}-{count}"
    here.mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    vocabulary = SHAPES[work.model][0]
    wide = vocabulary > 1 << 16
    tokens = draw.integers(1, vocabulary, count * work.context)
    tokens.astype("<u4" if wide else "<u2").tofile(here / "part.bin")
    rows = [(0, number * work.context, work.context) for number in range(count)]
    np.save(here / "segments.npy", np.array(rows, SEGMENT))
    np.save(here / "sequences.npy", np.arange(count + 1, dtype="<u8"))
    index = {
        "context": work.context, "eos": 0, "dtype": "uint32" if wide else "uint16",
        "sequences": count, "tokens": count * work.context, "files": ["part.bin"], "masks": None,
        "vocabulary": vocabulary,
    }  # fmt: skip
    (here / "index.json").write_text(json.dumps(index))
    return here / "index.json"


def spec(work: Work) -> dict:
    """The work as a stage's settings."""
    return {
        "stage": "pretrain", "recipe": "bench", "seed": 0, "epochs": None,
        "tokens": work.batch * work.steps, "context": work.context,
        "global_batch_tokens": work.batch, "micro_batch_sequences": work.micro,
        "optimizer": {
            "name": "adamw", "learning_rate": RATE, "betas": list(BETAS), "epsilon": EPSILON,
            "weight_decay": DECAY, "clip": CLIP,
        },
        "schedule": {"name": "constant", "warmup": 0.0, "final": 1.0},
        "precision": work.precision, "engine": "torch",
        "parallel": {"device": work.device, "nodes": 1, "processes_per_node": 1, "zero_stage": 0},
        "checkpoint": {"every_steps": 1_000_000, "keep": 1},
        "compile": work.compile, "deterministic": work.deterministic,
    }  # fmt: skip
