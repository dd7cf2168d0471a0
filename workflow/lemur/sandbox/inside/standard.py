"""Forms of Python's own values beyond numbers, texts and containers (``values``)."""

import datetime
import decimal
import fractions
import sys

from values import need, several

# Those whose forms hold no value of another kind.
KINDS = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction)


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    if isinstance(value, datetime.datetime):
        offset = value.utcoffset()
        seconds = None if offset is None else int(offset.total_seconds())
        return {"std.datetime": [value.replace(tzinfo=None).isoformat(), seconds, value.fold]}
    if isinstance(value, datetime.date):
        return {"std.date": value.isoformat()}
    if isinstance(value, datetime.time) and value.tzinfo is None:
        return {"std.time": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"std.timedelta": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, decimal.Decimal):
        return {"std.decimal": str(value)}
    if isinstance(value, fractions.Fraction):
        return {"std.fraction": [hex(value.numerator), hex(value.denominator)]}
    if isinstance(value, slice):
        return {"std.slice": write.many((value.start, value.stop, value.step))}
    if isinstance(value, type) and _name(value) in types():
        return {"std.type": _name(value)}
    return None


def _name(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def types():
    """Types that may stand as a value, by name: Python's own and NumPy's."""
    known = [bool, int, float, complex, str, bytes, list, tuple, dict, set, type(None)]
    if numpy := sys.modules.get("numpy"):
        known += [*numpy.sctypeDict.values(), numpy.ndarray]
    return {_name(kind): kind for kind in known}


def _datetime(inner, _):
    text, seconds, fold = several(inner, 3)
    value = datetime.datetime.fromisoformat(need(text, str)).replace(fold=need(fold, int))
    if seconds is None:
        return value
    offset = datetime.timedelta(seconds=need(seconds, int))
    return value.replace(tzinfo=datetime.timezone(offset))


def _timedelta(inner, _):
    return datetime.timedelta(*(need(part, int) for part in several(inner, 3)))


def _fraction(inner, _):
    above, below = (int(need(part, str), 16) for part in several(inner, 2))
    return fractions.Fraction(above, below)


READ = {
    "std.datetime": _datetime,
    "std.date": lambda inner, _: datetime.date.fromisoformat(need(inner, str)),
    "std.time": lambda inner, _: datetime.time.fromisoformat(need(inner, str)),
    "std.timedelta": _timedelta,
    "std.decimal": lambda inner, _: decimal.Decimal(need(inner, str)),
    "std.fraction": _fraction,
    "std.slice": lambda inner, read: slice(*read.many(several(inner, 3))),
    "std.type": lambda inner, _: types()[need(inner, str)],
}
