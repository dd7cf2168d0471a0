"""Forms of pandas' values (``values``): columns and indices as arrays of their kind, with names,
frequencies and dtypes, rebuilt by pandas' public constructors. A column or an index has the form of
its array, with no tag of its own."""

import warnings

import numpy as np
import pandas as pd
import times
from arrays import array as numpy_form
from values import Malformed, need, several, text

_PANDAS_ARRAY = getattr(pd.arrays, "NumpyExtensionArray", None) or pd.arrays.PandasArray
_MASKED = (pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray)
_FREQUENT = (pd.DatetimeIndex, pd.TimedeltaIndex)
_LABELS = pd.Index
_CLOSED = ("left", "right", "both", "neither")


class _Column:
    """An array as a part of a frame, a series or an index."""

    def __init__(self, array):
        self.array = array


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    if value is pd.NA:
        return {"pd.na": 0}
    if isinstance(value, pd.DataFrame):
        return _frame_form(value, write)
    if isinstance(value, pd.Series):
        return {"pd.series": write.many((_Column(value.array), value.index, value.name))}
    if isinstance(value, pd.RangeIndex):
        return {"pd.range": write.many((value.start, value.stop, value.step, value.name))}
    if isinstance(value, pd.MultiIndex):
        codes = [np.asarray(part) for part in value.codes]
        return {"pd.multi": write.many((list(value.levels), codes, list(value.names)))}
    if isinstance(value, pd.Index):
        freq = times.frequency(value.freq if isinstance(value, _FREQUENT) else None)
        return {"pd.index": write.many((_Column(value.array), freq, value.name))}
    if isinstance(value, _Column):
        return _array_form(value.array, write)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return {"pd.array": write(_Column(value))}
    if isinstance(value, pd.Interval):
        return {"pd.interval": write.many((value.left, value.right, value.closed))}
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        return {"pd.dtype": write(_Column(pd.array([], dtype=value)))}
    return times.form(value)


def _frame_form(value, write):
    """A frame of numbers of one dtype as one block, any other column by column."""
    labels, dtypes = (value.index, value.columns), set(value.dtypes)
    if len(dtypes) == 1 and isinstance(only := dtypes.pop(), np.dtype) and only.kind in "biufc":
        return {"pd.block": write.many((value.to_numpy(), *labels))}
    columns = [_Column(value.iloc[:, at].array) for at in range(value.shape[1])]
    return {"pd.frame": write.many((columns, *labels))}


def _array_form(array, write):
    if isinstance(array.dtype, pd.StringDtype):
        items = [None if missing else str(item) for item, missing in zip(array, array.isna())]  # noqa: B905
        return {"pd.strings": [array.dtype.storage, array.dtype.na_value is not pd.NA, items]}
    if isinstance(array, _PANDAS_ARRAY):
        return numpy_form(np.asarray(array), write)
    if isinstance(array, pd.Categorical):
        parts = (np.asarray(array.codes), array.categories, bool(array.ordered))
        return {"pd.categorical": write.many(parts)}
    if isinstance(array, _MASKED):
        filled = array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=0)
        return {"pd.masked": write.many((filled, np.asarray(array.isna())))}
    if isinstance(array, pd.arrays.SparseArray):
        positions = np.asarray(array.sp_index.to_int_index().indices)
        parts = (len(array), array.sp_values, positions, array.fill_value)
        return {"pd.sparse": write.many(parts)}
    if isinstance(array, pd.arrays.IntervalArray):
        return {"pd.intervals": write.many((array.left, array.right, array.closed))}
    return times.array_form(array, write)


def _column(form, read):
    return read.expect(form, np.ndarray, pd.api.extensions.ExtensionArray)


def _series(values, index, name=None):
    """A dtype is given, since pandas would look for times among objects."""
    return pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)


def _read_series(inner, read):
    values, index, name = several(inner, 3)
    return _series(_column(values, read), read.expect(index, _LABELS), read(name))


def _frame(inner, read):
    columns, index, labels = several(inner, 3)
    # The list of columns is a value too: it has a number.
    columns, index, labels = (
        read.expect(columns, list),
        read.expect(index, _LABELS),
        read.expect(labels, _LABELS),
    )
    made = pd.DataFrame(
        {at: _series(values, index) for at, values in enumerate(columns)}, index=index, copy=False
    )
    made.columns = labels
    return made


def _block(inner, read):
    block, index, labels = several(inner, 3)
    block = read.expect(block, np.ndarray)
    if block.ndim != 2 or block.dtype.kind not in "biufc":
        raise Malformed("not a block of numbers")
    return pd.DataFrame(
        block, index=read.expect(index, _LABELS), columns=read.expect(labels, _LABELS)
    )


def _range(inner, read):
    start, stop, step, name = read.many(several(inner, 4))
    bounds = (need(bound, int) for bound in (start, stop, step))
    return pd.RangeIndex(*bounds, name=name)


def _multi(inner, read):
    levels, codes, names = (read.expect(part, list) for part in several(inner, 3))
    return pd.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=True)


def _index(inner, read):
    values, freq, name = several(inner, 3)
    values, freq, name = _column(values, read), read(freq), read(name)
    made = pd.Index(values, dtype=values.dtype, name=name, tupleize_cols=False)
    if freq is not None:  # pandas checks that the times have it
        made.freq = times.offset_of(freq)
    return made


def _categorical(inner, read):
    codes, categories, ordered = several(inner, 3)
    codes, categories = read.expect(codes, np.ndarray), read.expect(categories, _LABELS)
    return pd.Categorical.from_codes(codes, categories, ordered=need(ordered, bool))


def _masked(inner, read):
    values, mask = (read.expect(part, np.ndarray) for part in several(inner, 2))
    kinds = dict(zip("iufb", (_MASKED[0], *_MASKED), strict=True))
    return kinds[values.dtype.kind](values, mask)


def _strings(inner, _):
    storage, nan, items = several(inner, 3)
    if storage not in ("python", "pyarrow"):
        raise Malformed("not a storage of strings")
    dtype = pd.StringDtype(storage, na_value=np.nan) if nan else pd.StringDtype(storage)
    items = [item if item is None else text(item) for item in need(items, list)]
    return pd.array(np.array(items, dtype=object), dtype=dtype)


def _sparse(inner, read):
    length, values, positions, fill = read.many(several(inner, 4))
    if not isinstance(values, np.ndarray) or not isinstance(positions, np.ndarray):
        raise Malformed("not the parts of a sparse array")
    whole = pd.arrays.SparseArray(np.zeros(0, values.dtype), fill_value=fill)
    # It checks that positions rise and lie inside.
    index = type(whole.sp_index)(need(length, int), positions.astype(np.int32))
    with warnings.catch_warnings():  # pandas 4 has another constructor, pandas 1 has this one
        warnings.simplefilter("ignore")
        return pd.arrays.SparseArray(values, sparse_index=index, fill_value=fill, dtype=whole.dtype)


def _closed(inner):
    if several(inner, 3)[2] not in _CLOSED:
        raise Malformed("not closed anywhere")
    return inner[2]


def _intervals(inner, read):
    closed = _closed(inner)
    left, right = (read.expect(part, _LABELS) for part in inner[:2])
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _interval(inner, read):
    closed = _closed(inner)
    left, right = read.many(inner[:2])
    return pd.Interval(left, right, closed=closed)


def _array(inner, read):
    values = _column(inner, read)
    return _PANDAS_ARRAY(values) if isinstance(values, np.ndarray) else values


READ = {
    "pd.na": lambda inner, _: pd.NA,
    "pd.frame": _frame,
    "pd.block": _block,
    "pd.series": _read_series,
    "pd.range": _range,
    "pd.multi": _multi,
    "pd.index": _index,
    "pd.array": _array,
    "pd.categorical": _categorical,
    "pd.masked": _masked,
    "pd.strings": _strings,
    "pd.sparse": _sparse,
    "pd.intervals": _intervals,
    "pd.interval": _interval,
    "pd.dtype": lambda inner, read: _column(inner, read).dtype,
    **times.READ,
}
