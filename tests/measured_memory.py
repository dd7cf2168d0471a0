"""Resident memory of a real training run, for the plan's check: python measured_memory.py JSON.

JSON: {"architecture": as in config/models.yaml, "stage": settings of a stage, "steps": N}. Prints
{"before": bytes held with all libraries loaded and no model yet, "peak": the most held after that}.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from lemur.training import stage as stage_run
from lemur.training import trainer
from made_words import save_words
from tiny_training import packed
from transformers import LlamaConfig, LlamaForCausalLM


def status(name: str) -> int:
    """A number of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def save_model(shape: dict, folder: Path) -> None:
    config = LlamaConfig(
        vocab_size=shape["vocabulary"],
        hidden_size=shape["hidden"],
        intermediate_size=shape["intermediate"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"],
        max_position_embeddings=shape["max_context"],
        tie_word_embeddings=shape["tied_embeddings"],
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    save_words(folder, shape["vocabulary"])


def main() -> None:
    asked = json.loads(sys.argv[1])
    spec, found = asked["stage"], {}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        if len(sys.argv) == 2:  # made in a process of its own: what is freed here may stay resident
            import subprocess

            subprocess.run([sys.executable, __file__, sys.argv[1], str(base / "model")], check=True)
        else:
            save_model(asked["architecture"], Path(sys.argv[2]))
            return
        words = spec["context"]
        draw = np.random.default_rng(0).integers(words // 4, words // 2, 64).tolist()
        lengths = [[length, words - length] for length in draw]
        index = packed(base / "data", lengths, words)
        load, train = stage_run.load, trainer.train

        def measured_load(*args):
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            found["before"] = status("VmRSS")
            return load(*args)

        def measured_train(job):
            train(job)
            found["peak"] = status("VmHWM")
            print(json.dumps(found), flush=True)
            raise SystemExit(0)

        stage_run.load, trainer.train = measured_load, measured_train
        spec = {**spec, "tokens": asked["steps"] * spec["global_batch_tokens"], "epochs": None}
        stage_run.run(spec, base / "model", index, base / "out" / "DONE.json")


if __name__ == "__main__":
    main()
