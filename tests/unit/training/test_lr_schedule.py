"""The learning rate: exact at its corners, and within bounds everywhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.training.lr_schedule import NAMES, Schedule, warmup_steps
from lemur.training.settings import parse
from tiny_training import settings


def test_corners():
    def rate(step: int, name: str) -> float:
        return Schedule(name, 2.0, 110, rising=10, falling=50, final=0.1).rate(step)

    assert rate(0, "cosine") == pytest.approx(0.2)
    assert rate(9, "cosine") == pytest.approx(2.0)
    assert rate(10, "cosine") == pytest.approx(2.0)
    assert rate(60, "cosine") == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate(60, "linear") == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate(35, "linear") == pytest.approx(2.0 * (0.1 + 0.9 * 0.75))
    assert rate(35, "cosine") == pytest.approx(2.0 * (0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2))
    assert rate(109, "constant") == 2.0
    assert rate(10, "wsd") == rate(59, "wsd") == rate(60, "wsd") == 2.0
    assert rate(85, "wsd") == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rate(109, "wsd") == pytest.approx(2.0 * (0.1 + 0.9 * 0.02))


def test_a_share_of_the_steps_is_rounded():
    assert warmup_steps(33, 0.1) == 3
    assert warmup_steps(5, 0.1) == 1
    assert warmup_steps(4, 0.1) == 0
    assert warmup_steps(10, 1.0) == 10


@given(
    steps=st.integers(1, 400),
    name=st.sampled_from(NAMES),
    warmup=st.floats(0, 1),
    decay=st.floats(0, 1),
    final=st.floats(0, 1),
)
def test_rises_to_the_peak_then_never_rises(steps, name, warmup, decay, final):
    rising = warmup_steps(steps, warmup)
    made = Schedule(name, 0.5, steps, rising, warmup_steps(steps, decay), final)
    rates = [made.rate(step) for step in range(steps)]
    assert all(0 < rate <= 0.5 * (1 + 1e-12) for rate in rates)
    assert all(a < b for a, b in zip(rates[:rising], rates[1:rising], strict=False))
    falling = rates[max(0, rising - 1) :]
    assert all(b <= a * (1 + 1e-12) for a, b in zip(falling, falling[1:], strict=False))
    assert max(rates) == pytest.approx(0.5)
    assert all(rate >= 0.5 * final * (1 - 1e-12) for rate in rates[rising:])


def test_a_warmup_in_tokens_or_steps_replaces_the_share():
    def rising(steps=12, **changes):
        return parse(settings(**changes)).schedule_of(steps).rising

    assert rising() == 3  # a quarter of 12
    assert rising(schedule__warmup_tokens=320) == 5  # of 64 a step
    assert rising(schedule__warmup_tokens=300) == 5
    assert rising(schedule__warmup_steps=2) == 2
    assert rising(schedule__warmup_steps=0) == 0
    assert parse(settings(schedule__name="wsd")).schedule_of(100).falling == 20
    assert parse(settings(schedule__name="wsd", schedule__decay=0.5)).schedule_of(100).falling == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule__warmup_tokens": 832}, "pretrain.schedule.warmup_tokens: 832 is more than"),
        ({"schedule__warmup_steps": 13}, "pretrain.schedule.warmup_steps: 13 is more than"),
        (
            {"schedule__warmup_steps": 1, "schedule__warmup_tokens": 64},
            "pretrain.schedule: give warmup_tokens or warmup_steps",
        ),
        ({"schedule__decay": 0.5}, "pretrain.schedule.decay: belongs to wsd, not to cosine"),
    ],
)
def test_a_schedule_that_does_not_fit_the_run(change, said):
    with pytest.raises(UserError) as caught:
        parse(settings(**change)).schedule_of(12)
    assert said in str(caught.value)
