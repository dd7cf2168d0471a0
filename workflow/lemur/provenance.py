"""``<output>.prov.json``: how a file was made. Never a rule's input and never inside an output."""

import hashlib
import os
import platform
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lemur.files import canonical, sha256_of, write_json

ROOT = Path(__file__).resolve().parents[2]


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


def lock() -> dict[str, str] | None:
    """Name, variant and sha256 of the lock that the running environment was built from."""
    stamp = Path(sys.prefix) / "lock.stamp"
    if not stamp.exists():
        return None
    variant, sha256, *_ = stamp.read_text().split()
    return {"environment": Path(sys.prefix).name, "variant": variant, "sha256": sha256}


class Record:
    """Times a piece of work and writes one ``.prov.json`` beside each of its outputs."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")

    def write(
        self,
        outputs: Iterable[Path],
        inputs: Iterable[Path],
        spec: Any,
        recipe: str | None = None,
    ) -> None:
        """Inputs that are files are hashed; a missing one is left out (an optional input)."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        made = {
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "commit": commit(),
            "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
            "inputs": {str(path): sha256_of(path) for path in inputs if Path(path).is_file()},
            "lock": lock(),
            "peak_memory_mb": round(usage.ru_maxrss / 1024),
            "python": platform.python_version(),
            "recipe_digest": recipe,
            "seconds": round(time.monotonic() - self.began, 2),
            "spec": spec,
            "spec_digest": digest(spec),
            "started": self.started,
        }
        for output in outputs:
            if Path(output).is_file():
                made["output"] = {"path": str(output), "sha256": sha256_of(output)}
            write_json(Path(f"{output}.prov.json"), made)
