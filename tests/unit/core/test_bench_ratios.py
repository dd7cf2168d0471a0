"""Ratios of the benches: what an interval covers, and when turns end."""

import random
from statistics import fmean

import pytest
from bench import ratios
from bench.ratios import Pace, Ratio, in_turns, ratio


def test_a_ratio_is_of_the_same_turn():
    """A machine that halves its speed for both changes nothing."""
    slow = [1.0, 2.0, 4.0, 2.0]
    made = ratio([3 * s for s in slow], slow)
    assert (made.middle, made.low, made.high) == pytest.approx((3, 3, 3))
    assert made.narrow and str(made) == "3.00 (3.00 to 3.00)"


def test_one_turn_has_no_interval():
    made = ratio([2.0], [1.0])
    assert str(made) == "2.00 (one turn)" and not made.narrow
    assert made.verdict(1.0) == "not decided"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(1.01, 1.2, "reached"), (0.8, 0.96, "missed"), (0.9, 1.1, "not decided")],
)
def test_a_goal_is_reached_where_the_interval_lies_above_it(low, high, verdict):
    assert Ratio(1.0, low, high, 5).verdict(0.97) == verdict


def test_nineteen_of_twenty_intervals_cover_the_ratio():
    draw = random.Random(5)
    covered = []
    for _ in range(400):
        count = draw.randint(3, 10)
        above, below = ([draw.lognormvariate(m, 0.2) for _ in range(count)] for m in (0.3, 0.0))
        made = ratio(above, below)
        covered.append(made.low <= 2.718281828**0.3 <= made.high)
    assert 0.92 <= fmean(covered) <= 0.98


@pytest.mark.parametrize("spread", [0.03, 0.05])
def test_turns_that_end_by_chance_cover_nearly_as_often(spread):
    """The rule that ends the turns, with sides whose times scatter by ``spread``."""
    draw = random.Random(7)
    sides = {
        "a": lambda: draw.lognormvariate(0.0, spread),
        "b": lambda: draw.lognormvariate(0.3, spread),
    }
    covered = []
    for _ in range(500):
        (made,) = pair(in_turns(sides, pair, Pace()))
        covered.append(made.low <= 2.718281828**0.3 <= made.high)
    assert fmean(covered) >= 0.92


def pair(found):
    return [ratio(found["b"], found["a"])]


def test_turns_go_on_until_the_interval_is_narrow():
    draw, order = random.Random(1), []

    def side(name, mean, spread):
        def measure():
            order.append(name)
            return mean * (1 + spread * draw.uniform(-1, 1))

        return measure

    found = in_turns({"a": side("a", 1, 0.01), "b": side("b", 2, 0.01)}, pair, Pace())
    assert len(found["a"]) == len(found["b"]) == 5
    assert order[:6] == ["a", "b", "b", "a", "a", "b"]
    assert pair(found)[0].narrow
    said = []
    sides = {"a": side("a", 1, 0.6), "b": side("b", 2, 0.6)}
    wide = in_turns(sides, pair, Pace(most=7), said.append)
    assert len(wide["a"]) == 7 == len(said)
    (made,) = pair(wide)
    assert not made.narrow and str(made).endswith("; not narrow)")
    assert ratios.described([made], Pace(most=7)).endswith("1 did not become so narrow.")
    assert len(in_turns(sides, pair, Pace(seconds=0))["a"]) == 5


def test_the_processor_is_named():
    named = ratios.processor()
    assert named.endswith(" cores") and ("bf" in named)
