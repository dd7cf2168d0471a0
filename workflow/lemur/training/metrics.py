"""metrics.jsonl: one line a step."""

import json
from pathlib import Path

from lemur.training.loss_spikes import Watch
from lemur.training.step_metrics import StepMetrics

# What is measured: the only values that differ between equal runs.
TIMING = ("tokens_per_second", "seconds", "mfu", "peak_tflops", "data_seconds", "memory_mb")


class Metrics:
    """Appends to a working copy beside the checkpoints, so that an interrupted run keeps it."""

    def __init__(self, path: Path, resumed: Path | None = None):
        """Start anew, or from the lines that a checkpoint kept."""
        self.path = path
        lines = resumed.read_text(encoding="utf-8") if resumed is not None else ""
        path.write_text(lines, encoding="utf-8")
        known = [json.loads(line)["loss"] for line in lines.splitlines()]
        self.last_loss = next((loss for loss in reversed(known) if loss is not None), None)
        self.watch = Watch(resumed)

    def add(
        self, step: int, tokens: int, loss: float | None, rate: float, norm: float | None,
        measured: dict[str, float],
    ) -> StepMetrics:  # fmt: skip
        """Write the line of a step, with what was ``measured`` (of ``TIMING``) and its marks."""
        added = StepMetrics(step, tokens, loss, rate, norm, **measured, **self.watch.marks(loss))
        self.last_loss = loss if loss is not None else self.last_loss
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(added.line())
        return added
