"""Values of data-science programs as data: the same afterwards, and never more than data."""

import array
import collections
import datetime
import decimal
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.sandbox.policy import INSIDE

sys.path.insert(0, str(INSIDE))
import values
import wire


def again(value):
    """The value after its way from one process to the other."""
    return values.decode(wire.loads(wire.dumps(values.encode(value))))


class Same(int):
    """Says that it is equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class SameFrame(pd.DataFrame):
    """A frame that says so."""

    def equals(self, other):
        return True


DAYS = pd.date_range("2020-01-31", periods=3, freq="ME")
PLAIN = [
    *(None, True, 1, 2**70, 1.5, float("inf"), "x", b"a", 3 + 4j, range(3), Ellipsis),
    *((1, [2]), {1: 2, "a": {3}}, frozenset({1}), collections.Counter("aab"), slice(1, None)),
    *(collections.deque([1, [2]], 3), collections.deque(), array.array("d", [1, 2])),
    *(collections.OrderedDict([(2, 1), (1, 2)]), datetime.time(1, tzinfo=datetime.UTC)),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
    *(datetime.timedelta(1, 2, 3), datetime.time(1, 2), decimal.Decimal("1.10"), int, np.float64),
    *(np.float64(2), np.int8(3), np.datetime64("2020"), np.str_("a"), np.dtype("f4"), np.bool_(1)),
    *(pd.Timestamp("2020-01-01 00:00:00.123456789"), pd.Timestamp("2020", tz="Europe/Berlin")),
    *(pd.NaT, pd.NA, pd.Timedelta("1h"), pd.Period("2020-01"), pd.Interval(0, 1, "both")),
    *(pd.offsets.MonthEnd(2), pd.CategoricalDtype(["a"]), torch.Size([1, 2]), torch.bfloat16),
]
ARRAYS = [
    np.arange(6).reshape(2, 3).T,
    np.array(["a", "bc"]),
    np.array([True, False]),
    np.array([[1, [2]], [None, "a"]], dtype=object),
    np.zeros(2, [("a", "i4"), ("b", "f8", (2,))]),
    np.array([], dtype="U3"),
    np.array(3),
    np.matrix([[1]]),
    np.array(["2020", "NaT"], dtype="M8[s]"),
]
FRAMES = [
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, np.nan]}),
    pd.DataFrame(np.arange(6).reshape(2, 3)),
    pd.DataFrame(),
    pd.DataFrame(index=[0.5, 1.5]),
    pd.DataFrame(columns=["a"]),
    pd.DataFrame({"u": DAYS.tz_localize("America/New_York"), "d": DAYS - DAYS[0]}, index=DAYS),
    pd.DataFrame({"p": DAYS.to_period("M")}, index=DAYS.to_period("M")),
    pd.DataFrame({"o": pd.Series([pd.Timestamp("2020")] * 2, dtype=object)}),
    pd.DataFrame([[1, "x"], [3, "y"]], columns=["a", "a"]),
    pd.DataFrame(
        [[1, "x"]], columns=pd.MultiIndex.from_product([["a"], ["b", "c"]], names=["u", "v"])
    ),
    pd.DataFrame({"x": [[1, 2], {"a": 1}]}, index=pd.CategoricalIndex(["x", "y"], name="k")),
    pd.DataFrame({"a": [1]}, index=pd.Index([("a", "b")], tupleize_cols=False, name=("n", "m"))),
    pd.DataFrame({"a": range(3), "b": pd.cut([1, 2, 3], 2)}, index=pd.interval_range(0, 3)),
    pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b", None], categories=["b", "a"], ordered=True),
            "i": pd.array([1, None, 3], dtype="Int64"),
            "f": pd.array([1.0, None, 3], dtype="Float32"),
            "t": pd.array([True, None, False], dtype="boolean"),
            "s": pd.array(["a", None, "b"], dtype="string"),
            "z": pd.arrays.SparseArray([0, 0, 1]),
            "n": np.array([1, 2, 3], np.uint8),
        },
        index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["k", None]),
    ),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values(value):
    found = again(value)
    assert type(found) is type(value) and repr(found) == repr(value)
    found = again(nested := [value, (value,), {"a": value}])
    assert repr(found) == repr(nested)


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_arrays(value):
    found = again(value)
    assert type(found) is type(value) and found.dtype == value.dtype and found.shape == value.shape
    np.testing.assert_array_equal(found, value)
    assert found.flags.writeable


@pytest.mark.parametrize("frame", FRAMES, ids=range(len(FRAMES)))
def test_frames(frame):
    found = again(frame)
    pd.testing.assert_frame_equal(found, frame, check_freq=True, check_column_type="exact")
    assert type(found.index) is type(frame.index) and list(found.dtypes) == list(frame.dtypes)
    for at in range(frame.shape[1]):
        pd.testing.assert_series_equal(again(frame.iloc[:, at]), frame.iloc[:, at])
    pd.testing.assert_index_equal(again(frame.index), frame.index, exact=True)
    assert getattr(found.index, "freq", None) == getattr(frame.index, "freq", None)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_sparse_matrices(kind):
    whole = scipy.sparse.random(4, 5, 0.4, format=kind, random_state=0)
    for value in (whole, getattr(scipy.sparse, f"{kind}_array")(whole)):
        found = again(value)
        assert type(found) is type(value) and found.dtype == value.dtype
        np.testing.assert_array_equal(found.toarray(), value.toarray())


@pytest.mark.parametrize(
    "value",
    [
        torch.eye(3)[:, 1],
        torch.ones(2, dtype=torch.bfloat16),
        torch.tensor(1.0, requires_grad=True),
        torch.tensor([1 + 2j]).conj(),
        torch.zeros(0, 3),
        torch.nn.Parameter(torch.ones(2)),
        torch.eye(2).to_sparse(),
    ],
    ids=repr,
)
def test_tensors(value):
    found = again(value)
    assert type(found) is type(value) and found.dtype == value.dtype
    assert found.requires_grad == value.requires_grad and found.layout == value.layout
    assert torch.equal(found.to_dense(), value.to_dense())


def test_results_with_names():
    point = again(collections.namedtuple("Point", "x y")(1, [2]))
    assert point == (1, [2]) and point.y == [2] and point._fields == ("x", "y")
    found = again(scipy.optimize.OptimizeResult(x=np.ones(2), message="m"))
    assert found.message == "m" and found.x.sum() == 2


def test_what_is_used_up_or_shared():
    assert list(again(map(str, [1, 2]))) == ["1", "2"]
    assert list(again(np.arange(3).flat)) == [0, 1, 2]
    assert list(again({"a": 1}.items())) == [("a", 1)]
    one = np.arange(2)
    first, second, third = again([one, one, one.copy()])
    assert first is second and first is not third
    loop = []
    loop.append(loop)
    found = again(loop)
    assert found[0] is found


def test_what_a_class_says_of_itself_is_not_asked():
    assert type(again(Same(3))) is int and again([Same(3)]) != [4]
    assert type(again(SameFrame({"a": [1]}))) is pd.DataFrame
    assert type(again(collections.OrderedDict(a=1))) is collections.OrderedDict


def test_an_ordered_dictionary_keeps_its_order():
    """It keeps it beside that of a dictionary, which another way of reading and writing has."""
    moved = collections.OrderedDict([(1, 2), (3, 4)])
    moved.move_to_end(1)
    assert list(again(moved).items()) == [(3, 4), (1, 2)] and again(moved) == moved


@pytest.mark.parametrize(
    "value",
    [
        object(),
        len,
        lambda: 0,
        Same,
        [1, {"a": object()}],
        iter(int, 1),
        np.array([object()]),
        np.zeros(1, [("a", "?")]),
        pd.Series([1]).rolling(1),
        torch.nn.Linear(1, 1),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_not_data_has_no_form(value):
    with pytest.raises(values.NoForm):
        values.encode(value)


ADDRESS = {"version": 3, "shape": (3,), "typestr": "<f8", "data": (4096, False)}
TEXT = values.pack(b"\0" * 8)


def array(told, numbers, dtype="<i8"):
    return {"np.array": [dtype, [numbers], values.pack(told), "C"]}


def whole(*numbers, dtype="<i4"):
    return array(np.array(numbers, dtype).tobytes(), len(numbers), dtype)


@pytest.mark.parametrize(
    "form",
    [
        # NumPy reads memory at the address that such an attribute gives.
        values.encode(pd.Series([ADDRESS, 1], index=["__array_interface__", "a"])),
        values.encode(scipy.optimize.OptimizeResult(__array_interface__=ADDRESS)),
        values.encode(np.array(["__array_struct__"])),
        {"named": [["__array_interface__"], [1]]},
        {"named": [["a", "b"], [1]]},
        # Compiled loops trust these.
        {"scipy.sparse": ["csr_matrix", [1, 1], [whole(1), whole(9), whole(0, 1)]]},
        {"scipy.sparse": ["csr_matrix", [1, 1], [whole(1), whole(-1), whole(0, 1)]]},
        {"scipy.sparse": ["coo_matrix", [1, 1], [whole(1), whole(9), whole(0)]]},
        {"scipy.sparse": ["coo_matrix", [1, 1], [whole(1), whole(0), whole(-9)]]},
        {"scipy.sparse": ["__init__", [1, 1], []]},
        {"torch.sparse": [[1], [array(b"\x09" + b"\0" * 7, 1), whole(1)]]},
        {"pd.categorical": [whole(9), {"pd.range": [0, 1, 1, None]}, False]},
        {"pd.sparse": [1, whole(1, 2, 3), whole(7, 8, 9), 0]},
        {"pd.multi": [[{"pd.range": [0, 1, 1, None]}], [whole(7)], [None]]},
        # Dtypes, shapes, zones and frequencies of no listed kind.
        {"np.array": ["|O", [1], TEXT, "C"]},
        {"np.array": [[["a", "|O", []]], [1], TEXT, "C"]},
        {"np.array": ["<i8", [2], TEXT, "C"]},
        {"np.array": ["<i8", [-1], TEXT, "C"]},
        {"np.array": ["i8,O", [1], TEXT, "C"]},
        {"pd.datetimes": [array(b"\0" * 8, 1), "ns", ["pytz", "../../etc/passwd"]]},
        {"pd.datetimes": [array(b"\0" * 8, 1), "ns", ["zoneinfo", "/etc/passwd"]]},
        {"pd.offset": "__import__('os')"},
        {"std.type": "os.system"},
        {"torch.dtype": "load"},
        {"same": 0},
        {"same": -1},
        {"list": [{"tuple": [{"same": 1}]}]},
        {"dict": [[{"list": []}, 1]]},
        {"eval": "1"},
        {"np.nothing": 1},
        [1],
        1.5,
    ],
    ids=lambda one: str(one)[:60],
)
def test_forms_of_nothing(form):
    with pytest.raises(values.Malformed):
        values.decode(form)


def test_a_truth_value_is_true_or_false():
    found = values.decode(array(b"\x02\x00", 2, "|b1"))
    assert (found == np.array([True, False])).all() and found.view(np.uint8).tolist() == [1, 0]


def test_a_form_too_deep_is_one_error():
    form = []
    for _ in range(20_000):
        form = {"list": [form]}
    with pytest.raises(values.Malformed):
        values.decode(form)


KNOWN = ["list", "dict", "tuple", "set", "Counter", "named", "plain", "view", "iterator", "same"]
KNOWN += ["int", "float", "complex", "bytes", "range", "deque", "OrderedDict"]


def tags():
    """Every tag that there is."""
    import arrays
    import frames
    import matrices
    import standard
    import tensors

    return KNOWN + [
        tag for part in (arrays, frames, matrices, standard, tensors) for tag in part.READ
    ]


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**65),
    st.floats(),
    st.sampled_from(
        ["a", "<i8", "|O", "U2", "O", "csr_matrix", "coo_array", "C", "ns", "D", "pytz"]
    ),
    st.sampled_from(["UTC", "python", "string", "float32", "tensor", "left", "0x1p3", "int", TEXT]),
    st.text(max_size=5),
)
FORMS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(tags()), inner, max_size=1)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(form=FORMS)
def test_any_text_is_a_value_or_one_error(form):
    """Whatever a program writes: data comes out, or one kind of error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = values.decode(wire.loads(wire.dumps(form)))
        except values.Malformed:
            return
        values.encode(found)  # nothing that is not data


# Forms of real values, damaged: these come much further.
WHOLE = [values.encode(value) for value in [*FRAMES, *ARRAYS, *PLAIN]]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_damaged_form_is_a_value_or_one_error(data):
    def damaged(form):
        if not isinstance(form, (list, dict)) or not form or data.draw(st.integers(0, 9)) == 0:
            return data.draw(FORMS)
        if isinstance(form, list):
            at = data.draw(st.integers(0, len(form) - 1))
            return [*form[:at], damaged(form[at]), *form[at + 1 :]]
        ((tag, inner),) = form.items()
        return {tag: damaged(inner)}

    form = damaged(data.draw(st.sampled_from(WHOLE)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = values.decode(form)
        except values.Malformed:
            return
        values.encode(found)


def test_scipy_is_not_misled_by_names_of_these_modules():
    """SciPy asks ``sys.modules`` for packages that it supports beside NumPy."""
    import scipy.stats

    values.encode(scipy.sparse.csr_matrix([[1]]))  # all of these modules are imported
    asked = {"array_api_strict", "cupy", "dask", "jax", "ndonnx", "numpy", "sparse", "torch"}
    assert not asked & {path.stem for path in INSIDE.glob("*.py")}
    assert scipy.stats.kendalltau([1, 2, 3], [1, 3, 2]).statistic == pytest.approx(1 / 3)
