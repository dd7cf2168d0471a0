"""Find the ``.prov.json`` of a file: beside it, or beside the folder that it lies in."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.provenance import hash_of, record_of

SUFFIX = ".prov.json"
TREES = ("results", "resources")


def _tree(path: Path) -> Path | None:
    """``results`` or ``resources``, where ``path`` lies in one of them."""
    return next((parent for parent in path.parents if parent.name in TREES), None)


def find(path: Path | str) -> Path | None:
    """The record that covers ``path``, or None where nothing says how it was made."""
    path = Path(path)
    top = _tree(path)
    for place in (path, *path.parents):
        if place == top or place == place.parent:
            return None
        if record_of(place).is_file():
            return record_of(place)
    return None


def all_below(folder: Path) -> Iterator[Path]:
    """Every record below ``folder``, in the order of their paths."""
    yield from sorted(folder.rglob(f"*{SUFFIX}"))


def check(path: Path | str, below: Path = Path()) -> Path:
    """``path`` relative to ``below``, the working folder of the run; a UserError where no record covers it."""
    given, path = str(path), Path(path)
    if path.name.endswith(SUFFIX):
        path = path.with_name(path.name.removesuffix(SUFFIX))
    if path.is_absolute():
        try:
            path = path.relative_to(below.resolve())
        except ValueError:
            raise UserError(f"of={given}: not inside {below.resolve()}") from None
    if path.parts[:1] and path.parts[0] not in TREES:
        raise UserError(f"of={given}: allowed are paths below results/ and resources/")
    if find(below / path) is None:
        what = "has no .prov.json beside it" if (below / path).exists() else "no such file"
        raise UserError(f"of={given}: {what}{_near(str(path), below)}")
    return path


def _near(path: str, below: Path) -> str:
    known = [
        record.relative_to(below).as_posix().removesuffix(SUFFIX)
        for tree in TREES
        for record in all_below(below / tree)
    ]
    if not known:
        return "; nothing was made here yet"
    close = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f" (allowed: {known[0]} and {len(known) - 1:,} more)"  # fmt: skip


def state(path: Path, sha256: str) -> str:
    """``same``, ``changed`` or ``missing``: a file now, against the hash that a record has of it."""
    if not path.is_file():
        return "missing"
    return "same" if hash_of(path) == sha256 else "changed"
