"""One page over all recipes that were run in this folder, and the tables that no report has."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.log import logger
from lemur.report.page import REPORTS
from lemur.report.summary import Summary, read
from lemur.report.templates import policy, template


@dataclass(frozen=True)
class Entry:
    """A recipe's row: ``link`` leads from the index to its report, by a relative path."""

    link: str
    summary: Summary


@dataclass(frozen=True)
class Table:
    """A table that stands alone; ``link`` leads from the index to it, ``title`` says what it shows."""

    link: str
    title: str


def table(path: Path, out: Path) -> Table:
    """A model's scores (figures/models/<model>/foundation.html) or a mixture (<recipe>/mix/table.txt)."""
    link = os.path.relpath(path, out.parent)
    if path.name == "table.txt":
        return Table(link, f"Mixture of {path.parent.parent.name}")
    return Table(link, f"Scores of {path.parent.name}")


def render(
    reports: Sequence[Path],
    out: Path,
    tables: Sequence[Path] = (),
    folder: Path = REPORTS / "template",
) -> str:
    """The page as text, recipes by name: a pure function of the reports' summaries and the paths.

    A report whose summary cannot be read is left out with a warning, since an older run's damage is
    not this one's. ``UserError`` where that leaves none.
    """
    style = (folder / "report.css").read_text(encoding="utf-8")
    entries = []
    for path in reports:
        try:
            entries.append(Entry(os.path.relpath(path, out.parent), read(path)))
        except (UserError, OSError) as error:
            logger.warning(f"warning: {error}: {path} is left out of {out}")
    if not entries:
        raise UserError(f"{out}: no report has a summary that can be read")
    entries.sort(key=lambda entry: (entry.summary.recipe, entry.link))
    return template(folder, "index.html.j2").render(
        policy=policy(style, ""),
        style=Markup(style),  # noqa: S704 (a committed file)
        entries=entries,
        tables=sorted((table(path, out) for path in tables), key=lambda made: made.title),
    )


def write(reports: Sequence[Path], out: Path, tables: Sequence[Path] = ()) -> None:
    """Write ``results/index.html``."""
    write_text(out, render(reports, out, tables))
