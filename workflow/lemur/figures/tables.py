"""One table, four formats: HTML, Markdown, CSV and LaTeX, from the same cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.figures.inputs import csv_text

FORMATS = (".html", ".md", ".csv", ".tex")

_CSS = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:1rem}"
    "div{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;font-weight:600;padding-bottom:.5rem}"
    "th,td{padding:.25rem .6rem;border-bottom:1px solid #8886;text-align:left}"
    "td.n,th.n{text-align:right}tr.group th{padding-top:.9rem}p{max-width:44rem}"
)
_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip

_HREF = r"\providecommand{\href}[2]{#2}"


@dataclass(frozen=True)
class Column:
    """A heading; ``digits`` makes it a column of numbers with so many decimals."""

    name: str
    digits: int | None = None


@dataclass(frozen=True)
class Link:
    """A word that leads to a file: ``target`` relative to the table. A cell may hold several."""

    text: str
    target: str


@dataclass(frozen=True)
class Table:
    """``groups`` are (heading or "", rows); a row has one cell a column, ``None`` an empty one, a
    sequence of ``Link`` for links."""

    caption: str
    columns: Sequence[Column]
    groups: Sequence[tuple[str, Sequence[Sequence[Any]]]]
    notes: Sequence[str] = ()
    bold: frozenset[tuple[int, int, int]] = field(default_factory=frozenset)  # group, row, column

    def shown(self, row: Sequence[Any]) -> list[str]:
        """Cells as a reader sees them."""
        cells = []
        for column, value in zip(self.columns, row, strict=True):
            if value is None:
                cells.append("")
            elif isinstance(value, (tuple, list)):
                cells.append(" ".join(link.text for link in value))
            elif column.digits is None or isinstance(value, str):
                cells.append(str(value))
            else:
                cells.append(f"{value:.{column.digits}f}")
        return cells


def _links(value: Any) -> Sequence[Link]:
    return value if isinstance(value, (tuple, list)) else ()


def _anchors(value: Any) -> str:
    return " ".join(
        f'<a href="{escape(link.target)}">{escape(link.text)}</a>' for link in _links(value)
    )


def html(table: Table) -> str:
    """A page of its own, that loads nothing."""
    classes = ["" if column.digits is None else ' class="n"' for column in table.columns]
    head = "".join(
        f'<th scope="col"{kind}>{escape(column.name)}</th>'
        for column, kind in zip(table.columns, classes, strict=True)
    )
    lines = [f"<thead><tr>{head}</tr></thead>"]
    for g, (heading, rows) in enumerate(table.groups):
        lines.append("<tbody>")
        if heading:
            span = len(table.columns)
            lines.append(
                f'<tr class="group"><th scope="colgroup" colspan="{span}">{escape(heading)}</th></tr>'
            )
        for r, row in enumerate(rows):
            cells = []
            for c, text in enumerate(table.shown(row)):
                text = _anchors(row[c]) or escape(text)
                text = f"<strong>{text}</strong>" if (g, r, c) in table.bold else text
                tag = 'th scope="row"' if c == 0 else f"td{classes[c]}"
                cells.append(f"<{tag}>{text}</{tag.split()[0].split(' ')[0]}>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</tbody>")
    body = "\n".join(lines)
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in table.notes)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(table.caption)}</title>\n<style>{_CSS}</style>\n"
        '<div role="region" tabindex="0" aria-label="table">\n'
        f"<table>\n<caption>{escape(table.caption)}</caption>\n{body}\n</table>\n</div>\n{notes}</html>\n"
    )


def markdown(table: Table) -> str:
    """A pipe table with its caption above and its notes below."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

    rule = ["---" if column.digits is None else "---:" for column in table.columns]
    lines = [
        f"**{table.caption}**",
        "",
        line([column.name for column in table.columns]),
        line(rule),
    ]
    for g, (heading, rows) in enumerate(table.groups):
        if heading:
            lines.append(line([f"*{heading}*", *[""] * (len(table.columns) - 1)]))
        for r, row in enumerate(rows):
            cells = [
                " ".join(f"[{link.text}]({link.target})" for link in value)
                if isinstance(value, (tuple, list))
                else text
                for text, value in zip(table.shown(row), row, strict=True)
            ]
            lines.append(
                line([f"**{x}**" if (g, r, c) in table.bold else x for c, x in enumerate(cells)])
            )
    for note in table.notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def latex(table: Table) -> str:
    """A ``tabular`` with booktabs rules, ready for ``\\input``; links need hyperref, and without it
    are their words."""

    def safe(text: str) -> str:
        return "".join(_TEX.get(character, character) for character in text)

    kinds = "".join("l" if column.digits is None else "r" for column in table.columns)
    linked = any(_links(value) for _, rows in table.groups for row in rows for value in row)
    lines = [f"% {table.caption}", *([_HREF] if linked else [])]
    lines += [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule"]
    lines.append(" & ".join(safe(column.name) for column in table.columns) + r" \\")
    for g, (heading, rows) in enumerate(table.groups):
        lines.append(r"\midrule")
        if heading:
            lines.append(
                rf"\multicolumn{{{len(table.columns)}}}{{l}}{{\emph{{{safe(heading)}}}}} \\"
            )
        for r, row in enumerate(rows):
            cells = [
                " ".join(
                    rf"\href{{{safe(link.target)}}}{{{safe(link.text)}}}" for link in _links(value)
                )
                or safe(text)
                for text, value in zip(table.shown(row), row, strict=True)
            ]
            cells = [
                rf"\textbf{{{x}}}" if (g, r, c) in table.bold else x for c, x in enumerate(cells)
            ]
            lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", *(f"% {note}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return " ".join(link.target for link in value)
    return value


def csv(table: Table) -> str:
    """Unrounded numbers; groups are a first column where there are any."""
    grouped = any(heading for heading, _ in table.groups)
    columns = [*(["Group"] if grouped else []), *(column.name for column in table.columns)]
    rows = [
        [*([heading] if grouped else []), *map(_plain, row)]
        for heading, rows in table.groups
        for row in rows
    ]
    return csv_text(columns, rows)


def write(table: Table, out: Path) -> None:
    """``out`` must end in ``.html``; the other three formats are written beside it."""
    if out.suffix != ".html":
        raise UserError(f"--out {out}: a table's name ends in .html")
    for suffix, text in zip(FORMATS, (html, markdown, csv, latex), strict=True):
        write_text(out.with_suffix(suffix), text(table))
