"""Files of this machine as a source: which of them a path names, and their hashes.

``from: {path: ...}`` names a folder, a file or a glob. Nobody writes a pin for it by hand: the
hashes are taken when the files are first read. A file whose size and time of change are as they
were is not read again for its hash.
"""

import fnmatch
import glob
import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError, first_line
from lemur.core.files import read_json, sha256_of, write_json
from lemur.core.progress import Progress
from lemur.core.provenance import digest
from lemur.data.manifest import Download

# Endings by which the form of a source's files is told where its entry does not say it.
ENDINGS = {
    "jsonl": (".jsonl", ".jsonl.gz", ".jsonl.zst"),
    "parquet": (".parquet",),
    "archive": (
        ".zip",
        ".whl",
        ".tar",
        ".tgz",
        ".tar.gz",
        ".tar.bz2",
        ".tar.xz",
        ".tar.zst",
        ".deb",
    ),
}
# What a run writes into its working folder is no source of the same run.
WRITTEN = ("results", "resources", "logs", "benchmarks")
# What is left out of a folder, and how a line says it.
REASONS = {
    "link": "{} links (none is followed: name what they lead to)",
    "hidden": "{} hidden files and folders",
    "name": "{} files whose names are not UTF-8",
    "no_file": "{} that are no regular files",
    "written_here": "{} that runs wrote themselves",
    "not_chosen": "{} that include, exclude or format leave out",
}
LOCK = "local.lock.json"
CACHE = Path(".snakemake") / "hashes.json"
# A file that changed so recently, in seconds, may change again without another time of change.
SETTLED = 2.0


@dataclass(frozen=True)
class LocalFile:
    """One file: ``path`` below the listing's folder, with slashes; ``size`` in bytes."""

    path: str
    size: int
    changed_ns: int


@dataclass(frozen=True)
class Listing:
    """What a path names: files in the order of their paths, and how many others were left out."""

    folder: Path
    files: tuple[LocalFile, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def described(self) -> str:
        """What was left out, for a line to the user; empty where nothing was."""
        listed = [REASONS[why].format(f"{count:,}") for why, count in sorted(self.left_out.items())]
        return f"left out: {', '.join(listed)}" if listed else ""


def is_local(source: Mapping[str, Any] | None) -> bool:
    """Whether an entry's ``from`` names files of this machine (a file at a URL has a path too)."""
    return bool(source) and "path" in source and "url" not in source


def list_files(entry: Mapping[str, Any], where: str) -> Listing:
    """The files that ``entry["from"]["path"]`` names, by their metadata alone.

    ``entry`` may also have ``format``, ``include`` and ``exclude``. ``UserError`` begins with
    ``where`` and is one line: nothing is there, nothing matches, or a file may not be read.
    """
    path = str(entry["from"]["path"])
    try:
        folder, names, left_out = _named(Path(path), where)
        listing = _chosen(folder, names, left_out, entry)
    except OSError as error:
        raise UserError(f"{where}: from.path: {error.filename or path}: {error.strerror}") from None
    if not listing.files:
        more = f" ({listing.described()})" if listing.left_out else ""
        raise UserError(f"{where}: from.path: {path}: no file is there to be read{more}")
    closed = [file.path for file in listing.files if not os.access(folder / file.path, os.R_OK)]
    if closed:
        more = f" (and {len(closed) - 1:,} more)" if len(closed) > 1 else ""
        raise UserError(f"{where}: from.path: {folder / closed[0]}{more}: may not be read: change its mode, or leave it out by exclude")  # fmt: skip
    return listing


def _named(path: Path, where: str) -> tuple[Path, Iterable[str], Counter[str]]:
    """(folder, names below it, what was left out already) of a folder, a file or a glob."""
    left_out: Counter[str] = Counter()
    if path.is_dir():
        return path, _walk(path, left_out), left_out
    if path.is_file():
        return path.parent, [path.name], left_out
    if path.exists():
        raise UserError(f"{where}: from.path: {path}: neither a folder nor a regular file")
    plain = 0
    while plain < len(path.parts) and not glob.has_magic(path.parts[plain]):
        plain += 1
    folder = Path(*path.parts[:plain])
    if plain == len(path.parts):
        about = "a link that leads nowhere" if path.is_symlink() else "no such file or folder"
        raise UserError(f"{where}: from.path: {path}: {about}")
    if not folder.is_dir():
        raise UserError(f"{where}: from.path: {path}: no such folder {folder}")
    pattern = str(Path(*path.parts[plain:]))
    names = glob.iglob(pattern, root_dir=folder, recursive=True)
    return folder, (name for name in names if not (folder / name).is_dir()), left_out


def _walk(folder: Path, left_out: Counter[str]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise error

    own = {(Path.cwd() / name) for name in WRITTEN}
    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place)
        hidden = [name for name in (*folders, *files) if name.startswith(".")]
        links = [name for name in folders if (here / name).is_symlink()]
        written = [name for name in folders if here.resolve() / name in own]
        left_out.update(hidden=len(hidden), link=len(links), written_here=len(written))
        folders[:] = sorted({*folders}.difference(hidden, links, written))
        for name in files:
            if not name.startswith("."):
                yield (here / name).relative_to(folder).as_posix()


def _chosen(
    folder: Path, names: Iterable[str], left_out: Counter[str], entry: Mapping[str, Any]
) -> Listing:
    whole = folder.resolve()
    own = [Path.cwd() / name for name in WRITTEN]
    if any(whole.is_relative_to(place) for place in own):  # a model of this run, by its name
        own = []
    endings = ENDINGS.get(entry.get("format") or "", ())
    # Members of archives and rows have names of their own, which cleaning asks.
    by_name = (entry.get("format") or "files") == "files"
    include, exclude = (entry.get(key) if by_name else None for key in ("include", "exclude"))
    found = []
    for name in sorted(set(names)):
        path = folder / name
        follow = entry.get("follow_links", False)
        facts = path.stat() if follow and path.exists() else path.lstat()
        real = path.resolve()
        if stat.S_ISLNK(facts.st_mode) or (real != whole / name and not follow):
            left_out["link"] += 1
        elif not stat.S_ISREG(facts.st_mode):
            left_out["no_file"] += 1
        elif not _is_utf8(name):
            left_out["name"] += 1
        elif path.name == LOCK or any((whole / name).is_relative_to(place) for place in own):
            left_out["written_here"] += 1
        elif (
            (endings and not name.lower().endswith(endings))
            or (include and not _matches(name, include))
            or (exclude and _matches(name, exclude))
        ):
            left_out["not_chosen"] += 1
        else:
            found.append(LocalFile(name, facts.st_size, facts.st_mtime_ns))
    return Listing(folder, tuple(found), {why: count for why, count in left_out.items() if count})


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # the file system's bytes, as surrogates
        return False
    return True


def _matches(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in globs)


def form_of(listing: Listing, where: str) -> str:
    """``format`` of a source whose entry does not say it: jsonl, parquet or archive where all files
    end so, else files, each of which is a document."""
    counts = Counter(
        next((form for form, ends in ENDINGS.items() if file.path.lower().endswith(ends)), "files")
        for file in listing.files
    )
    if len(counts) == 1:
        return next(iter(counts))
    if "files" not in counts:
        listed = ", ".join(f"{count} {form}" for form, count in sorted(counts.items()))
        raise UserError(f"{where}: {listing.folder} holds files of several forms ({listed}): say `format`, or name one of them by a glob")  # fmt: skip
    return "files"


def take_hashes(listing: Listing, label: str, keep: bool = True) -> tuple[Download, ...]:
    """A listing's files with their hashes, in its order; paths are below its folder.

    A file that is as it was when its hash was taken is not read. Killed, it goes on where it was.
    ``keep=False`` writes nothing down: several jobs at a time may call it so.
    """
    known = _read_cache()
    asked = {file.path: [file.size, file.changed_ns] for file in listing.files}
    place = {file.path: str((listing.folder / file.path).absolute()) for file in listing.files}
    new = [
        file for file in listing.files if known.get(place[file.path], [])[:2] != asked[file.path]
    ]
    scale, unit = (1e6, "MB") if sum(file.size for file in new) >= 1e7 else (1e3, "kB")
    total = sum(file.size for file in new) / scale
    saved = time.monotonic()
    try:
        with Progress(f"hash {label}", total, unit) if total > 1e4 else _Silent() as progress:
            for file in new:
                sha256 = _hash(listing.folder / file.path)
                known[place[file.path]] = [*asked[file.path], sha256]
                progress.add(file.size / scale)
                if keep and time.monotonic() - saved > 10:
                    write_json(CACHE, _settled(known))
                    saved = time.monotonic()
    finally:
        if keep and new:
            write_json(CACHE, _settled(known))
    return tuple(
        Download(Path(file.path), known[place[file.path]][2], file.size) for file in listing.files
    )


class _Silent:
    """What takes no time says nothing."""

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, amount: float) -> None:
        pass


def _hash(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or first_line(error)}") from None


def _read_cache() -> dict[str, list[Any]]:
    try:
        return dict(read_json(CACHE))
    except (UserError, ValueError, TypeError):
        return {}


def _settled(known: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Without files that changed just now: their next change could have the same time."""
    latest = (time.time() - SETTLED) * 1e9
    return {path: facts for path, facts in known.items() if facts[1] <= latest}


def digests(files: Sequence[Download], parts: int) -> list[str]:
    """sha256 of what each part reads: part i takes the files i, i + parts, ..."""
    rows = [[str(file.path), file.sha256, file.size] for file in files]
    return [digest(rows[part::parts]) for part in range(parts)]
