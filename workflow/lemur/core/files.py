"""Files that are either whole under their final name or not there at all."""

import contextlib
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError


def sha256_of(path: Path | str) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _new(folder: Path, name: str) -> tuple[Path, int]:
    """A new hidden file and its mode: what umask or the folder's access list grants, which
    ``tempfile`` withholds."""
    while True:
        path = folder / f".{name}.{secrets.token_hex(4)}.partial"
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            mode = os.fstat(handle).st_mode
            os.close(handle)
            return path, stat.S_IMODE(mode)


def usual_mode(folder: Path) -> int:
    """The mode that a new file gets in ``folder``."""
    path, mode = _new(folder, "mode")
    path.unlink()
    return mode


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success flush it to disk and rename it there.

    On any error the temporary file is removed and what stood at ``path`` before is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, mode = _new(path.parent, path.name)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, mode)  # some libraries write for their owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text with ``\\n`` line ends, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def canonical(value: Any) -> str:
    """JSON with sorted keys and no white space: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON that a person can read (sorted keys, two spaces), whole or not at all."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path | str) -> Any:
    """Read JSON; a missing or damaged file is a ``UserError`` that names it."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid JSON ({error})") from None
