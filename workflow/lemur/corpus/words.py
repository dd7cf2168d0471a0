"""Words of a text, counted without making any of them: runs between white space as ``str.split`` cuts.

Every character becomes a class (a byte), by ``bytes.translate`` where a text is ASCII and by a
table of code points where it is not; counting is then a few array steps.
"""

import functools

import numpy as np

_SPACE, _LETTER, _OTHER = 0, 1, 2


def _class(character: str) -> int:
    return _SPACE if character.isspace() else _LETTER if character.isalpha() else _OTHER


_ASCII = bytes(map(_class, map(chr, range(128)))) + bytes(128)


@functools.cache
def _plane() -> np.ndarray:
    """Classes of the first 65,536 code points; surrogates stand in no text."""
    return np.frombuffer(bytes(map(_class, map(chr, range(1 << 16)))), np.uint8)


def _classes(text: str) -> np.ndarray:
    if text.isascii():
        return np.frombuffer(text.encode("ascii").translate(_ASCII), np.uint8)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    beyond = points >= 1 << 16
    if not beyond.any():
        return _plane()[points]
    made = _plane()[np.where(beyond, 0, points)]
    for point in np.unique(points[beyond]):
        made[points == point] = _class(chr(point))
    return made


class Words:
    """``count`` of words; ``characters`` in all of them; ``alphabetic``: those with a letter."""

    def __init__(self, text: str):
        classes = _classes(text)
        inside = classes != _SPACE
        self.characters = int(np.count_nonzero(inside))
        self.count = _runs(inside)
        # What is no letter is left out of its word; a word of nothing else vanishes.
        self.alphabetic = _runs(classes[classes != _OTHER] == _LETTER)


def _runs(inside: np.ndarray) -> int:
    if not len(inside):
        return 0
    return int(inside[0]) + int(np.count_nonzero(inside[1:] > inside[:-1]))
