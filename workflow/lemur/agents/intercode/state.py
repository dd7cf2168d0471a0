"""What an episode's root folder holds between its actions, and what ``git status`` would say of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("folder", "file", "link", "same", "pipe")
# The original's .gitignore: names at any depth.
IGNORED = frozenset(
    ("bin", "boot", "dev", "etc", "home", "lib", "media", "opt", "proc", "root", "run", "sbin")
    + ("srv", "sys", "usr", "var", ".dockerenv")
)


@dataclass(frozen=True)
class Entry:
    """One file. ``target``: of a link, or the path of the ``same`` file; ``mtime`` in nanoseconds."""

    kind: str
    mode: int
    mtime: int
    data: bytes = b""
    target: str = ""


State = Mapping[str, Entry]  # by path without a leading slash, folders before what they hold


def header(state: State) -> list[dict[str, Any]]:
    """JSON of ``state`` without the contents of files, which follow in the same order."""
    made = []
    for path, entry in state.items():
        item = {"path": path, "kind": entry.kind, "mode": entry.mode, "mtime": entry.mtime}
        if entry.kind == "file":
            item["size"] = len(entry.data)
        if entry.kind in ("link", "same"):
            item["target"] = entry.target
        made.append(item)
    return made


def read(entries: Any, data: bytes) -> dict[str, Entry]:
    """The state that :func:`header` and contents describe. ValueError for anything else: it comes
    from where a model's commands ran."""
    state: dict[str, Entry] = {}
    start = 0
    try:
        for item in entries:
            path, kind, target = item["path"], item["kind"], item.get("target", "")
            parts = path.split("/")
            if kind not in KINDS or ".." in parts or "." in parts or "" in parts or path in state:
                raise ValueError(f"no entry: {path!r}")
            size = int(item["size"]) if kind == "file" else 0
            if not 0 <= size <= len(data) - start or not isinstance(target, str):
                raise ValueError(f"no entry: {path!r}")
            content = data[start : start + size]
            start += size
            state[path] = Entry(
                kind, int(item["mode"]) & 0o7777, int(item["mtime"]), content, target
            )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no state: {error}") from None
    return state


def resolved(state: State, path: str) -> Entry:
    """The entry at ``path``; of two names of one file, the one that has its bytes."""
    entry = state[path]
    if entry.kind == "same" and entry.target in state:
        first = state[entry.target]
        return Entry(first.kind, first.mode, first.mtime, first.data, first.target)
    return entry


def tracked(state: State) -> dict[str, Entry]:
    """The files that git would follow: no folders or pipes, and nothing that is ignored."""
    return {
        path: resolved(state, path)
        for path, entry in state.items()
        if entry.kind in ("file", "link", "same") and IGNORED.isdisjoint(path.split("/"))
    }


def differs(first: Entry, second: Entry) -> bool:
    """Whether git would say that a file has changed."""
    executable = (first.mode ^ second.mode) & 0o100 if first.kind != "link" else 0
    return bool(executable) or (first.kind, first.data, first.target) != (
        second.kind,
        second.data,
        second.target,
    )


def status(before: State, after: State) -> str:
    """``git status --short`` where ``before`` is what was committed: changed and deleted files, then
    untracked ones, a folder without tracked files as one line."""
    return "".join(f"{code} {_quoted(path)}\n" for code, path in _changes(before, after))


def _changes(before: State, after: State) -> Iterator[tuple[str, str]]:
    known, now = tracked(before), tracked(after)
    for path in sorted(known):
        if path not in now:
            yield " D", path
        elif known[path].kind != now[path].kind:
            yield " T", path
        elif differs(known[path], now[path]):
            yield " M", path
    folders = {
        "/".join(path.split("/")[:depth]) for path in known for depth in range(path.count("/") + 1)
    }
    shown = set()
    for path in sorted(now.keys() - known.keys()):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                path = folder + "/"
                break
        shown.add(path)
    for path in sorted(shown):
        yield "??", path


def _quoted(path: str) -> str:
    """A path as git writes it: in quotes where it holds blanks or what is not printable ASCII."""
    if re.fullmatch(r"[!#-\[\]-~]+", path):
        return path
    made = ""
    for byte in path.encode("utf-8", "surrogateescape"):
        letter = chr(byte)
        made += (
            f"\\{letter}" if letter in '"\\' else letter if 32 <= byte < 127 else f"\\{byte:03o}"
        )
    return f'"{made}"'
