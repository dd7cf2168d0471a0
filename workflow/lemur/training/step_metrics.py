"""One step of a run as metrics.jsonl has it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class StepMetrics:
    """A line of metrics.jsonl: one step."""

    step: int
    """From 1."""
    tokens: int
    """Of this step and all before it."""
    loss: float | None
    """Nats a label; null where it was not finite."""
    learning_rate: float
    gradient_norm: float | None
    """Before clipping; null where it was not finite."""
    tokens_per_second: float | None = None
    seconds: float | None = None
    """That the step took."""
    mfu: float | None = None
    """Model FLOPs over what the ranks' devices reach in a matrix product."""
    peak_tflops: float | None = None
    """That rate, of all ranks together."""
    data_seconds: float | None = None
    """Waited for data."""
    memory_mb: float | None = None
    """Of rank 0."""
    skipped: bool = False
    """Its loss or gradient was not finite: nothing was updated. Else the line lacks the key."""
    spike: bool = False
    """Its loss stands out from those before. Else the line lacks the key."""

    def line(self) -> str:
        """The text of the line."""
        always = ("step", "tokens", "loss", "learning_rate", "gradient_norm")
        absent = {k for k, v in vars(self).items() if k not in always and (v is None or v is False)}
        return json.dumps({k: v for k, v in vars(self).items() if k not in absent}) + "\n"

    def drawn(self) -> dict[str, float]:
        """What a curve can show: numbers and marks (1.0), without the step itself."""
        shown = json.loads(self.line())
        return {k: float(v) for k, v in shown.items() if v is not None and k != "step"}
