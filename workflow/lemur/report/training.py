"""What training took, from the measured part of metrics.jsonl."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from lemur.core.progress import clock

_NAMES = {"pretrain": "Continued pretraining", "sft": "Instruction tuning (SFT)"}
_MEASURED = ("tokens_per_second", "seconds", "mfu", "data_seconds", "memory_mb")


def rows(stages: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, str]]:
    """One row a stage, as text; none for metrics of a run that did not measure itself.

    Speed and utilisation (model FLOPs over what the devices reach in a matrix product) are medians
    over the steps that learned; the peak that utilisation is a share of is each stage's own, measured
    when it began (TFLOP/s; two where the run was continued elsewhere); memory is the largest of rank 0; the wait for data is its share of all steps' time.
    """
    made = []
    for stage, steps in stages.items():
        if not all(key in step for step in steps for key in _MEASURED):
            continue
        seconds = sum(step["seconds"] for step in steps)
        made.append(
            {
                "stage": _NAMES[stage],
                "steps": f"{len(steps):,}",
                "spikes": f"{sum(bool(step.get('spike')) for step in steps):,}",
                "time": clock(seconds),
                "speed": f"{median(step['tokens_per_second'] for step in steps):,.0f}",
                "mfu": f"{100 * median(step['mfu'] for step in steps):.0f}%",
                "peak": _peak(steps),
                "waiting": f"{100 * sum(step['data_seconds'] for step in steps) / seconds:.1f}%",
                "memory": f"{max(step['memory_mb'] for step in steps) / 1e3:.2f}",
            }
        )
    return made


def _peak(steps: Sequence[Mapping[str, Any]]) -> str:
    known = [step["peak_tflops"] for step in steps if step.get("peak_tflops")]
    if not known:
        return "not kept"
    low, high = min(known), max(known)
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
