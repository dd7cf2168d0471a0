"""Which changes of a lock ask for results again, and what is said of those that do not."""

import fnmatch
import re

import pytest
from lemur.core.provenance import ROOT
from lemur.dag import locks

LOCK = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:bb
torch==2.13.0+cpu
wandb==0.31.0 \\
    --hash=sha256:cc
"""
NUMBERED = sorted(path.parent for path in (ROOT / "envs").glob("*/numbers.in"))
# What a project's file asks for beside what bears on numbers: trackers, checks of input, tests, clients
# whose downloads are verified by hash.
ADVISORY = {
    "tensorboard", "wandb", "psutil", "ninja", "jsonschema", "pyyaml", "pytest", "pytest-timeout",
    "hypothesis", "requests", "huggingface-hub", "pypi-simple", "packageurl-python",
}  # fmt: skip


@pytest.fixture
def lock(tmp_path):
    folder = tmp_path / "envs" / "train"
    folder.mkdir(parents=True)
    (folder / "numbers.in").write_text("# These decide.\ntorch\nnum*  # arrays\n")
    (folder / "cpu.lock").write_text(LOCK)
    return folder / "cpu.lock"


def changed(lock, old, new):
    text = lock.read_text()
    assert old in text
    lock.write_text(text.replace(old, new))
    return lock


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("wandb==0.31.0", "wandb==0.32.0", True),
        ("wandb==0.31.0", "click==8.0\nwandb==0.31.0", True),
        ("sha256:bb", "sha256:dd", True),
        ("torch==2.13.0+cpu", "torch==2.13.1+cpu", False),
        ("numpy==2.5.5", "numpy==2.5.6", False),
        (">= '3.12'", ">= '3.13'", False),
        ("torch==2.13.0+cpu\n", "", False),
    ],
)
def test_only_what_bears_on_numbers_changes_the_fingerprint(lock, old, new, same):
    before, strict = locks.fingerprint(lock), locks.fingerprint(lock, strict=True)
    changed(lock, old, new)
    assert (locks.fingerprint(lock) == before) == same
    assert locks.fingerprint(lock, strict=True) != strict


def test_without_a_list_every_package_counts(lock):
    (lock.parent / "numbers.in").unlink()
    before = locks.fingerprint(lock)
    assert locks.fingerprint(changed(lock, "0.31.0", "0.32.0")) != before


def test_a_drift_is_named_until_its_lock_has_been_used(lock, tmp_path):
    results = tmp_path / "results"
    assert locks.drift(lock, results) is None
    locks.keep(lock, results)
    assert locks.drift(lock, results) is None
    changed(lock, "wandb==0.31.0", "wandb==0.32.0")
    line = locks.drift(lock, results)
    assert line.startswith("the lock of train changed") and "(wandb 0.31.0 -> 0.32.0)" in line
    locks.keep(lock, results)
    assert locks.drift(lock, results) is None
    changed(lock, "torch==2.13.0", "torch==2.14.0")
    assert locks.drift(lock, results) is None


def test_many_drifts_are_one_line(lock, tmp_path):
    locks.keep(lock, tmp_path)
    lock.write_text(LOCK + "".join(f"p{number}==1\n" for number in range(9)))
    line = locks.drift(lock, tmp_path)
    assert "p0 absent -> 1" in line and "and 4 more" in line and "\n" not in line


@pytest.mark.parametrize("folder", NUMBERED, ids=lambda folder: folder.name)
def test_the_lists_are_of_packages_that_their_locks_hold(folder):
    held = {name for lock in folder.glob("*.lock") for name in locks.packages(lock.read_text())}
    patterns = locks.bearing(folder / "cpu.lock")
    assert [p for p in patterns if not fnmatch.filter(held, p)] == []
    asked = "\n".join(path.read_text() for path in sorted(folder.glob("*.in")) if path.name != "numbers.in")  # fmt: skip
    direct = set(re.findall(r"^([a-z0-9-]+)", asked, re.MULTILINE)) - ADVISORY
    undecided = {n for n in direct if not any(fnmatch.fnmatchcase(n, p) for p in patterns)}
    assert not undecided, "say in numbers.in, or in ADVISORY here, whether numbers depend on it"


def test_every_line_of_the_locks_is_read():
    for lock in sorted((ROOT / "envs").glob("*/*.lock")):
        pinned = sum(1 for line in lock.read_text().splitlines() if re.match(r"[A-Za-z0-9]\S*==", line))  # fmt: skip
        assert sum(map(len, locks.packages(lock.read_text()).values())) == pinned, lock
