"""The paper's claims for the top of the page: how many have which verdict, then each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.claims import judge
from lemur.claims.claim import Judged, Verdict
from lemur.claims.table import MEANING

# In reading order: what a reader would not expect comes first.
ORDER = (Verdict.DIFFERS, Verdict.REPRODUCED, Verdict.CONSISTENT, Verdict.NOT_CHECKABLE)
# What of a claim's source shows where on the page the numbers stand.
_FIGURES = {"mint_outcomes": "mint_table", "reported.csv": "foundation_table"}


@dataclass(frozen=True)
class Row:
    """A claim. ``figure``: the id of the figure on this page that has the numbers, or empty."""

    claim: Judged
    figure: str


@dataclass(frozen=True)
class Group:
    """All claims of one verdict; ``key`` names its place on the page and its colour."""

    verdict: str
    key: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Section:
    """``groups``: every verdict, also of no claim; ``meaning``: what the verdicts mean."""

    number: int
    groups: Sequence[Group]
    meaning: str = MEANING


def section(path: Path, figures: Sequence[str]) -> Section:
    """From the verdicts that ``lemur.claims.table`` keeps; ``figures``: names of those on the page."""
    found = judge.read(path)
    groups = [
        Group(
            verdict.value,
            verdict.name.lower().replace("_", "-"),
            [
                Row(judged, _figure(judged, figures))
                for judged in found
                if judged.finding.verdict is verdict
            ],
        )
        for verdict in ORDER
    ]
    return Section(len(found), groups)


def _figure(claim: Judged, figures: Sequence[str]) -> str:
    for part, name in _FIGURES.items():
        if part in claim.finding.source and name in figures:
            return name
    return ""
