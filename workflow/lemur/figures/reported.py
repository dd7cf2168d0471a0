"""The paper's published numbers: reports/paper/reported.csv, each row with its provenance."""

import csv
from pathlib import Path

from lemur.core.errors import UserError

COLUMNS = ["table", "model", "metric", "value", "provenance"]
Numbers = dict[tuple[str, str], float]


def read(path: Path) -> dict[str, Numbers]:
    """``{table: {(model, metric): value}}`` in the file's order; no value without provenance."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    if reader.fieldnames != COLUMNS:
        raise UserError(f"{path}: first line must be {','.join(COLUMNS)}")
    tables: dict[str, Numbers] = {}
    for number, row in enumerate(rows, 2):
        table, key = tables.setdefault(row["table"], {}), (row["model"], row["metric"])
        if key in table:
            raise UserError(f"{path}, line {number}: {' '.join(key)} stands twice")
        if not row["provenance"]:
            raise UserError(f"{path}, line {number}: no provenance")
        try:
            table[key] = float(row["value"])
        except (TypeError, ValueError):
            raise UserError(f"{path}, line {number}: {row['value']!r} is not a number") from None
    return tables


def table(path: Path, name: str) -> Numbers:
    """One table of the file; a missing one is a ``UserError``."""
    tables = read(path)
    if name not in tables:
        raise UserError(f"{path}: no table '{name}' (has {', '.join(tables)})")
    return tables[name]
