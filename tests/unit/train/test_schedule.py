"""The learning rate: exact at its corners, and within bounds everywhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.train.schedule import learning_rate, warmup_steps


def test_corners():
    def rate(step: int, name: str) -> float:
        return learning_rate(step, 110, 2.0, name, warmup=10 / 110, final=0.1)

    assert rate(0, "cosine") == pytest.approx(0.2)
    assert rate(9, "cosine") == pytest.approx(2.0)
    assert rate(10, "cosine") == pytest.approx(2.0)
    assert rate(60, "cosine") == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate(60, "linear") == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate(35, "linear") == pytest.approx(2.0 * (0.1 + 0.9 * 0.75))
    assert rate(35, "cosine") == pytest.approx(2.0 * (0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2))
    assert rate(109, "constant") == 2.0


def test_a_share_of_the_steps_is_rounded():
    assert warmup_steps(33, 0.1) == 3
    assert warmup_steps(5, 0.1) == 1
    assert warmup_steps(4, 0.1) == 0
    assert warmup_steps(10, 1.0) == 10


@given(
    steps=st.integers(1, 400),
    name=st.sampled_from(["cosine", "linear", "constant"]),
    warmup=st.floats(0, 1),
    final=st.floats(0, 1),
)
def test_rises_to_the_peak_then_never_rises(steps, name, warmup, final):
    rates = [learning_rate(step, steps, 0.5, name, warmup, final) for step in range(steps)]
    rising = warmup_steps(steps, warmup)
    assert all(0 < rate <= 0.5 * (1 + 1e-12) for rate in rates)
    assert all(a < b for a, b in zip(rates[:rising], rates[1:rising], strict=False))
    falling = rates[max(0, rising - 1) :]
    assert all(b <= a * (1 + 1e-12) for a, b in zip(falling, falling[1:], strict=False))
    assert max(rates) == pytest.approx(0.5)
    assert all(rate >= 0.5 * final * (1 - 1e-12) for rate in rates[rising:])
