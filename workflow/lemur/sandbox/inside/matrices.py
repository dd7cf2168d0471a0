"""Forms of SciPy's values (``values``). Its compiled loops trust a matrix's indices, so that every
index of a matrix that a program made is checked before one runs over it."""

import numpy as np
import scipy.sparse
from values import Malformed, need, several

_COMPRESSED = ("csr", "csc", "bsr")
_FORMATS = (*_COMPRESSED, "coo", "dia", "lil", "dok")


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    if scipy.sparse.issparse(value):
        kind = f"{value.format}_{'matrix' if isinstance(value, scipy.sparse.spmatrix) else 'array'}"
        if value.format in _COMPRESSED:
            parts = (value.data, value.indices, value.indptr)
        elif value.format == "dia":
            parts = (value.data, value.offsets)
        else:
            coordinates = value.tocoo()
            parts = (coordinates.data, coordinates.row, coordinates.col)
        return {"scipy.sparse": [kind, list(map(int, value.shape)), write.many(parts)]}
    if _result() is not None and isinstance(value, _result()):
        return {"scipy.result": [write.many(pair) for pair in dict.items(value)]}
    return None


def _result():
    import sys

    optimize = sys.modules.get("scipy.optimize")
    return optimize and optimize.OptimizeResult


def _sparse(inner, read):
    kind, shape, parts = several(inner, 3)
    kept, _, family = need(kind, str).partition("_")
    if kept not in _FORMATS or family not in ("matrix", "array"):
        raise Malformed("not a sparse format")
    rows, columns = (need(size, int) for size in several(shape, 2))
    if min(rows, columns) < 0:
        raise Malformed("a negative size")
    parts = [read.expect(part, np.ndarray) for part in need(parts, list)]
    if any(part.dtype.kind not in "iu" for part in parts[1:]):
        raise Malformed("not indices")
    if parts[0].dtype.kind not in "biufc":
        raise Malformed("not numbers")
    if kept in _COMPRESSED:
        made = getattr(scipy.sparse, kind)(tuple(several(parts, 3)), shape=(rows, columns))
        made.check_format(full_check=True)
        return made
    if kept == "dia":
        made = scipy.sparse.dia_matrix(tuple(several(parts, 2)), shape=(rows, columns))
    else:
        data, row, column = several(parts, 3)
        for part, size in ((row, rows), (column, columns)):
            if len(part) and (part.min() < 0 or part.max() >= size):
                raise Malformed("an index outside")
        made = scipy.sparse.coo_matrix((data, (row, column)), shape=(rows, columns))
    return getattr(scipy.sparse, kind)(made)


def _optimized(inner, read):
    """Its items are attributes too (``values.text``): names are those of results alone."""
    import scipy.optimize

    made = scipy.optimize.OptimizeResult()
    for pair in need(inner, list):
        name, value = read.many(several(pair, 2))
        if not need(name, str).isidentifier() or name.startswith("_"):
            raise Malformed("not the name of a result")
        dict.__setitem__(made, name, value)
    return made


READ = {"scipy.sparse": _sparse, "scipy.result": _optimized}
