"""``<output>.prov.json``: how a file was made. Never a rule's input and never inside an output.

A folder that is an output (``model/``) has one ``model.prov.json`` beside it, with every file's hash.
"""

import hashlib
import platform
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lemur.core import energy, hardware
from lemur.core.contracts import part, write_file
from lemur.core.files import canonical, read_json, sha256_of, write_json
from lemur.core.record import Beside, JobRecord, Lock, Output

ROOT = Path(__file__).resolve().parents[3]


def digest(value: Any) -> str:
    """sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def commit() -> str | None:
    """The checkout's commit, with ``+changed`` where tracked files differ; None outside git."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        if head.returncode:
            return None
        dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True)
        return head.stdout.strip() + ("+changed" if dirty.stdout.strip() else "")
    except OSError:
        return None


def lock() -> Lock | None:
    """Name, variant and sha256 of the lock that the running environment was built from."""
    stamp = Path(sys.prefix) / "lock.stamp"
    if not stamp.exists():
        return None
    variant, sha256, *_ = stamp.read_text().split()
    return Lock(Path(sys.prefix).name, variant, sha256)


def record_of(path: Path | str) -> Path:
    """The ``.prov.json`` that stands, or would stand, beside ``path``."""
    return Path(f"{path}.prov.json")


def read_record(record: Path) -> JobRecord:
    """A ``.prov.json``, which may say more than is known here; UserError where it is damaged or none."""
    return part(JobRecord, read_json(record), str(record))


def hash_of(path: Path | str) -> str:
    """A file's sha256; the recorded one where size and time of change still are as recorded.

    Token files and weights are terabytes: they are hashed by the job that writes them, not again by
    each that reads them.
    """
    path, record = Path(path), record_of(path)
    if record.is_file():
        output, now = part(Beside, read_json(record), str(record)).output, path.stat()
        if (output.size, output.mtime_ns) == (now.st_size, now.st_mtime_ns) and output.sha256:
            return output.sha256
    return sha256_of(path)


def recipe_file(digest_: str | None) -> str | None:
    """``results/<recipe>/recipes/<digest>.json``, the resolved recipe of that digest, if it is kept."""
    found = sorted(Path("results").glob(f"*/recipes/{digest_[:16]}.json")) if digest_ else []
    return str(found[0]) if found else None


def keep_recipe(
    recipe: Mapping[str, Any], digest_: str, asked: Any = None, read: Iterable[Path] = ()
) -> None:
    """Store a resolved recipe by its digest, once: what ``.prov.json`` files point to.

    Its own record says what was ``asked`` for and the configuration ``read`` for it.
    """
    record, path = Record(), Path("results") / recipe["name"] / "recipes" / f"{digest_[:16]}.json"
    if not (path.is_file() and record_of(path).is_file()):
        write_json(path, recipe)
        record.write([path], read, asked, digest_)


def _published(folder: Path) -> dict[str, str]:
    """Hashes that were taken when a folder was written: of a model by DONE.json, of a download by
    manifest.json."""
    done, manifest = folder.parent / "DONE.json", folder.parent / "manifest.json"
    if done.is_file():
        return dict(read_json(done).get("files", {}))
    if manifest.is_file():
        files = read_json(manifest)["files"]
        return {file["path"].removeprefix(f"{folder.name}/"): file["sha256"] for file in files}
    return {}


def _described(output: Path) -> Output:
    if output.is_dir():
        known = _published(output)
        files = {
            path.relative_to(output).as_posix(): path
            for path in sorted(output.rglob("*"))
            if path.is_file()
        }
        hashes = {name: known.get(name) or sha256_of(path) for name, path in files.items()}
        return Output(str(output), files=hashes)
    now = output.stat()
    return Output(str(output), sha256_of(output), now.st_size, now.st_mtime_ns)


def _command() -> str:
    """The command as it is given in a checkout."""
    program = Path(sys.argv[0])
    installed = program.parent == Path(sys.prefix) / "bin"
    if program.is_absolute() and program.is_relative_to(ROOT):
        program = program.relative_to(ROOT)
    stamp = lock()
    start = ["workflow/env-run", stamp.environment, "python"] if stamp else ["python"]
    # Folders of this machine say nothing elsewhere, and an exported crate must not name them.
    given = [word.replace(f"{ROOT}/", "").replace(f"{Path.cwd()}/", "") for word in sys.argv[1:]]
    given = ["." if word == str(Path.cwd()) else word for word in given]
    called = [*start[:-1], program.name] if installed else [*start, str(program)]
    return shlex.join([*called, *given])


class Record:
    """Times a piece of work and writes one ``.prov.json`` beside each of its outputs."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.energy = energy.read()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")

    def write(
        self,
        outputs: Iterable[Path],
        inputs: Iterable[Path],
        spec: Any,
        recipe: str | None = None,
        log: str | None = None,
    ) -> None:
        """Inputs that are files are hashed; a missing one is left out (an optional input).

        Outputs are files or folders; one that was not made is left out.
        """
        # Of this process or of the largest that it started and waited for.
        peak = max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        # Of this process and of all that it started and waited for.
        spent = [
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        cpu_seconds = sum(usage.ru_utime + usage.ru_stime for usage in spent)
        written = [Path(output) for output in outputs if Path(output).exists()]
        made = JobRecord(
            command=_command(),
            commit=commit(),
            cpu_seconds=round(cpu_seconds, 2),
            energy=energy.used(self.energy, energy.read(), cpu_seconds),
            hardware=hardware.described(),
            inputs={str(path): hash_of(path) for path in inputs if Path(path).is_file()},
            lock=lock(),
            log=log,
            peak_memory_mb=round(peak / 1024),
            python=platform.python_version(),
            recipe=recipe_file(recipe),
            recipe_digest=recipe,
            seconds=round(time.monotonic() - self.began, 2),
            spec=spec,
            spec_digest=digest(spec),
            started=self.started,
            # Every output of the job knows the others: a chain names the job once.
            outputs=tuple(sorted(str(output) for output in written)),
            output=Output(),
        )
        for output in written:
            write_file(record_of(output), replace(made, output=_described(output)))
