"""What a report says first, as data: for the terminal and for the index over recipes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.report.numbers import Number


@dataclass(frozen=True)
class Summary:
    """One recipe's ``report.json``.

    ``recipe`` is its name, ``description`` its own words, ``opening`` the report's first sentence,
    ``numbers`` the values that a reader looks for first, as text with their units.
    """

    recipe: str
    description: str
    opening: str
    numbers: Sequence[Number]


def path_beside(report: Path) -> Path:
    """The summary of a report lies beside it."""
    return report.with_suffix(".json")


def write(summary: Summary, report: Path) -> None:
    """Write ``report.json`` beside ``report.html``."""
    write_json(path_beside(report), asdict(summary))


def read(report: Path) -> Summary:
    """The summary beside a report; ``UserError`` where there is none or it is another file."""
    path = path_beside(report)
    if not path.is_file():
        raise UserError(f"{path}: no such file; make mini writes it")
    facts = read_json(path)
    try:
        shown = [Number(**number) for number in facts.pop("numbers")]
        made = Summary(**facts, numbers=shown)
        if not all(isinstance(text, str) for text in (made.recipe, made.description, made.opening)):
            raise TypeError
        return made
    except (AttributeError, KeyError, TypeError):
        raise UserError(
            f"{path}: not the summary of a report: scripts/8_figures/report.py writes it"
        ) from None
