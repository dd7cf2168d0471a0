"""What one stage writes and another reads, as frozen dataclasses: from JSON and YAML, and back.

A class that crosses a stage's border is a frozen dataclass whose fields say their units below
themselves (``lemur.report.formats`` makes docs/formats.md of them). ``read`` builds it from parsed JSON
or YAML and names the key that is wrong; ``part`` reads of a larger mapping what a class has fields for;
``plain`` gives back what JSON can hold.
"""

import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lemur.core.errors import UserError, nearest
from lemur.core.files import read_json, replacing, write_json

Contract = TypeVar("Contract")


def optional(key: str = "") -> Any:
    """A field that a file lacks where it is None; ``key``: its name there where that is no Python name."""
    return dataclasses.field(default=None, metadata={"key": key, "omitted": True})


def others() -> Any:
    """A field that holds what a mapping has under keys of no other field, each a key of its own."""
    return dataclasses.field(default_factory=dict, metadata={"others": True})


def unwritten(default: Any) -> Any:
    """A field that no file has: whoever reads one sets it."""
    return dataclasses.field(default=default, metadata={"unwritten": True})


def read(kind: type[Contract], value: object, where: str) -> Contract:
    """A dataclass ``kind`` from a mapping. A field with a default may be missing; a field, and ``kind``
    itself, may be a dataclass, a tuple, a mapping, a union, a Literal or an Enum of these and of JSON's
    own values.

    Raises:
        UserError: one line, which begins with ``where`` and the dotted key, for a key that is missing,
            unknown, or of another type.
    """
    return _value(kind, value, where, whole=True)


def part(kind: type[Contract], value: object, where: str) -> Contract:
    """The same of a mapping that may have other keys too, as a resolved recipe has, which its schema
    has checked."""
    return _dataclass(kind, value, where, whole=False)


def read_file(kind: type[Contract], path: Path) -> Contract:
    """``read`` of a JSON file. Raises UserError where there is none, or it is damaged."""
    return read(kind, read_json(path), str(path))


def write_file(path: Path, value: object) -> None:
    """Write a dataclass as JSON, whole or not at all."""
    write_json(path, plain(value))


def read_lines(kind: type[Contract], path: Path) -> Iterator[Contract]:
    """``read`` of each line of a file of JSON lines. Raises UserError, which names the line."""
    try:
        with open(path, encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                yield read_line(kind, text, f"{path}: line {number}")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})") from None


def read_line(kind: type[Contract], text: str | bytes, where: str) -> Contract:
    """``read`` of JSON text. Raises UserError, which begins with ``where``, for damaged text too."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{where}: {error}") from None
    return read(kind, value, where)


def line(value: object) -> str:
    """A dataclass as a line of JSON, in ASCII: what a model says may be no text that UTF-8 can hold."""
    return json.dumps(plain(value), ensure_ascii=True, sort_keys=True) + "\n"


def write_lines(path: Path, values: Iterable[object]) -> None:
    """Write dataclasses as JSON lines, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "w", encoding="ascii") as out:
        out.writelines(map(line, values))


def plain(value: Any) -> Any:
    """What JSON can hold of a dataclass: its fields by name, tuples as lists, paths as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made: dict[str, Any] = {}
        for key, field in fields(type(value)).items():
            inner = getattr(value, field.name)
            if field.others:
                made |= plain(inner)
            elif inner is not None or not field.omitted:
                made[key] = plain(inner)
        return made
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a class as a file has it: ``needed`` there, ``omitted`` where it is None, or all
    ``others`` that the class has no field for."""

    name: str
    type: Any
    needed: bool
    omitted: bool
    others: bool


@functools.cache
def fields(kind: type) -> dict[str, Field]:
    """The fields of a class by the keys that they have in a file."""
    hints, missing = typing.get_type_hints(kind), dataclasses.MISSING
    return {
        field.metadata.get("key") or field.name: Field(
            field.name,
            hints[field.name],
            field.default is missing and field.default_factory is missing,
            field.metadata.get("omitted", False),
            field.metadata.get("others", False),
        )
        for field in dataclasses.fields(kind)
        if field.init and "unwritten" not in field.metadata
    }


def _dataclass(kind: Any, value: object, where: str, whole: bool) -> Any:
    if not isinstance(value, Mapping):
        raise UserError(f"{where}: {_shown(value)} is not a mapping")
    known = fields(kind)
    rest = next((field.name for field in known.values() if field.others), None)
    if rest is not None:
        more = {key: value[key] for key in value if key == rest or key not in known}
        value = {key: value[key] for key in value if key not in more} | {rest: more}
    for key in value if whole else ():
        if key not in known:
            raise UserError(f"{where}: unknown key '{key}'{nearest(str(key), known)}")
    for key, field in known.items():
        if field.needed and key not in value:
            raise UserError(f"{where}: {key} is missing")
    return kind(
        **{
            field.name: _value(field.type, value[key], f"{where}: {key}", whole)
            for key, field in known.items()
            if key in value
        }
    )


def _value(kind: Any, value: object, where: str, whole: bool) -> Any:
    """``value`` as ``kind``, whatever that is."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is object:
        return value
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where, whole)
    if origin in (typing.Union, types.UnionType):
        return _union(inner, value, where, whole)
    if origin is typing.Literal:
        if value not in inner:
            raise UserError(f"{where}: {_shown(value)}{nearest(str(value), map(str, inner))}")
        return value
    if origin is tuple and isinstance(value, Sequence) and not isinstance(value, str):
        if len(inner) == 2 and inner[1] is ...:
            return tuple(
                _value(inner[0], item, f"{where}[{i}]", whole) for i, item in enumerate(value)
            )
        if len(inner) == len(value):
            pairs = enumerate(zip(inner, value, strict=True))
            return tuple(_value(each, item, f"{where}[{i}]", whole) for i, (each, item) in pairs)
    elif origin in (dict, Mapping) and isinstance(value, Mapping):
        return {key: _value(inner[1], item, f"{where}.{key}", whole) for key, item in value.items()}
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        if value in list(kind):
            return kind(value)
        raise UserError(f"{where}: {_shown(value)}{nearest(str(value), map(str, kind))}")
    elif kind is Path and isinstance(value, str):
        return Path(value)
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif (
        isinstance(kind, type)
        and isinstance(value, kind)
        and (kind is bool or not isinstance(value, bool))
    ):
        return value
    raise UserError(f"{where}: {_shown(value)} is not {_named(kind)}")


def _union(kinds: tuple[Any, ...], value: object, where: str, whole: bool) -> Any:
    """The first of ``kinds`` that takes ``value``; an error of the only one that is not None is its own."""
    if value is None and type(None) in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not type(None))
    if len(kinds) == 1:
        return _value(kinds[0], value, where, whole)
    for kind in kinds:
        try:
            return _value(kind, value, where, whole)
        except UserError:
            continue
    raise UserError(f"{where}: {_shown(value)} is not {' or '.join(map(_named, kinds))}")


def _named(kind: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if kind in names:
        return names[kind]
    origin = typing.get_origin(kind)
    return "a list" if origin is tuple else "a mapping" if origin in (dict, Mapping) else str(kind)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
