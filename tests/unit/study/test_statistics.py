"""Intervals of simulated studies hold the truth as often as they say."""

import numpy as np
import pytest
from lemur.study.statistics import Bits, estimate, resampled


def simulated(random, effects, seeds, documents, of_seeds, of_documents):
    """Differences of every condition with noise of seeds and of documents, in bits."""
    sizes = random.integers(200, 2000, documents).astype(float)
    seed = random.normal(0, of_seeds, (seeds, len(effects), 1))
    document = random.normal(0, of_documents, (1, len(effects), documents))
    return Bits((np.asarray(effects)[None, :, None] + seed + document) * sizes, sizes)


@pytest.mark.parametrize(
    "of_seeds, of_documents", [(0.02, 0.0001), (0.0005, 0.2), (0.01, 0.08)],
    ids=["seeds", "documents", "both"],
)  # fmt: skip
def test_coverage_of_intervals_and_of_bands(of_seeds, of_documents):
    """With three seeds, whichever noise is the larger: 95 % of 100 studies, less what chance allows."""
    truth, inside, together = np.array([0.03, 0.0, -0.02]), 0, 0
    random = np.random.default_rng(1)
    for number in range(100):
        found = estimate(simulated(random, truth, 3, 60, of_seeds, of_documents), 0.95, 200, number)
        held = (found.low <= truth) & (truth <= found.high)
        inside += held.sum()
        together += bool(((found.band_low <= truth) & (truth <= found.band_high)).all())
    assert inside / 300 > 0.90 and together / 100 > 0.88
    assert inside / 300 < 0.995  # not by being endless


def test_pairing_takes_out_what_conditions_have_in_common():
    """Documents differ far more than conditions do; their differences do not."""
    random = np.random.default_rng(2)
    sizes = np.full(80, 1000.0)
    common = random.normal(1.0, 0.5, (1, 1, 80))
    bits = Bits(
        (common + np.array([0.0, 0.02])[None, :, None]) * sizes + np.zeros((3, 2, 80)), sizes
    )
    paired = estimate(bits.less(bits.bits[:, 0]), 0.95, 300, 0)
    assert paired.low[1] == pytest.approx(0.02) and paired.high[1] == pytest.approx(0.02)
    assert estimate(bits, 0.95, 300, 0).error[1] > 0.03
    assert paired.mean[0] == paired.error[0] == 0 and paired.p[0] == 1


def test_a_study_too_small_says_what_it_could_have_seen():
    """The smallest effect is found four times in five."""
    random = np.random.default_rng(3)
    smallest = estimate(simulated(random, [0.0], 5, 60, 0.01, 0.02), 0.95, 400, 0).smallest[0]
    found = sum(
        estimate(simulated(random, [smallest], 5, 60, 0.01, 0.02), 0.95, 200, n).p[0] < 0.05
        for n in range(60)
    )
    assert 30 <= found <= 60


def test_more_seeds_make_it_surer_and_one_seed_has_no_noise_of_seeds():
    random = np.random.default_rng(4)
    few = estimate(simulated(random, [0.0], 3, 100, 0.02, 0.001), 0.95, 400, 0)
    many = estimate(simulated(random, [0.0], 12, 100, 0.02, 0.001), 0.95, 400, 0)
    assert many.high[0] - many.low[0] < 0.5 * (few.high[0] - few.low[0])
    one = estimate(simulated(random, [0.0], 1, 100, 0.02, 0.001), 0.95, 400, 0)
    assert one.error[0] < 0.001


def test_the_same_seed_draws_the_same():
    given = simulated(np.random.default_rng(5), [0.1, 0.2], 3, 20, 0.01, 0.1)
    assert (resampled(given, 200, 7) == resampled(given, 200, 7)).all()
    assert (resampled(given, 200, 7) != resampled(given, 200, 8)).any()
