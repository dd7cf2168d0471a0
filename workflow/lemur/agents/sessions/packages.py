"""Packages of an environment of ``envs/`` that only the sandbox imports."""

import functools
import sys
from pathlib import Path

from lemur.core.provenance import ROOT
from lemur.sandbox.policy import Root

# A library's pool of threads would cost what the episodes beside it need.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def find_packages(environment: str, module: str) -> Path | None:
    """Where they lie, if they are built for the interpreter that runs; ``module`` is one of them."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = ROOT / ".envs" / environment / "lib" / name / "site-packages"
    return path if (path / module).is_dir() else None


@functools.cache
def mount_packages(path: Path) -> Root:
    """What the sandbox holds beside Python: the packages at ``/site``, read-only."""
    return Root(paths=((str(path), "/site"),), environment=tuple((name, "1") for name in THREADS))
