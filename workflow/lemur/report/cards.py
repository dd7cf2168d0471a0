"""A figure as the report shows it: picture or table, words, data, and how it was made."""

import base64
import csv
import html
import io
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from lemur.core.errors import UserError
from lemur.core.provenance import ROOT, read_record
from lemur.figures import compared, live_agents
from lemur.figures.compared import OPENED
from lemur.figures.svg import texts

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
GROUP, INTERVAL = "Group", "95% interval"  # columns of lemur.figures.tables


def data_uri(kind: str, data: bytes) -> str:
    """``data`` inside the page."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@dataclass(frozen=True)
class Cell:
    """``interval`` stands below a number, in smaller letters."""

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Grid:
    """A CSV file as a table: ``numeric`` says which columns are aligned as numbers.

    ``groups``: (heading or empty, rows). ``opened``: the column whose cells name files; ``links``:
    such a cell to its (text, address from the page).
    """

    columns: Sequence[str]
    groups: Sequence[tuple[str, Sequence[Sequence[Cell]]]]
    numeric: Sequence[bool]
    opened: int | None = None
    links: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Rows of all groups."""
        return sum(len(rows) for _, rows in self.groups)


def grid(text: str, folder: Path = Path(), report: Path = Path("report.html")) -> Grid:
    """Cells for reading: a column's numbers to the same few decimals, everything else as it is.

    As narrow as the table can be: a column ``Group`` becomes headings, one of intervals goes below
    the numbers of the column before it, an empty one is left out. Files that the column ``OPENED``
    names, relative to ``folder``, become links from ``report``.
    """
    columns, *rows = list(csv.reader(io.StringIO(text)))
    digits = [_digits([row[index] for row in rows if row[index]]) for index in range(len(columns))]
    groups: dict[str, list[list[Cell]]] = {}
    below = {
        index - 1: index
        for index, name in enumerate(columns)
        if index and name.endswith(INTERVAL) and digits[index - 1] is not None
    }
    kept = [
        index
        for index, name in enumerate(columns)
        if name != GROUP and index not in below.values() and any(row[index] for row in rows)
    ]
    for row in rows:
        cells = []
        for index in kept:
            cell, places = row[index], digits[index]
            shown = cell if places is None or not cell else f"{float(cell):.{places}f}"
            cells.append(Cell(shown, row[below[index]] if index in below else ""))
        groups.setdefault(row[0] if columns[0] == GROUP else "", []).append(cells)
    shown = [columns[index] for index in kept]
    numeric = [digits[index] is not None for index in kept]
    opened = shown.index(OPENED) if OPENED in shown else None
    names = [] if opened is None else [row[kept[opened]] for row in rows]
    links = {cell: _links(cell, folder, report) for cell in names}
    return Grid(shown, list(groups.items()), numeric, opened, links)


def _links(cell: str, folder: Path, report: Path) -> list[tuple[str, str]]:
    named = (*compared.FILES, *live_agents.FILES)
    words = {Path(name).name: text for text, name in named}
    found = []
    for path in (folder / name for name in cell.split()):
        if path.is_file():
            place = os.path.relpath(path.resolve(), report.resolve().parent)
            found.append((words.get(path.name, path.name), quote(place)))
    return found


def _digits(cells: Sequence[str]) -> int | None:
    """Decimals that a column of numbers is shown with; None for a column of words."""
    if not cells or not all(_NUMBER.fullmatch(cell) for cell in cells):
        return None
    longest = max(len(cell.partition(".")[2]) for cell in cells)
    return min(longest, 2 if max(abs(float(cell)) for cell in cells) >= 10 else 4)


@dataclass(frozen=True)
class Made:
    """What is the same on every machine and run of a ``.prov.json``; times and hardware are not."""

    link: str
    command: str = ""
    spec: str = ""
    recipe_digest: str = ""
    lock: str = ""
    inputs: Sequence[tuple[str, str]] = field(default_factory=tuple)


def _here(text: str) -> str:
    """Paths inside the checkout or the working folder without what differs between machines."""
    for folder in (str(ROOT), os.getcwd()):
        text = text.replace(f"{folder}/", "")
    return text


def _command(line: str) -> str:
    """The command without its settings, which stand below it."""
    words = shlex.split(line)
    for index, word in enumerate(words[:-1]):
        if word == "--spec":
            words[index + 1] = "@spec.json"
    return " ".join(word if word == "@spec.json" else shlex.quote(word) for word in words)


def made(path: Path, report: Path) -> Made | None:
    """How ``path`` was made, from the ``.prov.json`` beside it; None where there is none."""
    record = Path(f"{path}.prov.json")
    if not record.is_file():
        return None
    facts = read_record(record)
    lock = facts.lock
    return Made(
        link=os.path.relpath(record, report.parent),
        command=_here(_command(facts.command)),
        spec=json.dumps(facts.spec, indent=1, sort_keys=True, ensure_ascii=False),
        recipe_digest=facts.recipe_digest or "",
        lock=f"{lock.environment} {lock.variant} {lock.sha256}" if lock else "",
        inputs=sorted((_here(path), sha) for path, sha in facts.inputs.items()),
    )


@dataclass(frozen=True)
class Card:
    """``image`` is a data URI for a picture, else empty and ``grid`` is the figure itself. ``cost``:
    what it took to make, in words, or empty where nothing recorded it."""

    name: str
    title: str
    caption: str
    words: str
    image: str
    width: int
    height: int
    grid: Grid
    csv: str
    made: Made | None
    cost: str = ""


def _size(svg: str) -> tuple[int, int]:
    box = svg.split('viewBox="', 1)[-1].split('"', 1)[0].split()
    return round(float(box[2])), round(float(box[3]))


def card(path: Path, captions: Path, report: Path) -> Card:
    """A figure (``.svg``) or table (``.html``) with its ``.csv`` and its caption."""
    caption_file = captions / f"{path.stem}.rst"
    if not caption_file.is_file():
        raise UserError(f"{caption_file}: no caption for the figure {path}")
    caption = " ".join(caption_file.read_text(encoding="utf-8").split())
    source = path.with_suffix(".csv")
    if not path.is_file() or not source.is_file():
        raise UserError(f"{source if path.is_file() else path}: no such file")
    data = source.read_bytes()
    title = words = image = ""
    width = height = 0
    if path.suffix == ".svg":
        svg = path.read_text(encoding="utf-8")
        title, words = texts(svg)
        width, height = _size(svg)
        image = data_uri("image/svg+xml", svg.encode())
    elif path.suffix == ".html":
        found = re.search(r"<caption>(.*?)</caption>", path.read_text(encoding="utf-8"))
        if not found:
            raise UserError(f"{path}: no <caption>: not written by lemur.figures.tables")
        title = html.unescape(found.group(1))
    else:
        raise UserError(f"{path}: a figure is .svg, a table .html")
    return Card(
        name=path.stem,
        title=title,
        caption=caption,
        words=words,
        image=image,
        width=width,
        height=height,
        grid=grid(data.decode(), path.parent, report),
        csv=data_uri("text/csv", data),
        made=made(path, report),
    )
