"""Laws find the best share where there is one, and say so where it is at the edge."""

import numpy as np
import pytest
from lemur.study import law
from lemur.study.statistics import Bits, resampled

SHARES = [0, 0.25, 0.5, 0.75, 10 / 11, 20 / 21, 1]


def measured(share, best, depth=0.4):
    """Two exponentials that are least at ``best``."""
    rate = 3.0
    ratio = np.exp(rate * (best - 1)) / np.exp(-rate * best)
    return 1.5 + depth * (ratio * np.exp(-rate * share) + np.exp(rate * (share - 1)))


@pytest.mark.parametrize("best", [0.3, 0.48, 0.7])
def test_the_best_share_comes_back_with_its_interval(best):
    random = np.random.default_rng(int(100 * best))
    sizes = np.full(80, 1000.0)
    truth = measured(np.array(SHARES), best)[None, :, None]
    noise = random.normal(0, 0.01, (3, 7, 1)) + random.normal(0, 0.3, (1, 1, 80))
    bits = Bits((truth + noise + random.normal(0, 0.02, (3, 7, 80))) * sizes, sizes)
    points, values = law.points_of(SHARES), bits.values.mean(0)
    choice = law.choose(points, values[None])
    found = law.best_share(points, values, resampled(bits, 100, 0), 0.95)
    assert found.edge is None
    assert found.low - 0.03 <= best <= found.high + 0.03 and abs(found.share - best) < 0.12
    assert set(choice.errors) == {"exponential", "two exponentials", "log-linear", "D-CPT"}
    assert choice.errors[law.LAWS[choice.law[0]].name] == min(choice.errors.values())
    assert np.abs(choice.predicted[0] - values)[1:-1].mean() == min(choice.errors.values())


def test_of_a_fall_that_goes_on_the_best_is_at_the_edge():
    values = 1 + 0.5 * np.exp(-2 * np.array(SHARES))
    drawn = values + np.random.default_rng(0).normal(0, 0.003, (100, 7))
    points = law.points_of(SHARES)
    found = law.best_share(points, values, drawn, 0.95)
    assert (found.share, found.edge) == (1.0, 1.0)
    assert law.choose(points, values[None]).errors["exponential"] < 1e-3
    assert law.best_share(points, 3 - values, 3 - drawn, 0.95).edge == 0.0


def test_shares_that_do_not_reach_below_the_best_cannot_find_it():
    """The ratios 1 to 20 of code to text: the reason for shares from 0."""
    shares = [0.5, 0.75, 10 / 11, 20 / 21, 1]
    values = measured(np.array(shares), 0.48)
    drawn = values + np.random.default_rng(1).normal(0, 0.01, (100, len(shares)))
    found = law.best_share(law.points_of(shares), values, drawn, 0.95)
    assert found.edge == 0.5 == found.low


def test_four_shares_leave_the_laws_of_three_parameters():
    choice = law.choose(law.points_of([0, 0.5, 0.9, 1]), np.array([[2.0, 1.8, 1.7, 1.69]]))
    assert set(choice.errors) == {"exponential", "log-linear"}


def test_the_law_over_sizes_foretells_a_size():
    """Four sizes that follow it: the one left out is near; the largest is the farthest."""
    points = np.concatenate([law.points_of(SHARES, size) for size in (1.1, 3.5, 14, 60)])
    share, size = points.T
    values = 1.0 + 0.6 * size**-0.3 + 0.3 * share**2 + 0.1 * (share + law.EPSILON) ** -0.5
    predicted = law.left_out(law.OVER_SIZES, points, values[None], points[:, 1])[0]
    assert np.abs(predicted - values).mean() < 0.02
