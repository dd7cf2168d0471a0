"""Intervals against published values, pass@k against counting."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.evaluation import intervals
from lemur.evaluation.intervals import bootstrap_mean, bootstrap_ratio, pass_at_k, wilson


@pytest.mark.parametrize(
    ("successes", "number", "low", "high"),
    # Newcombe 1998 (Statistics in Medicine 17, 857), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(successes, number, low, high):
    assert wilson(successes, number) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(pair):
    successes, number = pair
    low, high = wilson(successes, number)
    assert 0 <= low <= successes / number <= high <= 1
    assert wilson(number - successes, number) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_refuses_what_is_no_share():
    for successes, number in ((1, 0), (3, 2), (-1, 5)):
        with pytest.raises(ValueError):
            wilson(successes, number)


def test_items_of_a_large_group_weigh_less():
    right, weights = [True] * 5 + [False] * 3 + [True] * 2, [1 / 8] * 8 + [1 / 2] * 2
    share, (low, high) = intervals.weighted_share(right, weights)
    assert share == pytest.approx((5 / 8 + 1) / 2) and low < share < high
    # 10 items that tell as much as 4 / (1/8 + 1/2): wider than ten of equal weight.
    assert (low, high) == pytest.approx(wilson(share * 6.4, 6.4))
    assert high - low > wilson(8, 10)[1] - wilson(8, 10)[0]
    assert intervals.weighted_share([True, False], [3, 3]) == (0.5, wilson(1, 2))
    assert intervals.weighted_share([True, True], [1, 2])[0] == 1.0
    for wrong in (([], []), ([True], []), ([True], [0])):
        with pytest.raises(ValueError):
            intervals.weighted_share(*wrong)


@given(
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_pass_at_k_counts_draws_that_hold_a_pass(drawn):
    samples, correct, k = drawn
    passes = [True] * correct + [False] * (samples - correct)
    draws = list(itertools.combinations(passes, k))
    assert pass_at_k(samples, correct, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_bootstrap_is_repeatable_and_covers():
    draw = np.random.default_rng(5)
    hits = 0
    for _ in range(100):
        sizes = draw.integers(200, 2000, 40).astype(float)
        bits = sizes * draw.normal(1.2, 0.3, 40)
        low, high = bootstrap_ratio(bits, sizes)
        assert bootstrap_ratio(bits, sizes) == (low, high)
        hits += low <= 1.2 <= high
    assert 87 <= hits <= 100


def test_bootstrap_of_one_document_and_of_none():
    assert bootstrap_ratio([8.0], [4.0]) == (2.0, 2.0)
    assert bootstrap_mean([0.5, 0.5]) == (0.5, 0.5)
    with pytest.raises(ValueError):
        bootstrap_ratio([], [])


def test_paired_difference_and_mcnemar_against_hand_computed_values():
    ours, theirs = [True] * 8 + [False] * 2, [True] * 2 + [False] * 6 + [True] + [False]
    mean, low, high = intervals.paired_difference(ours, theirs)
    assert mean == pytest.approx(0.5) and low < 0.5 < high <= 1
    assert intervals.mcnemar(ours, theirs) == pytest.approx(2 * (1 + 7) / 2**7)  # 6 against 1
    assert intervals.mcnemar(ours, ours) == 1.0
    assert intervals.paired_difference(ours, ours) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="as many items"):
        intervals.mcnemar(ours, ours[1:])


def test_paired_shares_that_agree_have_an_interval_all_the_same():
    none = intervals.paired_shares([False, False], [False, False])
    assert none == (0.0, pytest.approx(-wilson(0, 2)[1]), pytest.approx(wilson(0, 2)[1]))
    apart, low, high = intervals.paired_shares([True] * 3 + [False], [True] + [False] * 3)
    assert apart == 0.5 and -1 <= low < 0.5 < high <= 1
    back = intervals.paired_shares([True] + [False] * 3, [True] * 3 + [False])
    assert back == (-0.5, pytest.approx(-high), pytest.approx(-low))
    for wrong in (([], []), ([True], [])):
        with pytest.raises(ValueError):
            intervals.paired_shares(*wrong)


@pytest.mark.parametrize("number", [20, 164])
@pytest.mark.parametrize("cells", [(0.4, 0.2, 0.1, 0.3), (0.02, 0.03, 0.01, 0.94)])
def test_paired_shares_cover_the_true_difference(number, cells):
    """In 95 of 100 draws, from both, one or none of two models that are right."""
    generator = np.random.default_rng(5)
    kinds = [(True, True), (True, False), (False, True), (False, False)]
    held = 0
    for _ in range(600):
        drawn = [kinds[k] for k in generator.choice(4, number, p=cells)]
        _, low, high = intervals.paired_shares(*zip(*drawn, strict=True))
        held += low <= cells[1] - cells[2] <= high
    assert held / 600 > 0.92


def test_a_difference_of_two_independent_shares_is_newcombes():
    """Newcombe 1998 (Statistics in Medicine 17, 873), table II, method 10, example (a)."""
    edges = [intervals.wilson(56, 70), intervals.wilson(48, 80)]
    found = intervals.linear_combination([1, -1], [0.8, 0.6], edges)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_mean_of_shares_is_narrower_than_each():
    edges = [intervals.wilson(50, 100)] * 4
    mean, low, high = intervals.linear_combination([0.25] * 4, [0.5] * 4, edges)
    assert mean == 0.5 and mean - low == pytest.approx((0.5 - edges[0][0]) / 2)
    assert high - mean == pytest.approx((edges[0][1] - 0.5) / 2)
    with pytest.raises(ValueError):
        intervals.linear_combination([1.0], [0.5], [])


def test_holm_by_hand():
    assert intervals.holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert intervals.holm([0.9, 0.8]).tolist() == [1.0, 1.0]
