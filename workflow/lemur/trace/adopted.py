"""Results that were made elsewhere and taken over (`snakemake adopt`): no rule makes them again.

``results/adopted.json`` lists their files. A rule whose outputs may be among them is not applied to
those, so that they are files like any that a person put there, whatever their inputs do. A file
that is removed is no longer adopted, and its rule makes it as ever.
"""

import os.path
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import read_json

# What `as=` may say.
STAGES = ("pretrain", "sft", "tokens/<source>/part-<i>-of-<P>", "evaluate/<model>/<benchmark>")
REGISTRY = Path("results") / "adopted.json"


@dataclass(frozen=True)
class Adopted:
    """``given`` is the path that a file was taken over from, ``by`` whoever did it."""

    given: str = field(metadata={"key": "from"})
    by: str


def listed(registry: Path = REGISTRY) -> dict[str, Adopted]:
    """What is adopted, by file. Files that are gone are left out."""
    if not registry.is_file():
        return {}
    found = read_json(registry)
    if not isinstance(found, dict):
        raise UserError(f"{registry}: not a mapping of files")
    return {
        path: contracts.read(Adopted, about, f"{registry}: {path}")
        for path, about in found.items()
        if Path(path).is_file()
    }


def add(files: list[str], about: Adopted, registry: Path = REGISTRY) -> None:
    """Have ``files`` taken as they are from now on."""
    contracts.write_file(registry, {**listed(registry), **dict.fromkeys(files, about)})


def passed_over(files: Mapping[str, Adopted], below: str) -> str:
    """The beginning of a wildcard's pattern that lets it match no adopted file below a folder.

    The wildcard has to be the first of its rule's outputs, right after ``below``.
    """
    own = [path.removeprefix(f"{below}/") for path in files if path.startswith(f"{below}/")]
    return f"(?!(?:{'|'.join(map(re.escape, sorted(own)))})$)" if own else ""


def check_targets(targets: Iterable[str], files: Mapping[str, Adopted]) -> None:
    """UserError where one of ``targets`` is an adopted file: Snakemake would say that nothing makes it."""
    for target in targets:
        if (path := os.path.normpath(target)) in files:
            about = files[path]
            raise UserError(
                f"{path}: adopted from {about.given} by {about.by}: it is there and no rule makes it: "
                "ask for what follows from it, or remove the file to have it made"
            )
