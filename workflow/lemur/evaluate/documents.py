"""Documents out of the files of a benchmark; what is not of the form that it must have is one line."""

import ast
import gzip
import json
import warnings
import zlib
from pathlib import Path
from typing import Any

from lemur.errors import UserError

Document = dict[str, Any]


def _text(data: bytes, where: str) -> str:
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{where}: not whole gzip ({error})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8 ({error})") from None


def lines(data: bytes, where: str) -> list[Document]:
    """Documents of a JSON Lines file (gzip or plain)."""
    documents = []
    for number, line in enumerate(_text(data, where).split("\n"), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            raise UserError(f"{where}: line {number} is not JSON") from None
        if not isinstance(document, dict):
            raise UserError(f"{where}: line {number} is not an object")
        documents.append(document)
    return documents


def listed(data: bytes, where: str) -> list[Any]:
    """Items of a JSON file that holds one list."""
    try:
        given = json.loads(_text(data, where))
    except (ValueError, RecursionError):
        raise UserError(f"{where}: not valid JSON") from None
    if not isinstance(given, list):
        raise UserError(f"{where}: not a list of problems")
    return given


def rows(path: Path) -> list[Document]:
    """Rows of a Parquet table."""
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path}: not a readable table ({error})".split("\n")[0]) from None


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
