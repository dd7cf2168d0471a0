"""Text that somebody else wrote, made fit to be read: on a page, in a table, in a terminal."""

import unicodedata

LONGEST = 20_000  # characters of one text that are shown
# Marks that turn the direction of writing, so that words are read in another order than they have.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(text: str, longest: int = LONGEST) -> str:
    """``text`` with what no letter stands for named instead, as ``[U+202E]``, and cut where it is long.

    Control characters, halves of surrogate pairs and marks of direction would otherwise vanish, break
    a file's encoding, or show words in another order. Line ends of two characters become one.
    """
    shown = "".join(map(_named, text.replace("\r\n", "\n")))
    if len(shown) <= longest:
        return shown
    return f"{shown[:longest]}\n[{len(shown) - longest:,} more characters are kept in the record]"


def _named(letter: str) -> str:
    if letter in "\n\t":
        return letter
    if letter in _TURNS or unicodedata.category(letter) in ("Cc", "Cs"):
        return f"[U+{ord(letter):04X}]"
    return letter
