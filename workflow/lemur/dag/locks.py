"""What of an environment's lock decides whether its results are made again.

A lock pins every package, also those that touch no number: a patch of a tracker would ask for weeks
of training again. Where ``envs/<name>/numbers.in`` names the packages that bear on numbers, rules
depend on the releases of those alone; a change of any other keeps the results and is said once.
"""

import fnmatch
import hashlib
import re
from pathlib import Path

from lemur.core.files import canonical, write_text
from lemur.core.provenance import Record, record_of

# Where a run keeps the locks that its results were made with, by environment and digest.
KEPT = "locks"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]*?))?\s*\\?$", re.MULTILINE)


def path_of(root: Path, environment: str) -> Path:
    """The lock that an environment is built from: of the variant that stands built, else for a CPU."""
    stamp = root / ".envs" / environment / "lock.stamp"
    variant = stamp.read_text().split()[0] if stamp.exists() else "cpu"
    return root / "envs" / environment / f"{variant}.lock"


def packages(text: str) -> dict[str, list[str]]:
    """Releases by package of a lock's text, each with the marker that says where it is installed."""
    found: dict[str, list[str]] = {}
    for name, release, marker in _PINNED.findall(text):
        found.setdefault(name, []).append(f"{release} ; {marker.strip()}" if marker else release)
    return found


def bearing(lock: Path) -> list[str] | None:
    """Names, or patterns of names, of ``numbers.in`` beside a lock; None where every package counts."""
    path = lock.parent / "numbers.in"
    if not path.is_file():
        return None
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line]


def fingerprint(lock: Path, strict: bool = False) -> str:
    """What the rules of an environment depend on: sha256 of the whole lock where it is asked for or
    every package counts, else of the releases that bear on numbers."""
    patterns = None if strict else bearing(lock)
    if patterns is None:
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    return hashlib.sha256(canonical(_counted(lock.read_text(), patterns)).encode()).hexdigest()


def _counted(text: str, patterns: list[str]) -> dict[str, list[str]]:
    return {
        name: sorted(releases)
        for name, releases in packages(text).items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }


def differences(old: str, new: str) -> list[str]:
    """``name old -> new`` of every package whose releases differ between two locks' texts."""
    before, after = packages(old), packages(new)

    def shown(releases: list[str] | None) -> str:
        if not releases:
            return "absent"
        return "/".join(dict.fromkeys(release.split(" ;")[0] for release in releases))

    return [
        f"{name} {shown(before.get(name))} -> {shown(after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def drift(lock: Path, results: Path) -> str | None:
    """One line on what changed in a lock since this folder's results were made, where they stay.

    None where this lock was used here before, where it is the first, and where a package changed
    that bears on numbers, so that Snakemake itself says what runs again.
    """
    patterns, text = bearing(lock), lock.read_text()
    folder = results / KEPT / lock.parent.name
    earlier = {path.name: path.read_text() for path in sorted(folder.glob("*.lock"))}
    if patterns is None or text in earlier.values():
        return None
    counted = _counted(text, patterns)
    same = [old for old in earlier.values() if _counted(old, patterns) == counted]
    if not same:
        return None
    changed = min((differences(old, text) for old in same), key=len)
    listed = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    return (
        f"the lock of {lock.parent.name} changed where no number depends on it "
        f"({listed or 'files of the same releases'}): results are kept; "
        "--config strict_locks=true makes them again"
    )


def keep(lock: Path, results: Path, recipe: str | None = None) -> None:
    """Store a copy of a lock under ``results/locks/<environment>/``, by the digest that provenance
    records name, once. ``recipe``: digest of the recipe that used it first."""
    record, digest = Record(), hashlib.sha256(lock.read_bytes()).hexdigest()
    target = results / KEPT / lock.parent.name / f"{digest}.lock"
    if not (target.is_file() and record_of(target).is_file()):
        write_text(target, lock.read_text())
        record.write([target], [lock], {"environment": lock.parent.name}, recipe)
