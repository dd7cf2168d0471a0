"""Plain data between runner and checker: framed JSON with tags, nothing that can carry code.

What has no plain form (a generator, an instance of a class of the program) stays where it is and
travels as a handle.
"""

import json
import struct

LIMIT = 32 << 20  # bytes of one message


class Closed(Exception):
    """The other side is gone."""


class TooLarge(Exception):
    """A message above LIMIT."""


def send(channel, value):
    """Write one framed message."""
    data = json.dumps(value).encode("utf-8", "surrogatepass")
    if len(data) > LIMIT:
        raise TooLarge(f"a value of {len(data)} bytes is too large to be compared")
    try:
        channel.sendall(struct.pack("<I", len(data)) + data)
    except OSError:
        raise Closed from None


def receive(channel):
    """Read one framed message; Closed at its end."""
    size = struct.unpack("<I", _exactly(channel, 4))[0]
    if size > LIMIT:
        raise TooLarge(f"a message of {size} bytes")
    return json.loads(_exactly(channel, size).decode("utf-8", "surrogatepass"))


def _exactly(channel, size):
    parts = []
    while size:
        try:
            part = channel.recv(min(size, 1 << 20))
        except OSError:
            raise Closed from None
        if not part:
            raise Closed
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


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
