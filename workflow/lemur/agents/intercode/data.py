"""The benchmark's files, under their paths in the original's repository."""

import json
from pathlib import Path

from lemur.core.errors import UserError
from lemur.data.manifest import read_manifest
from lemur.data.row import Row


class Files:
    """A folder that is a copy of the repository or of a part of it, or the ``manifest.json`` of a
    download whose files' paths end with their paths in the repository."""

    def __init__(self, data: str | Path):
        self.root = Path(data)
        self.listed: list[Path] | None = None
        if self.root.is_file():
            self.listed = [each.check(self.root) for each in read_manifest(self.root)]
        elif not self.root.is_dir():
            raise UserError(f"{self.root}: no such folder or manifest.json of InterCode's files")

    def find(self, path: str) -> Path | None:
        """The file at ``path`` of the repository, None where the data lack it."""
        if self.listed is None:
            return self.root / path if (self.root / path).is_file() else None
        ending = Path(path).parts
        return next((each for each in self.listed if each.parts[-len(ending) :] == ending), None)

    def under(self, folder: str) -> dict[str, Path]:
        """All files below ``folder`` of the repository, by their paths in it, in their order."""
        parts = Path(folder).parts
        if self.listed is None:
            top = self.root / folder
            found = {str(each.relative_to(top)): each for each in top.rglob("*") if each.is_file()}
        else:
            found = {}
            for each in self.listed:
                for at in range(len(each.parts) - len(parts)):
                    if each.parts[at : at + len(parts)] == parts:
                        found["/".join(each.parts[at + len(parts) :])] = each
        return dict(sorted(found.items()))

    def need(self, path: str) -> Path:
        """Like :meth:`find`; UserError where the data lack it."""
        found = self.find(path)
        if found is None:
            raise UserError(f"{self.root}: no {path}, which is a file of princeton-nlp/intercode")
        return found


def read_tasks(path: Path, needed: dict[str, type]) -> list[Row]:
    """A list of objects with the keys ``needed`` of their types. UserError, with file and key, for
    another schema."""
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None
    if not isinstance(given, list):
        raise UserError(f"{path}: {type(given).__name__}, not the list of tasks that it should be")
    for number, item in enumerate(given):
        if not isinstance(item, dict):
            raise UserError(f"{path}: {number}: {item!r:.60} is no object")
        for key, kind in needed.items():
            if not isinstance(item.get(key), kind):
                shown = f"{item[key]!r:.60}" if key in item else "missing"
                raise UserError(f"{path}: {number}.{key}: {shown}, should be {kind.__name__}")
    return given
