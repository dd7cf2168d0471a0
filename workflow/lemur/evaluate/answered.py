"""Answers that one process has made to many benchmarks, taken over by each benchmark's own job.

Loading libraries and a model takes longer than many benchmarks do, so a model is loaded once and
asked all of them (``ask_all``). Each benchmark keeps a job of its own, which writes its
``generations.jsonl``: it copies what is ready, without loading anything, where nothing that bears on
a response has changed since; else it asks by itself. What was answered lies in the benchmark's
``responses/``, which no workflow engine deletes.
"""

import functools
import hashlib
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lemur.config.scoring import ONLY
from lemur.errors import UserError
from lemur.files import read_json, replacing, sha256_of, write_json
from lemur.provenance import digest


def model_digest(folder: Path | str) -> str:
    """Digest of a model folder: of the hashes in DONE.json beside it, else of its files."""
    folder = Path(folder)
    done = folder.parent / "DONE.json"
    if done.is_file():
        files = read_json(done).get("files")
        if isinstance(files, dict) and files:
            return digest(files)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder")
    return digest({path.name: sha256_of(path) for path in folder.iterdir() if path.is_file()})


@functools.cache
def _code() -> str:
    """Digest of what turns a benchmark's data into requests: this package and lm-eval's version."""
    package = Path(__file__).parent
    files = sorted(path for path in package.rglob("*") if path.suffix in (".py", ".yaml"))
    hashes = {path.relative_to(package).as_posix(): sha256_of(path) for path in files}
    return digest({"files": hashes, "lm-eval": version("lm_eval")})


def identity(spec: dict[str, Any], model: Path) -> str:
    """What tells the model that is asked from others: its digest, or the name that it is served by."""
    served = (spec.get("backend") or {}).get("served")
    return f"served: {served}" if served else model_digest(model)


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


def ask_all(spec: dict[str, Any], model: Path, data: list[Path], out: Path) -> None:
    """Ask one model the benchmarks of ``spec``, whose data stand in the same order, in this process;
    then write ``out``, which names them.

    A benchmark whose data or settings are wrong is left to its own job, which says so. What an
    earlier run has answered is not asked again.
    """
    listed = spec.get("benchmarks") if isinstance(spec, dict) else None
    if not isinstance(listed, list) or len(listed) != len(data):
        raise UserError(
            "--spec: 'benchmarks' must be a list with as many items as --data has files"
        )
    only = os.environ.get(ONLY, "").split()
    loaded: dict[Any, Any] = {}
    known: str | None = None
    asked, left = [], []
    for given, source in zip(listed, data, strict=True):
        name = given["benchmark"]
        if only and f"{spec['model']}/{name}" not in only:
            continue
        known = identity(given, model) if known is None else known
        place = out.parent / name / "generations.jsonl"
        key = _key(given, known, source)
        if _kept(key, place) is None:
            # Only now: where everything is ready no library is loaded.
            from lemur.evaluate.generation import ask, prepared

            try:
                bench = prepared(given, source)
            except UserError as error:
                print(f"warning: {name}: left to its own job: {error}", file=sys.stderr, flush=True)
                left.append(name)
                continue
            keep(key, place, ask(given, bench, model, known, place, loaded))
        asked.append(name)
    write_json(out, {"asked": asked, "left": left})
