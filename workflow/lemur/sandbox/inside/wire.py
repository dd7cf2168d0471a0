"""Plain data between runner and checker: framed JSON with tags, nothing that can carry code.

What has no plain form (a generator, an instance of a class of the program) stays where it is and
travels as a handle.
"""

import os

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


def encode(value, handle):
    """Tagged JSON of ``value``; ``handle(value)`` gives a number to what has no plain form.

    Subclasses of plain types travel as the plain type: their own ``__eq__`` must not be asked.
    """
    if value is None or value is True or value is False:
        return value
    if value is Ellipsis:
        return {"ellipsis": 0}
    if isinstance(value, int):
        number = int(value)
        return number if abs(number) < 2**53 else {"int": hex(number)}
    if isinstance(value, float):
        return {"float": float.hex(float(value))}
    if isinstance(value, complex):
        return {"complex": [float.hex(value.real), float.hex(value.imag)]}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).hex()}
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return {kind.__name__: [encode(item, handle) for item in kind.__iter__(value)]}
    if isinstance(value, dict):
        pairs = dict.items(value)
        return {"dict": [[encode(key, handle), encode(item, handle)] for key, item in pairs]}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    return {"handle": handle(value)}


def decode(value, handle):
    """The reverse of ``encode``; ``handle(number)`` gives what stands for a handle."""
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
    if tag == "dict":
        return {decode(key, handle): decode(item, handle) for key, item in inner}
    if tag == "range":
        return range(*inner)
    if tag == "handle":
        return handle(inner)
    kinds = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
    return kinds[tag](decode(item, handle) for item in inner)
