"""What training made worse, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lemur.evaluation.score import Score
from lemur.figures.dots import NAMES
from lemur.figures.paired import Difference, difference

# What was done to a model, by (model, the one that it came from).
_STEPS = {
    ("pretrained", "start"): "Continued pretraining",
    ("chat", "pretrained"): "Instruction tuning",
    ("chat", "start"): "All training together",
}


@dataclass(frozen=True)
class Change:
    """What a step of training did to one score; ``benchmark`` is the name that is printed."""

    step: str
    benchmark: str
    bits: bool
    apart: Difference
    after: Score
    before: Score

    @property
    def words(self) -> str:
        """The difference on the same problems with its unit."""
        words, unit = (self.apart.words(1, 3), "bits per byte") if self.bits else (self.apart.words(), "points")  # fmt: skip
        asked = f"{self.apart.n} {'documents' if self.bits else 'problems'}"
        return f"{words} {unit} on the same {asked}{self.formats}"

    @property
    def formats(self) -> str:
        """Where the two were asked in different formats, which the difference also holds."""
        forms = [score.format for score in (self.after, self.before)]
        # Held-out documents are read as they are, in no format.
        if self.bits or forms[0] == forms[1]:
            return ""
        return (
            f"; asked as {forms[0]} and before as {forms[1]}, so that this is not of training alone"
        )


def changes(scores: Sequence[Score]) -> Iterator[Change]:
    """Each model's scores against those of the one that it came from, on the same problems or
    documents; against the start where the one between was not scored."""
    at = {(score.benchmark, score.model): score for score in scores}
    for (model, before), step in _STEPS.items():
        for benchmark in dict.fromkeys(name for name, _ in at):
            if (model, before) == ("chat", "start") and (benchmark, "pretrained") in at:
                continue
            mine, other = at.get((benchmark, model)), at.get((benchmark, before))
            apart = difference(mine, other) if mine and other else None
            if apart is None or mine is None or other is None:
                continue
            name = NAMES.get(benchmark, benchmark.replace("_", " "))
            yield Change(step, name, mine.is_bits, apart, mine, other)


def sentences(scores: Sequence[Score]) -> list[str]:
    """One sentence for each benchmark on which a step of training did harm, one for those on which
    too little was asked to tell, and one that says so where nothing got worse. None without pairs.

    Harm: the 95 % interval leaves out no change.
    """
    found, unsure, compared = [], [], 0
    for change in changes(scores):
        compared += 1
        apart = change.apart
        # Fewer bits are better; of shares more are.
        gain, least = (-apart.mean, -apart.high) if change.bits else (apart.mean, apart.low)
        most = -apart.low if change.bits else apart.high
        if most < 0:
            found.append(f"{change.step} made {change.benchmark} worse: {change.words}.")
        elif gain < 0 and least < 0:
            unsure.append(f"{change.benchmark} after {change.step.lower()} ({change.words})")
    if unsure:
        found.append(f"Worse, but by too little to tell from chance: {'; '.join(unsure)}.")
    if compared and not found:
        return [f"Training made none of {compared} scores worse that were compared in pairs."]
    return found
