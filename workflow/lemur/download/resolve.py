"""Look up what the hub holds now and write it down: revisions, files, sizes and hashes.

A revision goes into its place in config/{sources,models,benchmarks}.yaml, where nothing else of the
text changes; the files go into config/hub.lock.json. What is pinned stays pinned. Where ``from``
says ``minimum: true`` a newer revision is told of and recorded, since the set's terms ask for it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lemur.config import load, recipe
from lemur.core.errors import UserError, nearest
from lemur.core.files import write_text
from lemur.core.log import logger
from lemur.core.progress import Progress
from lemur.download import hub_lock, huggingface

CATALOGUES = ("sources", "models", "benchmarks")
UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Entry:
    """One hub source: ``kind`` is its catalogue, ``source`` its ``from``."""

    kind: str
    name: str
    source: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def path(self) -> tuple[str, ...]:
        """Where its ``from`` stands in the catalogue's file."""
        middle = ("data",) if self.kind == "benchmarks" else ()
        return (self.kind, self.name, *middle, "from")


def entries() -> list[Entry]:
    """Every entry of the three catalogues that the hub holds."""
    found = []
    for kind in CATALOGUES:
        for name, value in load.catalogue(kind).items():
            source = (value.get("data", {}) if kind == "benchmarks" else value).get("from", {})
            if "hub" in source:
                found.append(Entry(kind, name, source))
    return found


def chosen(corpus: str | None, recipe_name: str | None, names: Iterable[str]) -> list[Entry]:
    """Those of a corpus, of a recipe or of these names; all without any. ``UserError`` otherwise."""
    every = entries()
    wanted: set[str] = set()
    if corpus:
        wanted |= {f"sources/{item['name']}" for item in load.corpus(corpus)["sources"]}
    if recipe_name:
        made = recipe.resolve(recipe_name)
        listed = [*made["corpus"]["sources"], *made["sft"]["sources"]]
        wanted |= {f"sources/{item['name']}" for item in listed} | {
            f"models/{made['base']['name']}"
        }
        wanted |= {f"benchmarks/{item['name']}" for item in made["evaluate"]["benchmarks"]}
    known = {entry.name for entry in every}
    for name in names:
        if name not in known:
            raise UserError(f"--only {name}: no hub source of that name{nearest(name, known)}")
        wanted |= {entry.key for entry in every if entry.name == name}
    return [entry for entry in every if entry.key in wanted] if corpus or recipe_name or wanted else every  # fmt: skip


def look_up(entry: Entry, update: bool) -> dict[str, Any]:
    """The lock's entry: the pinned revision, or the newest where none is or ``update`` is asked."""
    source = entry.source
    newest = huggingface.newest(source, entry.name)
    pinned = source["revision"]
    revision = newest if update or pinned == UNRESOLVED else pinned
    files = huggingface.listed(source, revision, entry.name)
    huggingface.held(source, files, entry.name)
    return {
        "hub": source["hub"],
        "repo_type": source["repo_type"],
        "revision": revision,
        "newest": newest,
        "globs": source["files"],
        "bytes": sum(file["size"] for file in files),
        "files": files,
    }


def with_revisions(text: str, revisions: dict[tuple[str, ...], str]) -> str:
    """A YAML text with ``revision`` replaced under each path; every other character stays."""
    found: list[tuple[int, int, str]] = []
    root = yaml.compose(text, yaml.SafeLoader)
    for path, revision in revisions.items():
        node: Any = root
        for key in (*path, "revision"):
            node = next(value for name, value in node.value if name.value == key)
        found.append((node.start_mark.index, node.end_mark.index, revision))
    for start, end, revision in sorted(set(found), reverse=True):  # an alias is its anchor
        text = text[:start] + revision + text[end:]
    return text


def run(
    listed: list[Entry],
    write: bool,
    update: bool,
    lock_path: Path | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Look every entry up, print a line each, and with ``write`` write all that was found.

    One that cannot be looked up (gated, gone, unreachable) is a warning; ``UserError`` at the end
    names how many. What was found is written all the same, and a second run changes nothing.
    """
    lock_path = lock_path or hub_lock.PATH
    made: hub_lock.Lock = {}
    failed = 0
    with Progress("resolve", len(listed), "sources") as progress:
        for entry in listed:
            try:
                made[entry.key] = found = look_up(entry, update)
            except UserError as error:
                failed += 1
                logger.warning(f"warning: {entry.key}: {error}")
            else:
                say(_line(entry, found))
                _warn(entry, found)
            progress.add(1)
    if write and made:
        _write(listed, made, lock_path)
    if failed:
        raise UserError(
            f"{failed} of {len(listed)} could not be looked up (above)"
            f"{', the others are written' if write and made else ''}: the same command tries again"
        )


def _line(entry: Entry, found: dict[str, Any]) -> str:
    was = entry.source["revision"]
    change = "as pinned" if was == found["revision"] else f"was {was[:12]}"
    size = f"{len(found['files']):,} files, {found['bytes'] / 1e9:,.3f} GB"
    return f"{entry.key}: {found['hub']} {found['revision']} ({change}), {size}"


def _warn(entry: Entry, found: dict[str, Any]) -> None:
    if found["newest"] == found["revision"]:
        return
    if entry.source.get("minimum"):
        line = "its terms ask for the newest usable one: resolve.py --update --write takes it"
    else:
        line = "resolve.py --update --write takes it"
    logger.warning(
        f"warning: {entry.key}: a newer revision, {found['newest']}, stands on the hub; {line}"
    )


def _write(listed: list[Entry], made: hub_lock.Lock, lock_path: Path) -> None:
    """The lock first: a revision in the catalogue is one whose files are known."""
    before = hub_lock.read(lock_path)
    after = {**before, **made}
    if after != before:
        hub_lock.write(lock_path, after)
    for kind in CATALOGUES:
        path = load.CONFIG / f"{kind}.yaml"
        text = path.read_text(encoding="utf-8")
        revisions = {
            entry.path: made[entry.key]["revision"]
            for entry in listed
            if entry.kind == kind and entry.key in made
        }
        changed = with_revisions(text, revisions)
        if changed != text:
            write_text(path, changed)
