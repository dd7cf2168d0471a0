"""metrics.jsonl: one line a step."""

import json
from pathlib import Path
from typing import Any

from lemur.training.loss_spikes import Watch

KEYS = ("step", "tokens", "loss", "learning_rate", "gradient_norm")
# What is measured: the only values that differ between equal runs.
TIMING = ("tokens_per_second", "seconds", "mfu", "peak_tflops", "data_seconds", "memory_mb")


class Metrics:
    """Appends to a working copy beside the checkpoints, so that an interrupted run keeps it.

    ``step`` counts from 1, ``tokens`` is cumulative, ``loss`` in nats a label, ``gradient_norm``
    before clipping, ``seconds`` of this step, ``mfu`` model FLOPs over what the ranks' devices reach
    in a matrix product (``peak_tflops``, of all ranks), ``data_seconds`` waited for data, ``memory_mb`` of rank 0. A step whose loss or gradient was not finite has
    ``skipped`` true (null for what is not a number), one whose loss stands out ``spike`` true.
    """

    def __init__(self, path: Path, resumed: Path | None = None):
        """Start anew, or from the lines that a checkpoint kept."""
        self.path = path
        lines = resumed.read_text(encoding="utf-8") if resumed is not None else ""
        path.write_text(lines, encoding="utf-8")
        known = [json.loads(line)["loss"] for line in lines.splitlines()]
        self.last_loss = next((loss for loss in reversed(known) if loss is not None), None)
        self.watch = Watch(resumed)

    def add(self, *values: float | None, measured: dict[str, float]) -> dict[str, Any]:
        """One value for each of ``KEYS``, and what was measured; the line as it was written."""
        line = {**dict(zip(KEYS, values, strict=True)), **measured}
        line |= self.watch.marks(line["loss"])
        self.last_loss = line["loss"] if line["loss"] is not None else self.last_loss
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line
