"""Each rule decides as it says, and nothing where seeds or intervals do not allow it."""

import numpy as np
import pytest
from lemur.study import verdict
from lemur.study.law import Best
from lemur.study.statistics import Estimate

SHARE = 10 / 11


@pytest.mark.parametrize(
    "best, outcome",
    [
        (Best(0.5, 0.4, 0.6, None), "supported"),
        (Best(0.95, 0.92, 1.0, 1.0), "refuted"),
        (Best(0.7, 0.5, 0.95, None), "not decided"),
    ],
)
def test_best_share_below(best, outcome):
    assert verdict.best_share_below(best, SHARE, None)[0] == outcome
    why = verdict.enough(2, 3)
    found = verdict.best_share_below(best, SHARE, why)
    assert found[0] == "not decided" and "2 of the 3 seeds" in found[1]
    assert verdict.enough(3, 3) is None


@pytest.mark.parametrize(
    "low, high, outcome",
    [(0.02, 0.04, "supported"), (-0.01, 0.01, "refuted"), (0.005, 0.03, "not decided")],
)
def test_worse_than_base(low, high, outcome):
    arrays = {name: np.zeros(2) for name in Estimate.__dataclass_fields__}
    arrays |= {"low": np.array([0, low]), "high": np.array([0, high])}
    assert verdict.worse_than_base(Estimate(**arrays), 1, 0.01, None)[0] == outcome


def test_same_ranking():
    small = {(0, 1): (0.02, 0.04), (0, 2): (-0.01, 0.01), (1, 2): (-0.09, -0.05)}
    other = {**small, (0, 1): (-0.04, -0.02)}
    assert verdict.same_ranking({"1m": small, "3m": small}, 0.005, None)[0] == "supported"
    assert verdict.same_ranking({"1m": small, "3m": other}, 0.005, None)[0] == "refuted"
    assert verdict.same_ranking({"1m": small}, 0.005, None)[0] == "not decided"
    unsure = {pair: (-0.1, 0.1) for pair in small}
    assert verdict.same_ranking({"1m": small, "3m": unsure}, 0.005, None)[0] == "not decided"


def test_a_difference_that_counts_as_equal_orders_nothing():
    slight = {(0, 1): (0.001, 0.004)}
    assert verdict.same_ranking({"a": slight, "b": slight}, 0.005, None)[0] == "not decided"


def test_the_sentence_has_the_interval_and_the_edge():
    outcome = verdict.Outcome("H1", "a claim", "not decided", "why")
    best = Best(1.0, 0.6, 1.0, 1.0)
    text = verdict.sentence("ratio", "1m", "actions", best, [outcome], "2 measures are missing")
    assert "best share of code 1.000 (0.600 to 1.000, at the edge of the shares tried)" in text
    assert "H1 is not decided" in text and "2 measures are missing" in text and "\n" not in text
