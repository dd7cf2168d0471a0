"""Forms of pandas' times (``frames``): whole numbers of a unit, a listed kind of time zone, and a
frequency's own text."""

import datetime
import re

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from values import Malformed, NoForm, need, several

_UNITS = ("s", "ms", "us", "ns")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}")
_FREQUENCY = re.compile(r"(-?[0-9]{0,9}[A-Za-z]+(-[A-Za-z0-9]+)?){1,8}")


def form(value):
    """The form of a single time, None if ``value`` is none."""
    if value is pd.NaT:
        return {"pd.nat": 0}
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        bare = value.asm8
        fields = [str(bare.view("i8")), np.datetime_data(bare.dtype)[0]]
        if isinstance(value, pd.Timestamp):
            return {"pd.timestamp": [*fields, zone(value.tz)]}
        return {"pd.timedelta": fields}
    if isinstance(value, pd.Period):
        return {"pd.period": [str(value.ordinal), frequency(value.freq)]}
    if isinstance(value, pd.offsets.BaseOffset):
        return {"pd.offset": frequency(value)}
    return None


def array_form(array, write):
    """The form of an array of times, None if ``array`` is none."""
    if isinstance(array, pd.arrays.PeriodArray):
        return {"pd.periods": [write(np.asarray(array.asi8)), frequency(array.freq)]}
    if isinstance(array, (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)):
        fields = [write(np.asarray(array.asi8)), getattr(array, "unit", "ns")]
        if isinstance(array, pd.arrays.DatetimeArray):
            return {"pd.datetimes": [*fields, zone(array.tz)]}
        return {"pd.timedeltas": fields}
    return None


def frequency(offset):
    """The text of an offset, None for none; NoForm where the text does not make it again."""
    if offset is None:
        return None
    try:
        if _FREQUENCY.fullmatch(offset.freqstr) and to_offset(offset.freqstr) == offset:
            return offset.freqstr
    except ValueError:
        pass
    raise NoForm(f"the frequency {offset!r} has no text of its own")


def offset_of(text):
    """The offset of ``frequency``."""
    if not _FREQUENCY.fullmatch(need(text, str)):
        raise Malformed("not a frequency")
    return to_offset(text)


def zone(tz):
    """A time zone as (kind, name or minutes), None for none."""
    if tz is None:
        return None
    family = type(tz).__module__.partition(".")[0]
    if family == "pytz":
        return ["pytz", tz.zone] if tz.zone else ["offset", tz._minutes]
    if family == "zoneinfo":
        return ["zoneinfo", tz.key]
    if isinstance(tz, datetime.timezone):
        return ["fixed", int(tz.utcoffset(None).total_seconds())]
    raise NoForm(f"the time zone {tz!r} is not of a listed kind")


def zone_of(form):
    """The time zone of ``zone``."""
    if form is None:
        return None
    kind, name = several(form, 2)
    if kind == "fixed":
        shift = datetime.timedelta(seconds=need(name, int))
        return datetime.timezone(shift) if shift else datetime.UTC
    if kind == "offset":
        import pytz

        return pytz.FixedOffset(need(name, int))
    if not _ZONE.fullmatch(need(name, str)):
        raise Malformed("not a time zone")
    if kind == "pytz":
        import pytz

        return pytz.timezone(name)
    if kind != "zoneinfo":
        raise Malformed("not a kind of time zone")
    import zoneinfo

    return zoneinfo.ZoneInfo(name)


def _unit(unit):
    if unit not in _UNITS:
        raise Malformed("not a unit of time")
    return unit


def _number(text):
    return int(need(text, str))


def _timestamp(inner, _):
    number, unit, tz = several(inner, 3)
    made = pd.Timestamp(np.datetime64(_number(number), _unit(unit)))
    return made if tz is None else made.tz_localize("UTC").tz_convert(zone_of(tz))


def _timedelta(inner, _):
    number, unit = several(inner, 2)
    return pd.Timedelta(np.timedelta64(_number(number), _unit(unit)))


def _period(inner, _):
    number, freq = several(inner, 2)
    return pd.Period(ordinal=_number(number), freq=offset_of(freq))


def _numbers(form, read):
    numbers = read.expect(form, np.ndarray)
    if numbers.dtype != np.int64 or numbers.ndim != 1:
        raise Malformed("not a row of whole numbers")
    return numbers


def _datetimes(inner, read):
    numbers, unit, tz = several(inner, 3)
    made = pd.DatetimeIndex(_numbers(numbers, read).view(f"M8[{_unit(unit)}]"))
    if tz is not None:
        made = made.tz_localize("UTC").tz_convert(zone_of(tz))
    return made.array


def _timedeltas(inner, read):
    numbers, unit = several(inner, 2)
    return pd.TimedeltaIndex(_numbers(numbers, read).view(f"m8[{_unit(unit)}]")).array


def _periods(inner, read):
    numbers, freq = several(inner, 2)
    dtype = pd.PeriodDtype(offset_of(freq))
    return pd.arrays.PeriodArray(_numbers(numbers, read), dtype=dtype)


READ = {
    "pd.nat": lambda inner, _: pd.NaT,
    "pd.timestamp": _timestamp,
    "pd.timedelta": _timedelta,
    "pd.period": _period,
    "pd.periods": _periods,
    "pd.offset": lambda inner, _: offset_of(inner),
    "pd.datetimes": _datetimes,
    "pd.timedeltas": _timedeltas,
}
