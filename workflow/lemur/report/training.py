"""What training took, from the measured part of metrics.jsonl."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from lemur.core.progress import clock
from lemur.training.step_metrics import StepMetrics

_NAMES = {"pretrain": "Continued pretraining", "sft": "Instruction tuning (SFT)"}


def _measured(steps: Iterable[StepMetrics], name: str) -> list[float]:
    """A value of each step that has it."""
    return [value for step in steps if (value := getattr(step, name)) is not None]


def rows(stages: Mapping[str, Sequence[StepMetrics]]) -> list[dict[str, str]]:
    """One row a stage, as text; none for metrics of a run that did not measure itself.

    Speed and utilisation (model FLOPs over what the devices reach in a matrix product) are medians
    over the steps that learned; the peak that utilisation is a share of is each stage's own, measured
    when it began (TFLOP/s; two where the run was continued elsewhere); memory is the largest of rank 0; the wait for data is its share of all steps' time.
    """
    made = []
    for stage, steps in stages.items():
        speed, wall, mfu, waiting, memory = (
            _measured(steps, name)
            for name in ("tokens_per_second", "seconds", "mfu", "data_seconds", "memory_mb")
        )
        if {len(values) for values in (speed, wall, mfu, waiting, memory)} != {len(steps)}:
            continue
        seconds = sum(wall)
        made.append(
            {
                "stage": _NAMES[stage],
                "steps": f"{len(steps):,}",
                "spikes": f"{sum(bool(step.spike) for step in steps):,}",
                "time": clock(seconds),
                "speed": f"{median(speed):,.0f}",
                "mfu": f"{100 * median(mfu):.0f}%",
                "peak": _peak(steps),
                "waiting": f"{100 * sum(waiting) / seconds:.1f}%",
                "memory": f"{max(memory) / 1e3:.2f}",
            }
        )
    return made


def _peak(steps: Sequence[StepMetrics]) -> str:
    known = [value for value in _measured(steps, "peak_tflops") if value]
    if not known:
        return "not kept"
    low, high = min(known), max(known)
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
