"""Forms of Python's own values beyond numbers, texts and containers (``values``)."""

import array
import datetime
import decimal
import fractions
import re
import sys

from values import Malformed, need, several

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}")
_MICROSECOND = datetime.timedelta(microseconds=1)

# Those whose forms hold no value of another kind.
KINDS = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction)


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    if isinstance(value, datetime.datetime):
        return {"std.datetime": _parts(value)}
    if isinstance(value, datetime.date):
        return {"std.date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"std.time": _parts(value)}
    if isinstance(value, datetime.timedelta):
        return {"std.timedelta": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, decimal.Decimal):
        return {"std.decimal": str(value)}
    if isinstance(value, fractions.Fraction):
        return {"std.fraction": [hex(value.numerator), hex(value.denominator)]}
    if isinstance(value, array.array):
        return {"std.array": [value.typecode, write.many(value)]}
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


def _parts(value):
    """A datetime or time as [text, zone, fold]. A zone is its name, where it has one of the system, or
    its distance from UTC in microseconds; None where comparisons take a value as one without."""
    zone = None
    if type(value.tzinfo) is getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None):
        zone = value.tzinfo.key
    if zone is None and (offset := value.utcoffset()) is not None:
        zone = offset // _MICROSECOND
    return [value.replace(tzinfo=None).isoformat(), zone, value.fold]


def _time_of(kind):
    """What reads ``_parts`` of a kind."""

    def read(inner, _):
        text, zone, fold = several(inner, 3)
        value = kind.fromisoformat(need(text, str)).replace(fold=need(fold, int))
        if zone is None:
            return value
        if type(zone) is int:
            return value.replace(tzinfo=datetime.timezone(zone * _MICROSECOND))
        if not _ZONE.fullmatch(need(zone, str)):
            raise Malformed("not a time zone")
        import zoneinfo

        return value.replace(tzinfo=zoneinfo.ZoneInfo(zone))

    return read


def _array(inner, read):
    code, items = several(inner, 2)
    return array.array(need(code, str), read.many(items))


def _timedelta(inner, _):
    return datetime.timedelta(*(need(part, int) for part in several(inner, 3)))


def _fraction(inner, _):
    above, below = (int(need(part, str), 16) for part in several(inner, 2))
    return fractions.Fraction(above, below)


READ = {
    "std.array": _array,
    "std.datetime": _time_of(datetime.datetime),
    "std.date": lambda inner, _: datetime.date.fromisoformat(need(inner, str)),
    "std.time": _time_of(datetime.time),
    "std.timedelta": _timedelta,
    "std.decimal": lambda inner, _: decimal.Decimal(need(inner, str)),
    "std.fraction": _fraction,
    "std.slice": lambda inner, read: slice(*read.many(several(inner, 3))),
    "std.type": lambda inner, _: types()[need(inner, str)],
}
