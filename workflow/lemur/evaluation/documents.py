"""Documents out of the files of a benchmark; what is not of the form that it must have is one line."""

import ast
import io
import warnings
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.data import records

Document = dict[str, Any]
# Name of a split -> its documents; ``test`` is what is asked.
Split = dict[str, list[Document]]


def lines(data: bytes, where: str) -> list[Document]:
    """Documents of a JSON Lines file (compressed or plain)."""
    return [document for _, document in records.json_objects(io.BytesIO(data), where)]


def listed(data: bytes, where: str) -> list[Any]:
    """Items of a JSON file that holds one list."""
    given = records.json_document(data, where)
    if not isinstance(given, list):
        raise UserError(f"{where}: not a list of problems")
    return given


def rows(path: Path) -> list[Document]:
    """Rows of a Parquet table."""
    from lemur.data import parquet  # only evaluations of such tables need Arrow

    return list(parquet.rows(path, str(path)))


def need(document: Any, where: str, **kinds: type) -> None:
    """UserError when a problem lacks a field or has it in another type."""
    if not isinstance(document, dict):
        raise UserError(f"{where}: must be an object, it is {type(document).__name__}")
    for name, kind in kinds.items():
        if not isinstance(document.get(name), kind):
            found = type(document.get(name)).__name__
            raise UserError(f"{where}: '{name}' must be {kind.__name__}, it is {found}")


def need_texts(values: list[Any], least: int, where: str) -> None:
    """UserError unless there are ``least`` values, all of them texts."""
    if len(values) < least or not all(isinstance(value, str) for value in values):
        raise UserError(f"{where} must be a list of {least} texts or more")


def need_python(source: str, where: str) -> None:
    """UserError unless ``source`` is Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\\w" in MBPP's own solutions
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{where} is not Python ({error})") from None
