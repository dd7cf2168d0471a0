"""The corpus' datasheet as a section of the report."""

from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.figures.inputs import mapping

KINDS = ("heading", "text", "table", "examples", "items")


def blocks(path: Path) -> list[dict[str, Any]]:
    """The blocks of ``datasheet.json``, tables with ``numeric``: which columns hold numbers alone.

    ``UserError`` for a file that is none. Texts are plain and escaped where they are shown.
    """
    made = []
    for block in mapping(path, "corpus", "blocks")["blocks"]:
        if len(block) != 1 or next(iter(block)) not in KINDS:
            raise UserError(f"{path}: a block is one of {', '.join(KINDS)}; make it again")
        if "table" in block:
            table = block["table"]
            columns = list(zip(*table["rows"], strict=True)) or [()] * len(table["head"])
            block = {"table": {**table, "numeric": [_numeric(column) for column in columns]}}
        made.append(block)
    return made


def _numeric(column: tuple[str, ...]) -> bool:
    return bool(column) and all(cell[:1].isdigit() for cell in column)
