"""What entries of a catalogue say of files on this machine."""

import os
from pathlib import Path
from typing import Any

from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.data.local_files import is_local

OWN = "own"


def localise(entry: Values, file: Path) -> None:
    """Let paths that are relative to ``file``, in which the entry stands, lead there from elsewhere.

    Of what is read through ``from``, the path becomes one of the working folder, so that a project
    that moves as a whole stays as it was. Changes ``entry``.
    """
    beside = file.resolve().parent
    pin = entry["data"] if isinstance(entry.get("data"), dict) else entry
    place = pin.get("from")
    if (
        isinstance(place, dict)
        and is_local(place)
        and isinstance(place["path"], str)
        and place["path"]
    ):
        path = Path(place["path"]).expanduser()
        place["path"] = str(path if path.is_absolute() else Path(os.path.relpath(beside / path)))
    for key in ("path", "tokenizer"):  # code of the user's own, a random model's tokenizer
        if isinstance(entry.get(key), str) and (beside / entry[key]).exists():
            entry[key] = str(beside / entry[key])


def localise_filters(value: Any, file: Path) -> None:
    """The same of the folders that filters name, anywhere in a corpus' file as it was read.

    Raises ``UserError`` where there is no such folder.
    """
    if isinstance(value, dict) and "measure" in value and isinstance(value.get("path"), str):
        folder = file.resolve().parent / value["path"]
        if not (folder / "__init__.py").is_file():
            raise UserError(f"{file.name}: cleaning.filters: {value['measure']}: path: {value['path']}: no folder with an __init__.py")  # fmt: skip
        value["path"] = str(folder)
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        localise_filters(inner, file)


def check(entry: Values, catalogue: str, where: str) -> None:
    """Fill in what files of this machine need not say, and refuse what only they may.

    Raises ``UserError``.
    """
    local = is_local(entry.get("from"))
    if local and catalogue == "sources":
        entry.setdefault("status", OWN)
    if catalogue == "sources" and "status" not in entry:
        raise UserError(f"{where}.status: missing")
    if entry.get("licence") == OWN and not local:
        raise UserError(f"{where}.licence: own is for files of this machine (from: {{path: ...}}): name the licence that it was published under")  # fmt: skip
