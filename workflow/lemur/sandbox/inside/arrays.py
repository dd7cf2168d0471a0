"""Forms of NumPy's values (``values``): a checked dtype and the buffer; objects one by one."""

import math
import re

import numpy as np
from values import Malformed, NoForm, drawn, need, pack, several, text, unpack

_DTYPE = re.compile(r"[<>|=]?[?biufcmMSUV]\d*(\[\d*[A-Za-z]+\])?")


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    if isinstance(value, np.generic):
        return {"np.scalar": [describe(value.dtype), pack(np.asarray(value).tobytes())]}
    if isinstance(value, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(value)
        return {"np.masked": write.many((value.data, mask, np.asarray(value.fill_value)))}
    for tag, kind in (("np.matrix", np.matrix), ("np.record", np.recarray)):
        if isinstance(value, kind):
            return {tag: write(np.ndarray.view(value, np.ndarray))}
    if isinstance(value, np.ndarray):
        return array(np.ndarray.view(value, np.ndarray), write)
    if isinstance(value, np.dtype) and not value.hasobject:
        return {"np.dtype": describe(value)}
    if isinstance(value, np.dtype) and value.kind == "O" and value.names is None:
        return {"np.dtype": "O"}
    if isinstance(value, np.poly1d):
        return {"np.poly1d": write.many((value.coeffs, str(value.variable)))}
    if isinstance(value, (np.flatiter, np.nditer, np.ndenumerate)):
        return {"iterator": write.many(drawn(value))}
    return None


def array(value, write):
    """The form of an array of numbers, texts, times or records, or of objects."""
    shape = list(map(int, value.shape))
    if value.dtype.kind == "O":
        return {"np.objects": [shape, write.many(value.ravel().tolist())]}
    order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    return {"np.array": [describe(value.dtype), shape, pack(value.tobytes(order)), order]}


def describe(dtype, inside=False):
    """A dtype as text, or the list of its fields. Records of truth values have none, since the bytes
    of such a field could be neither true nor false."""
    if dtype.hasobject or dtype.kind == "b" and inside:
        raise NoForm(f"a record with fields of {dtype}")
    if dtype.names is not None:
        fields = []
        for name in dtype.names:
            base, shape = dtype[name].base, list(dtype[name].shape)
            fields.append([name, describe(base, inside=True), shape])
        return fields
    return dtype.str


def dtype_of(form):
    """The dtype of ``describe``. It never holds objects."""
    if type(form) is list:
        fields = []
        for field in form:
            name, base, shape = several(field, 3)
            fields.append((text(name), dtype_of(base), sizes(shape)))
            if fields[-1][1].kind == "b":
                raise Malformed("a record of truth values")
        return np.dtype(fields)
    if not _DTYPE.fullmatch(need(form, str)):
        raise Malformed("not a dtype")
    return np.dtype(form)


def sizes(shape):
    """A shape."""
    shape = tuple(need(size, int) for size in need(shape, list))
    if any(size < 0 for size in shape):
        raise Malformed("a negative size")
    return shape


def buffer(form, shape, packed, order="C"):
    """The array of a dtype's description, a shape and packed bytes."""
    dtype, shape, data = dtype_of(form), sizes(shape), unpack(packed)
    if math.prod(shape) * dtype.itemsize != len(data) or order not in ("C", "F"):
        raise Malformed("an array of another size")
    if not data:
        return np.zeros(shape, dtype)
    if dtype.kind == "b":  # a byte other than 0 and 1 would be neither
        return (np.frombuffer(data, np.uint8) != 0).reshape(shape, order=order)
    made = np.frombuffer(bytearray(data), dtype)
    _check(made)
    return made.reshape(shape, order=order)


def _check(array):
    """Every text of an array is one (``values.text``)."""
    if array.dtype.kind == "U":
        for value in np.unique(array).tolist():
            text(value)
    for name in array.dtype.names or ():
        _check(array[name])


def _objects(inner, read):
    shape, items = several(inner, 2)
    items = read.many(items)
    if math.prod(sizes(shape)) != len(items):
        raise Malformed("an array of another size")
    made = np.empty(len(items), object)
    for number, item in enumerate(items):
        made[number] = item
    return made.reshape(sizes(shape))


def _masked(inner, read):
    data, mask, fill = (read.expect(form, np.ndarray) for form in several(inner, 3))
    if mask.dtype != bool or mask.shape != data.shape:
        raise Malformed("not the array's mask")
    return np.ma.MaskedArray(data, mask, fill_value=fill[()] if fill.ndim == 0 else None)


def _poly1d(inner, read):
    numbers, variable = several(inner, 2)
    return np.poly1d(read.expect(numbers, np.ndarray), variable=need(read(variable), str))


def _dtype(inner, _):
    return np.dtype(object) if inner == "O" else dtype_of(inner)


READ = {
    "np.array": lambda inner, _: buffer(*several(inner, 4)),
    "np.scalar": lambda inner, _: buffer(several(inner, 2)[0], [1], inner[1])[0],
    "np.objects": _objects,
    "np.masked": _masked,
    "np.matrix": lambda inner, read: np.asmatrix(read.expect(inner, np.ndarray)),
    "np.record": lambda inner, read: read.expect(inner, np.ndarray).view(np.recarray),
    "np.dtype": _dtype,
    "np.poly1d": _poly1d,
}
