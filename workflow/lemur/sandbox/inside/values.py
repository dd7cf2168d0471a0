"""Values of data-science programs as tagged JSON: plain data, nothing that can carry code.

``encode`` runs beside the program and is not trusted. ``decode`` runs beside the test: it takes
apart what any program may have written. Every form is rebuilt by the public constructor of a listed
type from checked buffers and plain values, never by a name that the text gives: no pickle, no
attribute set by name, no dtype or time zone that is not of a listed shape. Where a library's
compiled code trusts its indices (sparse matrices) they are checked first. Instances of subclasses
travel as the listed type: their own ``__eq__`` is never asked. An object met twice is one object
afterwards too; memory that two arrays share is not shared any more.
"""

import binascii
import collections
import importlib
import itertools
import sys
import types

import wire

ITEMS = 1_000_000  # of an iterator
# A tag's prefix -> (the library that must be there for a value of it to be, the module with its
# forms), in the order in which they are asked: a Timestamp is a datetime, NumPy's float64 a float.
FORMS = {
    "tf": ("tensorflow", "tensors"),
    "torch": ("torch", "tensors"),
    "pd": ("pandas", "frames"),
    "scipy": ("scipy", "matrices"),
    "np": ("numpy", "arrays"),
    "std": ("sys", "standard"),
}
_PLAIN = (int, float, complex, str, bytes, bytearray, range)
_SEQUENCES = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_MAPPINGS = {
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
}
_VIEWS = (type({}.keys()), type({}.values()), type({}.items()))
# What yields its items once: programs leave it where a list is expected.
_ITERATORS = (map, zip, filter, enumerate, reversed, types.GeneratorType, itertools.chain)
_ITERATORS += tuple(type(iter(empty)) for empty in ([], (), {}, set(), "", range(0)))


class NoForm(Exception):
    """A value that cannot leave its process as data."""


class Malformed(Exception):
    """A text that is not the form of any value."""


def encode(value):
    """The form of ``value``; NoForm where it, or a part of it, has none."""
    return Writer()(value)


def decode(form):
    """The value of a form. Raises nothing but Malformed, whatever it is given."""
    try:
        return Reader()(form)
    except Malformed:
        raise
    except Exception as error:
        raise Malformed(f"{type(error).__name__}: {error}"[:300]) from None


def pack(data):
    """Bytes as text."""
    return binascii.b2a_base64(data, newline=False).decode()


def unpack(text):
    """The bytes of ``pack``."""
    return binascii.a2b_base64(need(text, str), strict_mode=True)


def need(value, *kinds):
    """``value`` if its type is one of the kinds."""
    if type(value) not in kinds:
        raise Malformed(f"a {type(value).__name__} where {kinds[0].__name__} belongs")
    return value


def text(value):
    """``value`` if it is a text that is no special name. A label of a pandas series is an attribute
    of it too, and NumPy reads memory at the address that ``__array_interface__`` names."""
    if need(value, str).startswith("__") and value.endswith("__"):
        raise Malformed("a text like a special name")
    return value


def several(value, number):
    """``value`` if it is a list of ``number`` parts."""
    if len(need(value, list)) != number:
        raise Malformed(f"{len(value)} parts where {number} belong")
    return value


class Writer:
    """Writes one value. Every object that is not a leaf has a number, in the order of meeting."""

    def __init__(self):
        self.met = {}  # id -> (number, object): held, so that no id is used twice

    def __call__(self, value):
        kind = type(value)
        if value is None or kind in (bool, int, float, str):
            return wire.encode(value, _no_handle)
        if id(value) in self.met:
            return {"same": self.met[id(value)][0]}
        self.met[id(value)] = (len(self.met), value)
        for library, module in FORMS.values():
            if library in sys.modules:
                form = importlib.import_module(module).form(value, self)
                if form is not None:
                    return form
        if isinstance(value, _PLAIN) or value is Ellipsis:
            return {"plain": wire.encode(value, _no_handle)}
        form = self._container(value)
        if form is None:
            raise NoForm(f"a value of type {kind.__module__}.{kind.__qualname__} is not plain data")
        return form

    def many(self, values):
        """The forms of several values."""
        return [self(value) for value in values]

    def _container(self, value):
        fields = getattr(type(value), "_fields", None)
        if isinstance(value, tuple) and isinstance(fields, tuple) and len(fields) == len(value):
            return {"named": [list(map(str, fields)), self.many(tuple.__iter__(value))]}
        for tag, kind in _SEQUENCES.items():
            if isinstance(value, kind):
                return {tag: self.many(kind.__iter__(value))}
        if isinstance(value, collections.deque):
            return {"deque": [value.maxlen, self.many(value)]}
        for tag, kind in reversed(_MAPPINGS.items()):
            if isinstance(
                value, kind
            ):  # an OrderedDict keeps its order beside that of a dictionary
                return {tag: [self.many(pair) for pair in kind.items(value)]}
        if isinstance(value, _VIEWS):
            return {"view": [_VIEWS.index(type(value)), self.many(value)]}
        if isinstance(value, _ITERATORS):
            return {"iterator": self.many(drawn(value))}
        return None


def drawn(iterator):
    """The items that an iterator still has."""
    items = list(itertools.islice(iterator, ITEMS + 1))
    if len(items) > ITEMS:
        raise NoForm(f"an iterator of more than {ITEMS} items")
    return items


def _no_handle(value):
    raise NoForm(f"a value of type {type(value).__name__} is not plain data")


class Reader:
    """Reads one value. ``met`` holds what ``same`` may name."""

    def __init__(self):
        self.met = []

    def __call__(self, form):
        if type(form) is not dict:
            return text(form) if type(form) is str else need(form, type(None), bool, int)
        if len(form) != 1:
            raise Malformed("not one tag")
        ((tag, inner),) = form.items()
        if tag in ("int", "float"):
            return wire.decode({tag: need(inner, str)}, None)
        if tag == "same":
            found = self.met[inner] if need(inner, int) >= 0 else None
            if found is None:
                raise Malformed("a part that is not there yet")
            return found
        number = len(self.met)
        self.met.append(None)
        value = self._value(tag, inner, number)
        self.met[number] = value
        return value

    def many(self, forms):
        """The values of several forms."""
        return [self(form) for form in need(forms, list)]

    def expect(self, form, *kinds):
        """The value of a form, which must be an instance of one of the kinds."""
        value = self(form)
        if not isinstance(value, kinds):
            raise Malformed(f"a {type(value).__name__} where {kinds[0].__name__} belongs")
        return value

    def _value(self, tag, inner, number):
        prefix = tag.partition(".")[0]
        if prefix in FORMS:
            return importlib.import_module(FORMS[prefix][1]).READ[tag](inner, self)
        if tag == "list":  # it may hold itself
            self.met[number] = value = []
            value.extend(map(self, need(inner, list)))
            return value
        if tag in _SEQUENCES:
            return _SEQUENCES[tag](self.many(inner))
        if tag in _MAPPINGS:
            self.met[number] = value = _MAPPINGS[tag]()
            for pair in need(inner, list):
                key, item = self.many(several(pair, 2))
                value[key] = item
            return value
        return _READ[tag](inner, self)


def _plain(inner, _):
    if type(inner) is not dict:
        return text(inner) if type(inner) is str else need(inner, int, bool)
    ((tag, inside),) = inner.items()
    if tag in ("complex", "range"):
        inside = list(inside)
    elif tag not in ("int", "float", "bytes", "bytearray", "ellipsis"):
        raise Malformed("not a plain value")
    return wire.decode({tag: inside}, None)


def _named(inner, read):
    """A tuple whose items have names too, of a type made here."""
    names, values = several(inner, 2)
    values = tuple(read.many(values))
    for name in need(names, list):
        if not need(name, str).isidentifier() or name.startswith("_"):
            raise Malformed("not the name of a field")
    if len(names) != len(values):
        raise Malformed("not a name for each field")
    fields = {name: property(lambda self, at=at: self[at]) for at, name in enumerate(names)}
    return type("Named", (tuple,), {"__slots__": (), "_fields": tuple(names)} | fields)(values)


def _view(inner, read):
    which, items = several(inner, 2)
    items = read.many(items)
    if need(which, int) == 0:
        return dict.fromkeys(items).keys()
    return dict(enumerate(items)).values() if which == 1 else dict(items).items()


def _deque(inner, read):
    maximum, items = several(inner, 2)
    return collections.deque(read.many(items), need(maximum, int, type(None)))


_READ = {
    "deque": _deque,
    "plain": _plain,
    "named": _named,
    "view": _view,
    "iterator": lambda inner, read: iter(read.many(inner)),
}
