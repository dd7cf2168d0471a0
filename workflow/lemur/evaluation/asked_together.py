"""All benchmarks that a run asks a model, asked in as few processes as run at a time.

Loading libraries and a model takes longer than many benchmarks do. Each benchmark has a job of its
own, which writes its ``generations.jsonl``; but a job that has loaded the model goes on with the
benchmarks of the same run that no other job has begun, and keeps their answers in their
``responses/ready``. Their own jobs copy what is ready without loading anything, where nothing that
bears on a response has changed since.

A run with one job at a time so loads each model once; with n at a time n do, and none of them waits
while there is something left to ask.
"""

import contextlib
import functools
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lemur.core import contracts, run_lock
from lemur.core.errors import UserError
from lemur.core.files import read_json, replacing, sha256_of
from lemur.core.lock import try_lock
from lemur.core.log import logger
from lemur.core.provenance import digest
from lemur.evaluation import judged_early
from lemur.evaluation.identity import identity
from lemur.evaluation.spec import BenchmarkSpec

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark that a model is asked: its stage's ``spec``, the ``data`` (manifest.json of the
    download, or a held-out .jsonl) and ``out``, the generations.jsonl of its own job."""

    spec: BenchmarkSpec
    data: Path
    out: Path

    @property
    def ready(self) -> Path:
        """Where the answers lie; a folder that no workflow engine deletes."""
        return self.out.parent / "responses" / "ready"


@functools.cache
def _code(folder: Path) -> str:
    """Digest of the code and definitions in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".yaml"))
    return digest({path.relative_to(folder).as_posix(): sha256_of(path) for path in files})


def asks(spec: BenchmarkSpec) -> dict[str, str]:
    """What turns a benchmark's data into requests and answers: two packages of this one, the benchmark's
    own folder where it lies outside, and lm-eval's version."""
    own = {"own": _code(Path(spec.path))} if spec.path else {}
    code = {name: _code(PACKAGE / name) for name in ("evaluation", "inference")}
    return {**code, "lm-eval": version("lm_eval"), **own}


def _key(benchmark: Benchmark, model_sha256: str) -> str:
    """Digest of everything that decides what a benchmark's generations are; the hashes of its data
    stand in their manifest."""
    data, spec = sha256_of(benchmark.data), contracts.plain(benchmark.spec)
    code = asks(benchmark.spec)
    return digest({"spec": spec, "model": model_sha256, "data": data, "code": code})


def store_ready(key: str, benchmark: Benchmark, made: bytes) -> None:
    """Keep ``made``, the bytes of generations, for the benchmark's own job."""
    head = {"key": key, "sha256": hashlib.sha256(made).hexdigest()}
    with replacing(benchmark.ready) as temporary:
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + made)


def read_ready(key: str, benchmark: Benchmark) -> bytes | None:
    """The bytes that were stored with this ``key``; None where others, damaged ones or none are."""
    try:
        head, _, made = benchmark.ready.read_bytes().partition(b"\n")
        found = json.loads(head)
        whole = found["sha256"] == hashlib.sha256(made).hexdigest()
        return made if whole and found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_planned(planned: Path | None) -> list[Benchmark]:
    """What the run that started this job asks the model; nothing where another run wrote that down."""
    if planned is None or not planned.is_file():
        return []
    run = read_json(planned)
    if run["run"] != run_lock.started_by():
        return []
    found = []
    for given in run["benchmarks"]:
        try:
            spec = BenchmarkSpec.parse(given["spec"])
            found.append(Benchmark(spec, Path(given["data"]), Path(given["out"])))
        except UserError as error:
            _left(given["spec"]["benchmark"], error)
    return found


def _left(name: str, error: UserError) -> None:
    logger.warning(f"warning: {name}: left to its own job: {error}")


class _Turns:
    """Which job of this run asks which benchmark: a lock for each, beside ``planned``."""

    def __init__(self, planned: Path):
        self.folder = planned.with_suffix("")
        self.folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def hold(self, benchmark: Benchmark, own: bool, wait: bool = False) -> Iterator[bool]:
        """Whether this job asks the benchmark now: no other job does, and, unless it is this job's
        ``own``, none has tried in this run, so that what fails is tried by its own job alone."""
        name = benchmark.spec.benchmark
        with open(self.folder / f"{name}.lock", "a+", encoding="utf-8") as file:
            free = try_lock(file)
            if not free and wait:
                logger.info(f"{name}: waiting for the job that asks it")
                while not (free := try_lock(file)):
                    time.sleep(0.2)
            file.seek(0)
            run = str(run_lock.started_by())
            if free and not own:
                free = file.read() != run
            if free:
                file.truncate(0)
                file.write(run)
                file.flush()
            yield free


def answer(benchmark: Benchmark, model: Path, planned: Path | None = None) -> None:
    """Write ``benchmark.out``, and ask ``model`` in the same process what the run has ``planned`` for
    it and no other job has begun.

    What an earlier run has recorded with the same settings is not asked again; nothing that was
    generated is lost when this is killed.

    Raises:
        UserError: the settings, the data or the model of ``benchmark`` are not right. Another
            benchmark's mistake is a warning here, and its own job's error.
    """
    model_sha256 = identity(benchmark.spec.backend.served, model)
    key = _key(benchmark, model_sha256)
    others = [other for other in read_planned(planned) if other.out != benchmark.out]
    loaded: dict[Any, Any] = {}

    def ask(asked: Benchmark, asked_key: str) -> None:
        """Ask what is not ready; only then a library of the models is loaded."""
        if read_ready(asked_key, asked) is None:
            from lemur.evaluation import generation, judging
            from lemur.evaluation.tasks import Bench

            bench = Bench(asked.spec, asked.data)
            made = generation.ask(asked.spec, bench, model, model_sha256, asked.out, loaded)
            store_ready(asked_key, asked, made)
            if bench.definition.coded is not None:
                code = asks(asked.spec)
                judged_early.store(asked.spec, made, asked.out, asked.data, code, judging.run)

    if read_ready(key, benchmark) is None:
        if planned is None or not others:
            ask(benchmark, key)
        else:
            turns = _Turns(planned)
            with turns.hold(benchmark, own=True) as free:
                if free:
                    ask(benchmark, key)
            for other in others:
                with turns.hold(other, own=False) as mine:
                    if mine and other.data.is_file():
                        try:
                            ask(other, _key(other, model_sha256))
                        except UserError as error:
                            _left(other.spec.benchmark, error)
            if not free:
                with turns.hold(benchmark, own=True, wait=True):
                    ask(benchmark, key)
    made = read_ready(key, benchmark)
    assert made is not None
    with replacing(benchmark.out) as temporary:
        temporary.write_bytes(made)
