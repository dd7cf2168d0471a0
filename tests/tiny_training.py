"""A tiny model, packed data and runs of the real training command, each in about a second."""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch
from lemur.core.errors import Interrupted
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT
from lemur.tokenization.packed import SEGMENT, batch
from lemur.training import trainer
from lemur.training.metrics import TIMING
from lemur.training.stage import run
from made_words import save_words
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

SCRIPT = {
    "pretrain": ROOT / "scripts" / "4_pretrain" / "pretrain.py",
    "sft": ROOT / "scripts" / "5_sft" / "sft.py",
}
VOCABULARY = 61
POISON = 59  # see poisoned


def tiny_model(folder: Path, **changes) -> Path:
    """A saved random Llama (14,000 parameters) with a tokenizer of numbered words."""
    settings = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
        **changes,
    }
    torch.manual_seed(1)
    LlamaForCausalLM(LlamaConfig(**settings)).save_pretrained(folder)
    save_words(folder, VOCABULARY)
    return folder


def packed(
    folder: Path, lengths: list[list[int]], context: int, seed: int = 0, masked: bool = False
) -> Path:
    """index.json of sequences whose documents have the given lengths (the rest is padding)."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    total = sum(map(sum, lengths))
    # Words follow each other by a rule, with noise: something to learn.
    tokens = np.cumsum(draw.integers(1, 4, total)) % (VOCABULARY - 1) + 1
    tokens.astype("<u2").tofile(folder / "part.bin")
    if masked:
        draw.integers(0, 2, total).astype("u1").tofile(folder / "part.mask")
    rows, at, bounds = [], 0, [0]
    for sequence in lengths:
        for length in sequence:
            rows.append((0, at, length))
            at += length
        bounds.append(len(rows))
    np.save(folder / "segments.npy", np.array(rows, SEGMENT))
    np.save(folder / "sequences.npy", np.array(bounds, "<u8"))
    index = {
        "context": context,
        "eos": 0,
        "dtype": "uint16",
        "sequences": len(lengths),
        "tokens": total,
        "files": ["part.bin"],
        "masks": ["part.mask"] if masked else None,
        "vocabulary": VOCABULARY,
    }
    (folder / "index.json").write_text(json.dumps(index))
    return folder / "index.json"


def mixed_lengths(sequences: int, context: int, seed: int = 0) -> list[list[int]]:
    """Sequences of several documents; every third ends in padding."""
    draw = np.random.default_rng(seed)
    made = []
    for number in range(sequences):
        room = context - (int(draw.integers(1, 4)) if number % 3 == 0 else 0)
        row = []
        while room:
            row.append(min(room, int(draw.integers(1, context))))
            room -= row[-1]
        made.append(row)
    return made


def poisoned(tmp_path: Path, sequences: list[int]) -> tuple[Path, Path]:
    """A model, data of 16 sequences, and a word in the named ones whose embedding is not a number."""
    folder = tiny_model(tmp_path / "model", tie_word_embeddings=False)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][POISON] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    index = packed(tmp_path / "data", [[16]] * 16, 16)
    tokens = np.fromfile(index.parent / "part.bin", "<u2")
    tokens[tokens == POISON] = 1
    for sequence in sequences:
        tokens[16 * sequence + 5] = POISON
    tokens.tofile(index.parent / "part.bin")
    return folder, index


def at_step(step: int, spec: dict) -> list[int]:
    """Sequences of a step on the data of ``poisoned``."""
    return batch(16, 4, spec["seed"], step).tolist()


def settings(**changes) -> dict:
    """A spec that trains in about a second: 12 steps of 4 sequences of 16 tokens, float32."""
    made = {
        "stage": "pretrain",
        "recipe": "tiny",
        "seed": 3,
        "tokens": 768,
        "epochs": None,
        "context": 16,
        "global_batch_tokens": 64,
        "micro_batch_sequences": 2,
        "optimizer": {
            "name": "adamw",
            "learning_rate": 0.01,
            "betas": [0.9, 0.95],
            "epsilon": 1e-8,
            "weight_decay": 0.1,
            "clip": 1.0,
        },
        "schedule": {"name": "cosine", "warmup": 0.25, "final": 0.1},
        "precision": "fp32",
        "engine": "torch",
        "parallel": {"device": "cpu", "nodes": 1, "processes_per_node": 1, "zero_stage": 0},
        "gradient_checkpointing": False,
        "attention": "auto",
        "checkpoint": {"every_steps": 3, "keep": 2},
        "vocabulary": "keep",
        "threads": 1,
    }
    for key, value in changes.items():
        *parents, last = key.split("__")
        place = made
        for parent in parents:
            place = place[parent]
        place[last] = value
    return made


def command(spec: dict, model: Path, index: Path, done: Path) -> list[str]:
    """The command line of a stage, as a rule calls it."""
    return [
        sys.executable,
        str(SCRIPT[spec["stage"]]),
        "--spec",
        json.dumps(spec),
        "--model",
        str(model),
        "--index",
        str(index),
        "--out",
        str(done),
    ]


def launch(spec: dict, model: Path, index: Path, done: Path, **more) -> subprocess.CompletedProcess:
    """Run a stage in a process of its own."""
    return subprocess.run(
        command(spec, model, index, done), capture_output=True, text=True, timeout=240, **more
    )


def timeless(metrics: Path) -> list[dict]:
    """Lines of metrics.jsonl without what the clock says."""
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMING} for line in lines]


def forked(spec: dict, model: Path, index: Path, done: Path, shown: Path, arm=None) -> int:
    """Run a stage in a child of this process (which has the slow imports behind it); its pid.

    Errors end as in the real command; what it prints on stderr is in ``shown``. ``arm`` is called
    in the child before the run begins.
    """
    from lemur.training.stage import run

    child = os.fork()
    if child:
        return child
    file = os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    in_child(lambda: run(spec, model, index, done), file, arm)


def in_child(action, shown: int, arm=None) -> None:
    """Run ``action`` in a forked child with stderr to the descriptor ``shown``, and end the child."""
    from lemur.core.command import guarded

    code = 1
    try:
        os.dup2(shown, 2)
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 - ends with the child
        if arm is not None:
            arm()
        guarded(action)
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # nothing of the test runner's may run here


def ended(child: int) -> int:
    """Exit code of a forked run (negative: the signal that ended it)."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def outcome(done: Path) -> tuple[str, list[dict], str]:
    """What must be equal: the model's bytes, the metrics without the clock's part, DONE.json."""
    model = sha256_of(done.parent / "model" / "model.safetensors")
    return model, timeless(done.parent / "metrics.jsonl"), done.read_text()


def stop_after(step: int, spec, model_folder, index, done, number=signal.SIGTERM):
    """Run until a signal ends it at a step; what it says of that."""
    update = trainer._update
    with pytest.MonkeyPatch.context() as patch:

        def signalled(job, at, rate):
            if at + 1 == step:
                os.kill(os.getpid(), number)
            return update(job, at, rate)

        patch.setattr(trainer, "_update", signalled)
        with pytest.raises(Interrupted) as caught:
            run(spec, model_folder, index, done)
    return str(caught.value)
