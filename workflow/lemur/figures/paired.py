"""Two verdicts on one problem: by another rule, asked in another way, or of another model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lemur.core.errors import UserError
from lemur.evaluation import intervals
from lemur.evaluation.score import Score
from lemur.evaluation.verdicts import FILE, NOT_JUDGED, PASSED, read_verdicts

Name = tuple[str, str]  # task and document of a problem
LEVEL = 0.05  # of a test: a smaller p counts as beyond chance
MARK = "*"  # of a difference beyond chance, all benchmarks taken together


@dataclass(frozen=True)
class Difference:
    """What one model has more than another on what both were asked and judged on.

    ``mean``, ``low`` and ``high`` (95 % interval) are shares of problems, or bits per byte; ``n``
    counts the problems or documents that both have; ``whole`` says that these are all that either
    has; ``p`` is McNemar's, None where that test does not apply.
    """

    mean: float
    low: float
    high: float
    n: int
    whole: bool
    p: float | None = None
    holm: float | None = None

    @property
    def standard_error(self) -> float:
        """Of the mean, from its 95 % interval."""
        return (self.high - self.low) / (2 * intervals.Z)

    @property
    def p_value(self) -> float:
        """That there is no difference: McNemar's, else of the normal distribution, two-sided."""
        if self.p is not None:
            return self.p
        error = self.standard_error
        if error == 0:
            return 1.0 if self.mean == 0 else 0.0
        return math.erfc(abs(self.mean) / error / math.sqrt(2))

    @property
    def mark(self) -> str:
        """``*`` where the difference is beyond chance by Holm's correction, else nothing."""
        return MARK if self.holm is not None and self.holm < LEVEL else ""

    def words(self, scale: float = 100, digits: int = 1) -> str:
        """``+4.2* (-3.1 to +11.5, McNemar p = 0.5, Holm p = 1)``; ``on 20`` where there are more
        problems."""
        mean, low, high = (f"{scale * x:+.{digits}f}" for x in (self.mean, self.low, self.high))
        test = "" if self.p is None else f", McNemar p = {self.p:.2g}"
        test += "" if self.holm is None else f", Holm p = {self.holm:.2g}"
        return f"{mean}{self.mark} ({low} to {high}{test})" + (
            "" if self.whole else f" on {self.n}"
        )


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """The same differences with ``holm``, p by Holm's method over all of them: where many benchmarks
    are compared, one in twenty differs by chance alone."""
    adjusted = intervals.holm([apart.p_value for apart in differences])
    return [replace(apart, holm=float(p)) for apart, p in zip(differences, adjusted, strict=True)]


def otherwise(score: Score, column: Sequence[Score]) -> str | None:
    """The score by the other rules that judged the same answers, and beside a benchmark asked as
    the paper's code does (``*_paper``) the same problems asked otherwise, from the scores of its
    ``column``; each with the number of problems on which the verdicts differ. Then how many answers
    the rule itself takes for right that are written otherwise, and how many want a module that the
    sandbox does not have."""
    if score.value is None:
        return None
    notes = []
    for name, beside in sorted((score.beside or {}).items()):
        label, missed = name.replace("_", " "), beside.not_checked
        unknown = f", {missed} not checked" if missed else ""
        if beside.value is None:
            notes.append(f"{label}: not checked")
        elif beside.differs_on:
            notes.append(f"{label} {100 * beside.value:.1f}: {beside.differs_on} differ{unknown}")
        elif beside.differs_on is not None:
            notes.append(f"{label}: none differs{unknown}")
    if otherwise_written := score.otherwise_written:
        notes.append(f"{otherwise_written} right only without their punctuation")
    for module, number in (score.lacking_modules or {}).items():
        notes.append(f"{number} ended for want of {module}")
    for other in column if score.benchmark.endswith("_paper") else ():
        if other.value is None or other is score:
            continue
        mine = {document: share for (_, document), share in passed(score.path).items()}
        theirs = {document: share for (_, document), share in passed(other.path).items()}
        shared = mine.keys() & theirs.keys()
        if shared:
            differ = sum(mine[key] != theirs[key] for key in shared)
            asked = f"{differ} of {len(shared)} differ" if differ else "none differs"
            notes.append(f"{other.benchmark} {100 * other.value:.1f}: {asked}")
    return "; ".join(notes) or None


def difference(score: Score, other: Score | None) -> Difference | None:
    """``score`` less ``other``, two models' scores of one benchmark, on the same problems or
    documents; None where either was not judged or nothing is shared. Bits per byte: bootstrap over
    documents. Shares: Newcombe's interval with McNemar's test where each problem was answered once,
    else the bootstrap over problems."""
    if other is None or score.value is None or other.value is None:
        return None
    if score.is_bits:
        return bits_difference(coded(score.path), coded(other.path))
    mine, theirs = passed(score.path), passed(other.path)
    shared = sorted(set(mine) & set(theirs))
    if not shared:
        return None
    whole = len(shared) == score.n == other.n
    ours, others = [mine[key] for key in shared], [theirs[key] for key in shared]
    if {*ours, *others} <= {0.0, 1.0}:
        rights = [bool(share) for share in ours], [bool(share) for share in others]
        found = intervals.paired_shares(*rights)
        return Difference(*found, len(shared), whole, intervals.mcnemar(*rights))
    return Difference(*intervals.paired_difference(ours, others), len(shared), whole)


def bits_difference(
    mine: Mapping[Name, tuple[float, int]], theirs: Mapping[Name, tuple[float, int]]
) -> Difference | None:
    """The same of bits and bytes by document, as :func:`coded` reads them."""
    shared = sorted(set(mine) & set(theirs))
    if not shared:
        return None
    apart = [mine[key][0] - theirs[key][0] for key in shared]
    sizes = [mine[key][1] for key in shared]
    low, high = intervals.bootstrap_ratio(apart, sizes)
    whole = len(shared) == len(mine) == len(theirs)
    return Difference(sum(apart) / sum(sizes), low, high, len(shared), whole)


def against(score: Score, other: Score | None) -> str | None:
    """:func:`difference` in words: percentage points, or bits per byte."""
    found = difference(score, other)
    if found is None:
        return None
    bits = score.is_bits
    return found.words(1, 3) if bits else found.words()


def passed(scores: Path) -> dict[Name, float]:
    """The share of each problem's answers that passed, from the verdicts beside ``scores``; a
    problem that was not judged is left out, since that is not failing."""
    found = {}
    for problem in read_verdicts(scores):
        every = problem.samples or (problem.verdict,)
        judged = [verdict for verdict in every if verdict != NOT_JUDGED]
        if judged:
            found[problem.name] = sum(verdict == PASSED for verdict in judged) / len(judged)
    return found


def coded(scores: Path) -> dict[Name, tuple[float, int]]:
    """Bits that a model needs for each held-out document, and the document's bytes."""
    found = {}
    for problem in read_verdicts(scores):
        if problem.bits is None or problem.bytes is None:
            path = scores.with_name(FILE)
            raise UserError(f"{path}: not verdicts ({problem.document} has no bits and bytes)")
        found[problem.name] = float(problem.bits), int(problem.bytes)
    return found
