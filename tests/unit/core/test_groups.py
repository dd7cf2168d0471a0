"""The groups of `make test`: every folder of tests is of one, and every folder named is there."""

from pathlib import Path

import run
from lemur.core.provenance import ROOT


def test_every_test_is_of_one_group():
    named = [Path(folder) for _, folders in run.GROUPS.values() for folder in folders]
    tests = ROOT / "tests"
    assert sorted(named) == sorted(
        {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    )
