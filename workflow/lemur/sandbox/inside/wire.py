"""Plain data between runner and checker: framed JSON with tags, nothing that can carry code.

What has no plain form (a generator, an instance of a class of the program, a function of the test)
stays where it is, and a number for it travels.
"""

import os
import sys
from _collections import OrderedDict, deque  # without what `collections` imports

# The parts of `json` that are compiled: the module itself takes longer to import (it needs `re` and
# `enum`) than Python to start, and every program begins with it. Where they differ, `json` it is.
try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    class _Plain:
        strict = False
        object_hook = object_pairs_hook = None
        parse_float, parse_int = float, int
        parse_constant = {
            "NaN": float("nan"),
            "Infinity": float("inf"),
            "-Infinity": float("-inf"),
        }.__getitem__
        memo: dict = {}

    def _default(value):
        raise TypeError(f"{type(value).__name__} is not plain")

    _scan = make_scanner(_Plain)

    def dumps(value):
        """JSON text of plain data."""
        write = make_encoder(
            {}, _default, encode_basestring_ascii, None, ":", ",", False, False, True
        )
        return "".join(write(value, 0))

    def loads(text):
        """The value of a JSON text that begins with it and holds nothing else."""
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            raise ValueError("not JSON") from None
        if end != len(text):
            raise ValueError("more than one value")
        return value

    loads(dumps([{"a": [1, 2.5, None, True]}]))
except (ImportError, TypeError, ValueError):
    from json import dumps, loads

LIMIT = 32 << 20  # bytes of one message


class Closed(Exception):
    """The other side is gone."""


class TooLarge(Exception):
    """A message above LIMIT."""


def send(channel, value, limit=LIMIT):
    """Write one framed message of at most ``limit`` bytes to the file descriptor ``channel``."""
    data = dumps(value).encode("utf-8", "surrogatepass")
    if len(data) > limit:
        raise TooLarge(f"a value of {len(data)} bytes is too large to be compared")
    left = memoryview(len(data).to_bytes(4, "little") + data)
    try:
        while left:
            left = left[os.write(channel, left) :]
    except OSError:
        raise Closed from None


def receive(channel, limit=LIMIT):
    """Read one framed message of at most ``limit`` bytes; Closed at its end."""
    size = int.from_bytes(_exactly(channel, 4), "little")
    if size > limit:
        raise TooLarge(f"a message of {size} bytes")
    return loads(_exactly(channel, size).decode("utf-8", "surrogatepass"))


def serve(channel, answer, limit=LIMIT):
    """Send back ``answer(request)`` for every message until the other side is gone."""
    while True:
        reply = answer(receive(channel))
        try:
            send(channel, reply, limit)
        except TooLarge:
            send(channel, {"error": "the results are too large"})


def _exactly(channel, size):
    parts = []
    while size:
        try:
            part = os.read(channel, min(size, 1 << 20))
        except OSError:
            raise Closed from None
        if not part:
            raise Closed
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def describe(error):
    """What the test's side is told of an exception of the program."""
    number = getattr(error, "errno", None)
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    return {"raised": type(error).__name__, "errno": number, "text": text}


_KEYS, _ITEMS = type({}.keys()), type({}.items())
_LIBRARY = ("datetime", "decimal", "fractions")
TYPES = {kind.__name__: kind for kind in (bool, int, float, complex, str, bytes)}
TYPES |= {kind.__name__: kind for kind in (list, tuple, set, frozenset, dict, type(None))}
MUTABLE = {"list": list, "set": set, "bytearray": bytearray, "deque": deque}
MUTABLE |= {"OrderedDict": OrderedDict, "dict": dict}  # an OrderedDict is a dict, too
# Those of modules that few programs import: kind -> module.
IMPORTED = {"Counter": "collections", "array": "array"}


def encode(value, other, number=None):
    """Tagged JSON of ``value``; ``other(value)`` gives the form of what is no plain data.

    Subclasses of plain types travel as the plain type: their own ``__eq__`` must not be asked.
    ``number(value)``, if given, is asked for every value that ``kind_of`` names: None, or the number
    by which both sides know it, and whether they do already.
    """
    if value is None or value is True or value is False:
        return value
    if value is Ellipsis:
        return {"ellipsis": 0}
    if isinstance(value, int):
        whole = int(value)
        return whole if abs(whole) < 2**53 else {"int": hex(whole)}
    if isinstance(value, float):
        return {"float": float.hex(float(value))}
    if isinstance(value, complex):
        return {"complex": [float.hex(value.real), float.hex(value.imag)]}
    if isinstance(value, str):
        return str.__str__(value)
    if number is not None and kind_of(value) is not None:
        known = number(value)
        if known is not None:
            at, met = known
            return {"same": at} if met else {"new": [at, contents(value, other, number)]}
    found = contents(value, other, number)
    if found is None and any(name in sys.modules for name in _LIBRARY):
        import standard

        if isinstance(value, standard.KINDS):
            found = standard.form(value, None)
    if found is None and isinstance(value, type) and TYPES.get(value.__name__) is value:
        found = {"type": value.__name__}
    return other(value) if found is None else found


def kind_of(value):
    """The kind of a container that can be changed, None for anything else. Those that are told apart
    compare in ways of their own: the order of an OrderedDict counts, a zero of a Counter does not."""
    for name, module in IMPORTED.items():
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(value, kind):
            return name
    for name, kind in MUTABLE.items():
        if isinstance(value, kind):
            return name
    return None


def contents(value, other, number):
    """The form of a container or of bytes, None if ``value`` is neither."""

    def each(items):
        return [encode(item, other, number) for item in items]

    kind = kind_of(value)
    if kind in ("list", "set"):
        return {kind: each(MUTABLE[kind].__iter__(value))}
    if kind == "OrderedDict":  # which keeps its order beside that of a dictionary
        return {kind: [each(pair) for pair in OrderedDict.items(value)]}
    if kind in ("dict", "Counter"):
        return {kind: [each(pair) for pair in dict.items(value)]}
    if kind == "deque":
        return {kind: [value.maxlen, each(deque.__iter__(value))]}
    if kind == "array":
        return {kind: [value.typecode, each(value)]}
    for name in ("tuple", "frozenset"):
        if isinstance(value, TYPES[name]):
            return {name: each(TYPES[name].__iter__(value))}
    if isinstance(value, (bytes, bytearray)):
        return {kind or "bytes": bytes(value).hex()}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, _KEYS):
        return {"keys": each(value)}
    if isinstance(value, _ITEMS):
        return {"items": [each(pair) for pair in value]}
    return None


def decode(value, other):
    """The reverse of ``encode``; ``other(tag, inner)`` reads every form that ``encode`` got from its
    own ``other`` and ``number``."""
    if not isinstance(value, dict):
        if isinstance(value, (list, float)):
            raise ValueError("not a tagged value")
        return value
    ((tag, inner),) = value.items()
    if tag == "ellipsis":
        return Ellipsis
    if tag == "int":
        return int(inner, 16)
    if tag == "float":
        return float.fromhex(inner)
    if tag == "complex":
        return complex(float.fromhex(inner[0]), float.fromhex(inner[1]))
    if tag == "bytes":
        return bytes.fromhex(inner)
    if tag == "range":
        return range(*inner)
    if tag in MUTABLE or tag in IMPORTED:
        return fill(make_empty(tag, inner), inner, other)
    if tag in ("tuple", "frozenset"):
        items = (decode(item, other) for item in inner)
        return tuple(items) if tag == "tuple" else frozenset(items)
    if tag == "keys":
        return dict.fromkeys(decode(item, other) for item in inner).keys()
    if tag == "items":
        return fill({}, inner, other).items()
    if tag == "type":
        return TYPES[inner]
    if tag[:4] == "std.":
        import standard

        return standard.READ[tag](inner, None)
    return other(tag, inner)


def make_empty(kind, inner):
    """An empty container of a kind, as wide as ``inner``, its form, says."""
    if kind == "deque":
        return deque(maxlen=inner[0])
    if kind == "array":
        from array import array

        return array(inner[0])
    if kind == "Counter":
        from collections import Counter

        return Counter()
    return MUTABLE[kind]()


def fill(made, inner, other):
    """``made`` with the contents of the form of a container of its kind."""
    kind = kind_of(made)
    if kind == "array":
        del made[:]
    else:
        made.clear()
    if kind == "bytearray":
        made += bytes.fromhex(inner)
    elif isinstance(made, dict):
        for key, item in inner:
            made[decode(key, other)] = decode(item, other)
    elif kind == "set":
        made.update(decode(item, other) for item in inner)
    else:
        made.extend(decode(item, other) for item in (inner if kind == "list" else inner[1]))
    return made
