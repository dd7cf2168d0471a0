"""Objects appended to a file as they come: a kill loses at most the line that was being written."""

import json
from pathlib import Path
from typing import IO, Any

from lemur.core.errors import UserError
from lemur.core.lock import try_lock


class Journal:
    """Lines of JSON objects in ``path``. One writer at a time; ``UserError`` for a second one.

    ``entries`` are those that were there when it was opened. Lines that the disk has damaged are
    passed over: what they held is made again.
    """

    def __init__(self, path: Path):
        self.path = path
        self.entries: list[dict[str, Any]] = []
        self.file: IO[bytes] | None = None

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "a+b")
        if not try_lock(self.file):
            self.file.close()
            raise UserError(f"{self.path}: another process is writing it")
        self.file.seek(0)
        whole = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                self.entries.append(entry)
        self.file.truncate(whole)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.file is not None
        self.file.close()

    def add(self, entry: dict[str, Any]) -> None:
        """Append one object and hand it to the operating system."""
        assert self.file is not None
        line = json.dumps(entry, ensure_ascii=True, sort_keys=True) + "\n"
        self.file.write(line.encode())
        self.file.flush()
