"""The sandbox, and how long an example may take: as long as a busy machine makes it, since time is
no property of a function."""

import contextlib

import pytest

with contextlib.suppress(ImportError):  # not every environment has hypothesis
    from hypothesis import settings

    settings.register_profile("lemur", deadline=None)
    settings.load_profile("lemur")


@pytest.fixture(scope="session")
def sandbox():
    """The sandbox of this machine, or a skip that says why there is none."""
    from lemur.sandbox.probe import probe
    from lemur.sandbox.types import Absent

    found = probe()
    if isinstance(found, Absent):
        pytest.skip(f"sandbox: {found.reason}")
    return found
