"""The corpus' datasheet as a section of the report."""

from pathlib import Path

from lemur.core.contracts import read_file
from lemur.corpus.page import Block, Datasheet, Table


def blocks(path: Path) -> list[tuple[Block, list[bool]]]:
    """The blocks of ``datasheet.json``, each with which columns of its table hold numbers alone.

    ``UserError`` for a file that is none. Texts are plain and escaped where they are shown.
    """
    found = read_file(Datasheet, path)
    return [(block, _numeric(block.table) if block.table else []) for block in found.blocks]


def _numeric(table: Table) -> list[bool]:
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.head)
    return [bool(column) and all(cell[:1].isdigit() for cell in column) for column in columns]
