"""What training says of a model in its DONE.json, beside what the model is."""

from dataclasses import dataclass

from lemur.core import contracts

# Where these say nothing, DONE.json lacks the key.
OPTIONAL = ("trained_parameters", "skipped_steps", "checkpoints")


@dataclass(frozen=True)
class TrainingResult:
    """How a model was trained, of its DONE.json."""

    steps: int
    """Steps of the run, skipped ones among them."""
    tokens: int
    """Positions of packed sequences, padding included."""
    final_loss: float
    """Nats a label, of the last step that was not skipped."""
    engine: str
    """torch or deepspeed."""
    precision: str
    """bf16 or fp32: what the recipe asked for."""
    computed: str
    """bf16 or fp32: what it was computed in."""
    parameters: int
    """Of the whole model."""
    trained_parameters: int | None = None
    """Those of adapters, where not all were trained."""
    skipped_steps: int = 0
    """Steps whose loss or gradient was not finite."""
    checkpoints: str | None = None
    """The folder below checkpoints/ of those that were kept for good."""

    def facts(self) -> dict[str, object]:
        """As DONE.json has them."""
        return {k: v for k, v in contracts.plain(self).items() if v or k not in OPTIONAL}
