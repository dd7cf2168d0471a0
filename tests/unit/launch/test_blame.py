"""Which rank is named, from what a launcher saw of its node."""

import pytest
from lemur.launch.blame import blame

TWO = ["4", "5"]


@pytest.mark.parametrize(
    ("names", "failures", "killed", "place", "said"),
    [
        (TWO, {1: -9}, set(), 1, "rank 5 was ended by SIGKILL (out of memory?); the other"),
        (TWO, {1: -11}, {0}, 1, "rank 5 was ended by SIGSEGV; the other ranks were ended"),
        # The one that misses another is never the reason, whichever was seen first.
        (TWO, {0: 76, 1: 1}, set(), 1, "rank 5 left with code 1; the other ranks were ended"),
        (TWO, {0: 76}, {1}, 1, "rank 5 did not answer the others and was killed"),
        (TWO, {1: 76, 0: 76}, set(), 1, "rank 5 lost a rank of another node"),
        # A user's mistake is one line already.
        (TWO, {1: 2, 0: 2}, set(), 1, None),
        ([None], {0: 1}, set(), 0, None),
        ([None], {0: -9}, set(), 0, "the process was ended by SIGKILL (out of memory?); the same"),
    ],
)
def test_the_reason(names, failures, killed, place, said):
    found, line = blame(names, failures, killed)
    assert found == place
    assert line is None if said is None else line.startswith(said)
    assert line is None or line.endswith("the same command continues from the last checkpoint")
