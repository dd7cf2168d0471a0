"""One page over all recipes that were run in this folder, each with its report."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from lemur.files import write_text
from lemur.report.page import REPORTS, policy
from lemur.report.summary import Summary, read
from lemur.report.templates import template


@dataclass(frozen=True)
class Entry:
    """A recipe's row: ``link`` leads from the index to its report, by a relative path."""

    link: str
    summary: Summary


def render(reports: Sequence[Path], out: Path, folder: Path = REPORTS / "template") -> str:
    """The page as text, recipes by name: a pure function of the reports' summaries."""
    style = (folder / "report.css").read_text(encoding="utf-8")
    entries = [Entry(os.path.relpath(path, out.parent), read(path)) for path in reports]
    entries.sort(key=lambda entry: (entry.summary.recipe, entry.link))
    return template(folder, "index.html.j2").render(
        policy=policy(style, ""),
        style=Markup(style),  # noqa: S704 (a committed file)
        entries=entries,
    )


def write(reports: Sequence[Path], out: Path) -> None:
    """Write ``results/index.html``."""
    write_text(out, render(reports, out))
