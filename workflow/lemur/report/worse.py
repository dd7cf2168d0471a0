"""What training made worse, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from lemur.figures.dots import NAMES
from lemur.figures.paired import difference

Score = Mapping[str, Any]
# What was done to a model, by (model, the one that it came from).
_STEPS = {
    ("pretrained", "start"): "Continued pretraining",
    ("chat", "pretrained"): "Instruction tuning",
    ("chat", "start"): "All training together",
}


def sentences(scores: Sequence[Score]) -> list[str]:
    """One sentence for each benchmark on which a step of training did harm, one for those on which
    too little was asked to tell, and one that says so where nothing got worse. None without pairs.

    A model is compared with the one that it came from, on the same problems or documents; with the
    start where the one between was not scored. Harm: the 95 % interval leaves out no change.
    """
    at = {(score["benchmark"], score["model"]): dict(score) for score in scores}
    found, unsure, compared = [], [], 0
    for (model, before), step in _STEPS.items():
        for benchmark in dict.fromkeys(name for name, _ in at):
            if (model, before) == ("chat", "start") and (benchmark, "pretrained") in at:
                continue
            mine, other = at.get((benchmark, model)), at.get((benchmark, before))
            apart = difference(mine, other) if mine and other else None
            if apart is None or mine is None or other is None:
                continue
            compared += 1
            bits = benchmark.startswith("bits_per_byte_")
            # Fewer bits are better; of shares more are.
            gain, least = (-apart.mean, -apart.high) if bits else (apart.mean, apart.low)
            most = -apart.low if bits else apart.high
            name = NAMES.get(benchmark, benchmark.replace("_", " "))
            words, unit = (
                (apart.words(1, 3), "bits per byte") if bits else (apart.words(), "points")
            )
            asked = f"{apart.n} {'documents' if bits else 'problems'}"
            change = f"{words} {unit} on the same {asked}"
            if most < 0:
                found.append(f"{step} made {name} worse: {change}{_formats(mine, other)}.")
            elif gain < 0 and least < 0:
                unsure.append(f"{name} after {step.lower()} ({change}{_formats(mine, other)})")
    if unsure:
        found.append(f"Worse, but by too little to tell from chance: {'; '.join(unsure)}.")
    if compared and not found:
        return [f"Training made none of {compared} scores worse that were compared in pairs."]
    return found


def _formats(mine: Score, other: Score) -> str:
    """Where the two were asked in different formats, which the difference also holds."""
    forms = [score.get("format") for score in (mine, other)]
    # Held-out documents are read as they are, in no format.
    if mine["benchmark"].startswith("bits_per_byte_") or None in forms or forms[0] == forms[1]:
        return ""
    return f"; asked as {forms[0]} and before as {forms[1]}, so that this is not of training alone"
