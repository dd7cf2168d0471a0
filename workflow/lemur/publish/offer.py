"""What would be sent, to whom and under which licence: typed, shown, and refused as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.text_table import aligned

PARTS = ("model", "dataset", "report", "crate")


@dataclass(frozen=True)
class File:
    """``path`` on this machine; ``place`` in what is sent, with ``/`` between folders."""

    path: Path
    place: str

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


@dataclass(frozen=True)
class Part:
    """One of ``PARTS``. ``licences`` in words; ``notes`` are what its receiver has to know;
    ``refusals``: why it may not be sent."""

    name: str
    title: str
    files: Sequence[File]
    licences: Sequence[str]
    notes: Sequence[str] = ()
    refusals: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def folder_files(folder: Path, place: str = "", without: Iterable[str] = ()) -> list[File]:
    """All files below ``folder``, as files below ``place``, in a fixed order; ``without`` names some
    that are left out. A link to a file elsewhere is refused: what it leads to was not meant."""
    left_out = set(without)
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in left_out and not name.endswith(".prov.json"):
            if not path.resolve().is_relative_to(folder.resolve()):
                raise UserError(f"{path}: a link that leads out of what is sent")
            found.append(File(path, f"{place}{name}"))
    return found


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.2f}"


def lines(parts: Sequence[Part], receivers: Mapping[str, str]) -> list[str]:
    """The offer as a table and remarks; ``receivers``: where each part goes."""
    head = ("part", "files", "MB", "to", "licence")
    rows = [
        (
            part.name,
            f"{len(part.files):,}",
            _megabytes(part.size),
            receivers[part.name],
            ", ".join(part.licences),
        )
        for part in parts
    ]
    remarks = [f"{part.name}: {note}" for part in parts for note in part.notes]
    return [*aligned(head, rows), *remarks]


def refuse(parts: Sequence[Part]) -> None:
    """UserError that names every reason, where one part may not be sent."""
    reasons = [f"{part.name}: {why}" for part in parts for why in part.refusals]
    if reasons:
        left = [part.name for part in parts if not part.refusals]
        others = f" (what=[{','.join(left)}] sends the others)" if left else ""
        raise UserError(f"publish: nothing is sent: {'; '.join(reasons)}{others}")
