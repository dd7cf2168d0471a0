"""The sandbox of this machine, or a skip that says why there is none."""

import pytest
from lemur.sandbox.probe import Absent, probe


@pytest.fixture(scope="session")
def sandbox():
    found = probe()
    if isinstance(found, Absent):
        pytest.skip(f"sandbox: {found.reason}")
    return found
