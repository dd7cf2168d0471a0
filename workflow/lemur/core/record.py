"""What a ``.prov.json`` says: how a job ran that wrote the file beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lemur.core.contracts import optional
from lemur.core.energy import Energy
from lemur.core.hardware import Hardware


@dataclass(frozen=True)
class Lock:
    """The lock that a job's environment was built from."""

    environment: str
    variant: str
    sha256: str
    """Of the lock's file, in hexadecimal digits."""


@dataclass(frozen=True)
class Output:
    """The file, or the folder, that the record stands beside."""

    path: str = ""
    sha256: str | None = optional()
    """Of a file, in hexadecimal digits."""
    size: int | None = optional()
    """Bytes of a file."""
    mtime_ns: int | None = optional()
    """When a file was changed last, in nanoseconds: what is as old as this has still that hash."""
    files: Mapping[str, str] | None = optional()
    """Of a folder: sha256 by path inside it."""


@dataclass(frozen=True)
class Beside:
    """Of a record only what it stands beside."""

    output: Output = Output()


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One job, beside each of its outputs."""

    command: str
    """As it is given in a checkout."""
    started: str
    """In UTC, to the second (ISO 8601)."""
    seconds: float
    inputs: Mapping[str, str]
    """sha256 by path, when they were read."""
    output: Output
    outputs: tuple[str, ...] = ()
    """Paths of all that the job wrote."""
    spec: Any = None
    """The stage's settings, as its script was given them."""
    spec_digest: str | None = None
    recipe: str | None = None
    """Where the resolved recipe is kept."""
    recipe_digest: str | None = None
    """sha256 of its canonical JSON."""
    commit: str | None = None
    """Of the checkout, with ``+changed`` where tracked files differed."""
    lock: Lock | None = None
    hardware: Hardware = field(default_factory=Hardware)
    cpu_seconds: float | None = None
    """Of the process and all that it waited for."""
    energy: Energy | None = None
    peak_memory_mb: int | None = None
    """Of the largest process."""
    python: str | None = None
    log: str | None = None
