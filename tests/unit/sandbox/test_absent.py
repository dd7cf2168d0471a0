"""Values that comparisons pass over are no answers, unless the reference holds as many."""

import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from lemur.sandbox.policy import INSIDE

sys.path.insert(0, str(INSIDE))
import absent

WANTED = np.arange(1.0, 7).reshape(2, 3)
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
NUMBERS = pd.Series([1, 2, 3])
NAN = float("nan")
RECORD = np.ma.array([(1, 2.0)], mask=[(True, False)], dtype=[("a", "i8"), ("b", "f8")])


def compared(how):
    return {
        "testing": lambda result, ans: np.testing.assert_array_equal(result, ans) is None,
        "near": lambda result, ans: np.testing.assert_allclose(result, ans) is None,
        "allclose": lambda result, ans: bool(np.allclose(result, ans)),
        "distance": lambda result, ans: not (abs(result - ans) > 1e-6).any(),
        "pandas": lambda result, ans: bool(np.asarray((result == ans).all()).all()),
        "pairs": lambda result, ans: all(np.allclose(a, b) for a, b in zip(result, ans)),  # noqa: B905
        "torch": lambda result, ans: torch.allclose(result, ans),
        "any": lambda result, ans: True,
    }[how]


# (how the test compares, an answer that it passes and that is none, the reference)
NOTHING = [
    ("testing", np.ma.masked_all((2, 3)), WANTED),
    ("near", np.ma.masked_all((2, 3)), WANTED),
    ("any", np.ma.masked, WANTED),
    ("testing", np.ma.masked_where(WANTED == 1, WANTED), WANTED),  # right but for what is hidden
    ("testing", np.ma.masked_all(3), np.ma.array([1, 2, 3], mask=[0, 0, 1])),
    ("any", [np.ma.masked_all(2), 1], [WANTED, 1]),
    ("any", {"a": np.array([np.ma.masked, 1], dtype=object)}, {"a": np.array([1, 1])}),
    ("any", RECORD, np.array([(1, 2.0)], dtype=RECORD.dtype)),
    ("pandas", pd.Series([pd.NA] * 3, dtype="Int64"), NUMBERS),
    ("pandas", pd.Series([pd.NA, 2, pd.NA], dtype="Int64"), NUMBERS),
    ("pandas", pd.DataFrame({"a": [pd.NA] * 2, "b": [pd.NA] * 2}, dtype="Float64"), FRAME),
    ("any", pd.Series([pd.NA] * 3, dtype="string"), pd.Series(["a", "b", "c"])),
    ("any", pd.Series([pd.NA, 1], dtype=object), pd.Series([1, 1])),
    ("any", pd.NA, 3),
    ("any", pd.array([pd.NA], dtype="boolean"), [True]),
    ("distance", np.full((2, 3), np.nan), WANTED),
    ("distance", np.full((2, 2, 3), np.nan), WANTED),  # larger: it is broadcast
    ("distance", np.full((4, 2, 3), np.float32("nan")), WANTED),
    ("any", [[NAN, NAN], pd.NaT], 3),
    ("distance", np.float64("nan"), WANTED),
    ("distance", FRAME["a"] * NAN, FRAME["a"]),
    ("any", np.array(["NaT"], "M8[s]"), np.array(["2020"], "M8[s]")),
    ("any", pd.NaT, pd.Timestamp("2020")),
    ("any", [complex(NAN, 1)], [1j]),
    ("any", torch.tensor([NAN, 1.0], dtype=torch.bfloat16), torch.tensor([1.0, 1.0])),
    ("any", scipy.sparse.csr_matrix([[NAN, 0]]), scipy.sparse.csr_matrix([[1, 0]])),
    ("allclose", np.zeros((0, 2, 3)), WANTED),
    ("torch", torch.zeros(0, 2, 3), torch.ones(2, 3)),
    ("pairs", [], [WANTED]),
    ("any", pd.DataFrame(), FRAME),
]


@pytest.mark.parametrize("number", range(len(NOTHING)))
def test_what_is_equal_to_everything_does_not_pass(number):
    how, found, reference = NOTHING[number]
    assert compared(how)(found, reference), "the comparison alone passes it"
    with pytest.raises(AssertionError, match=r"where .* belong"):
        absent.guarded(compared(how))(found, reference)


RIGHT = [
    (WANTED, WANTED),
    (np.ma.array(WANTED), WANTED),  # nothing is masked
    (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[0, 1])),
    (np.array([1, NAN]), np.array([1, NAN])),
    (np.ma.array([1, 2], mask=[0, 1]), np.array([1, NAN])),
    (pd.Series([1, pd.NA], dtype="Int64"), pd.Series([1, NAN])),
    (pd.Series([1, pd.NA], dtype="Int64"), pd.Series([1, None], dtype=object)),
    (FRAME.where(FRAME > 1), FRAME.where(FRAME > 1)),
    (pd.DataFrame(), pd.DataFrame()),
    (np.zeros(0), np.zeros(0)),
    ([], []),
    (None, None),
    (np.array([1, NAN, 3]), 3),  # larger than the reference: of another form, for the test to say
    (pd.MultiIndex.from_product([[1], [2]]), pd.MultiIndex.from_product([[1], [2]])),
    (pd.Series(["a"], dtype="category"), pd.Series(["a"])),
    (pd.date_range("2020", periods=2, tz="UTC"), pd.date_range("2020", periods=2, tz="UTC")),
    (torch.ones(2), torch.ones(2)),
    ({"a": [1, "x"]}, {"a": [1, "x"]}),
]


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_what_a_test_passes_otherwise_passes(number):
    found, reference = RIGHT[number]
    assert absent.guarded(lambda *_: 1)(found, reference) == 1
    assert absent.guarded(lambda *_: 0)(np.ma.masked, WANTED) == 0  # the test's own word first
