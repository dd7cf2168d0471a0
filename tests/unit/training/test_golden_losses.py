"""The first 20 steps of a tiny model, in float32, stay what they were.

Regenerate after a change that means to move them, and say so in its commit:
``workflow/env-run train python tests/unit/training/test_golden_losses.py``
"""

import json
import tempfile
from pathlib import Path

import pytest
from lemur.core.provenance import ROOT
from lemur.models.prepare import prepare
from lemur.training.stage import run
from tiny_training import packed, settings, timeless

GOLDEN = ROOT / "tests" / "golden" / "losses.json"
LENGTHS = [[40, 24], [64], [10, 50], [31, 33], [5, 6, 7, 46], [60]] * 8


def losses(folder: Path) -> list[float]:
    """Smoke's tokenizer and shape in small: random weights from the pinned seed, synthetic data."""
    entry = {
        "name": "golden",
        "from": {
            "random": {
                "seed": 0,
                "config": {
                    "vocab_size": 4096,
                    "hidden_size": 48,
                    "intermediate_size": 96,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 2,
                    "max_position_embeddings": 64,
                    "tie_word_embeddings": True,
                },
            }
        },
        "tokenizer": "config/tokenizers/smoke-4k",
        "dtype": "float32",
        "licence": "Apache-2.0",
    }
    prepare(entry, None, folder / "start" / "DONE.json")
    index = packed(folder / "data", LENGTHS, 64)
    spec = settings(
        context=64,
        global_batch_tokens=256,
        tokens=256 * 20,
        optimizer__learning_rate=0.003,
        schedule__warmup=0.2,
    )
    run(spec, folder / "start" / "model", index, folder / "out" / "DONE.json")
    return [line["loss"] for line in timeless(folder / "out" / "metrics.jsonl")]


def test_first_twenty_steps(tmp_path):
    golden = json.loads(GOLDEN.read_text())["losses"]
    assert len(golden) == 20 and golden[-1] < golden[0]
    assert losses(tmp_path) == pytest.approx(golden, rel=1e-3)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        made = {"losses": [round(loss, 6) for loss in losses(Path(name))]}
    GOLDEN.write_text(json.dumps(made, indent=1) + "\n")
    print(made["losses"])
