"""Answers that one process has made to many benchmarks, taken over by each benchmark's own job.

Loading libraries and a model takes longer than many benchmarks do, so the first of a model's jobs
asks it all that the run is going to ask (``ask_planned``). Each benchmark keeps a job of its own,
which writes its ``generations.jsonl``: it copies what is ready, without loading anything, where
nothing that bears on a response has changed since; else it asks by itself. What was answered lies in the benchmark's
``responses/``, which no workflow engine deletes.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.evaluate.identity import identity
from lemur.files import read_json, replacing, sha256_of
from lemur.provenance import digest
from lemur.run_lock import RUN


@functools.cache
def _code() -> str:
    """Digest of what turns a benchmark's data into requests: this package and lm-eval's version."""
    package = Path(__file__).parent
    files = sorted(path for path in package.rglob("*") if path.suffix in (".py", ".yaml"))
    hashes = {path.relative_to(package).as_posix(): sha256_of(path) for path in files}
    return digest({"files": hashes, "lm-eval": version("lm_eval")})


def _key(spec: dict[str, Any], asked: str, data: Path) -> str:
    """Digest of everything that decides what a benchmark's generations are: ``asked`` is the model's
    identity; the data's own hashes stand in their manifest."""
    return digest({"spec": spec, "model": asked, "data": sha256_of(data), "code": _code()})


def _ready(out: Path) -> Path:
    return out.parent / "responses" / "ready"


def keep(key: str, out: Path, made: bytes) -> None:
    """Keep ``made``, the bytes of generations, for the job that writes ``out``."""
    head = {"key": key, "sha256": hashlib.sha256(made).hexdigest()}
    with replacing(_ready(out)) as temporary:
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + made)


def _kept(key: str, out: Path) -> bytes | None:
    """The bytes that ``keep`` was given with this ``key``; None where others or none are there."""
    try:
        head, _, made = _ready(out).read_bytes().partition(b"\n")
        found = json.loads(head)
        whole = found["sha256"] == hashlib.sha256(made).hexdigest()
        return made if whole and found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def take(spec: Any, model: Path, data: Path, out: Path) -> bool:
    """Write ``out`` from what is ready; False where nothing is that belongs to these settings."""
    if not isinstance(spec, dict) or not _ready(out).is_file():
        return False
    try:
        made = _kept(_key(spec, identity(spec, model), data), out)
    except (OSError, UserError):
        return False  # whoever asks says what is wrong
    if made is None:
        return False
    with replacing(out) as temporary:
        temporary.write_bytes(made)
    return True


@contextlib.contextmanager
def turn(planned: Path) -> Iterator[None]:
    """Hold the right to ask the model that ``planned`` is about: one job of a run at a time."""
    place = planned.with_suffix(".lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ask_planned(planned: Path, model: Path) -> None:
    """Ask one model all that this run is going to ask it, in this process, and keep the answers.

    ``planned`` is what the run wrote down when it began; another run's is passed over. A benchmark
    whose data are not there yet, or are wrong, is left to its own job, which says so. What is ready
    is not asked again.
    """
    if not planned.is_file():
        return
    run = read_json(planned)
    if run["run"] != os.environ.get(RUN):
        return
    loaded: dict[Any, Any] = {}
    known = identity(run["benchmarks"][0]["spec"], model)
    for given in run["benchmarks"]:
        spec, data, out = given["spec"], Path(given["data"]), Path(given["out"])
        if not data.is_file():
            continue
        key = _key(spec, known, data)
        if _kept(key, out) is not None:
            continue
        # Only now: where everything is ready no library is loaded.
        from lemur.evaluate.generation import ask, prepared

        try:
            keep(key, out, ask(spec, prepared(spec, data), model, known, out, loaded))
        except UserError as error:
            name = spec["benchmark"]
            print(f"warning: {name}: left to its own job: {error}", file=sys.stderr, flush=True)
