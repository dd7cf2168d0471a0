from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.mixture.apportion import apportion, exact

WEIGHTS = st.dictionaries(
    st.text("abcdefg", min_size=1, max_size=3),
    st.fractions(0, 1000, max_denominator=997),
    min_size=1,
    max_size=12,
).filter(lambda weights: sum(weights.values()) > 0)


@given(st.integers(0, 10**12), WEIGHTS, st.randoms())
def test_shares_are_exact_and_do_not_depend_on_order(total, weights, random):
    shares = apportion(total, weights)
    assert sum(shares.values()) == total
    whole = sum(weights.values())
    for name, weight in weights.items():
        assert abs(shares[name] - Fraction(total) * weight / whole) < 1
        assert weight or not shares[name]
    names = list(weights)
    random.shuffle(names)
    assert apportion(total, {name: weights[name] for name in names}) == shares


def test_equal_remainders_fall_by_name():
    assert apportion(2, {"b": Fraction(1), "a": Fraction(1), "c": Fraction(1)}) == {
        "a": 1,
        "b": 1,
        "c": 0,
    }


def test_numbers_are_taken_as_written():
    assert exact(0.1) == Fraction(1, 10)
    with pytest.raises(ValueError, match="negative"):
        apportion(1, {"a": Fraction(-1), "b": Fraction(2)})
