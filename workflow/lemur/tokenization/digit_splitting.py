"""Digits, split without a splitter: an equal tokenizer that ``fastokens`` runs many times faster.

StarCoder's and SmolLM2's pre-tokenizer first makes every digit a piece of its own (``Digits``) and
then applies GPT-2's expression to what lies between (``ByteLevel``). ``fastokens`` has a fast way for
GPT-2's expression alone. The two differ little where no merge joins an ASCII digit to anything:
`` 123`` is then four tokens either way, and only where two or more white-space characters stand
before a digit, or where a numeral is not ASCII, does the expression cut elsewhere. A text cut in two
at those places gives the same tokens with the expression alone.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_PRE = {
    "type": "Sequence",
    "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTE_LEVEL],
}
_DIGITS = frozenset("0123456789")
_OTHER, _SPACE, _DIGIT, _NUMERAL, _UNKNOWN, _UNSEEN = range(6)
# Unicode's White_Space, which expressions mean by \s (Python's str.isspace has four more).
_WHITE = (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029)
_WHITE = frozenset((*_WHITE, 0x202F, 0x205F, 0x3000))


def _without_offsets(pre: Any) -> Any:
    """A pre-tokenizer less what changes no id."""
    if isinstance(pre, dict):
        return {key: _without_offsets(value) for key, value in pre.items() if key != "trim_offsets"}
    return [_without_offsets(step) for step in pre] if isinstance(pre, list) else pre


def undigited(declared: dict[str, Any]) -> dict[str, Any] | None:
    """The ``tokenizer.json`` with GPT-2's expression alone, where cut texts get the same ids by it.

    None where that cannot be told: another pre-tokenizer or normalizer, a token or merge of several
    characters with an ASCII digit, or an added token that is recognised in plain text.
    """
    model = declared["model"]
    if (
        declared.get("normalizer") is not None
        or _without_offsets(declared.get("pre_tokenizer")) != _PRE
        or model.get("type") != "BPE"
        or any(not token.get("special") for token in declared.get("added_tokens") or ())
    ):
        return None
    special = {token["content"] for token in declared.get("added_tokens") or ()}
    for token in model["vocab"]:
        if len(token) > 1 and not _DIGITS.isdisjoint(token) and token not in special:
            return None
    # A merge makes a token of the vocabulary, so no merge has a digit either.
    return {**declared, "pre_tokenizer": {**_BYTE_LEVEL, "trim_offsets": True}}


def _class(point: int) -> int:
    category = unicodedata.category(chr(point))
    return _NUMERAL if category[0] == "N" else _UNKNOWN if category == "Cn" else _OTHER


# The class of every code point; one beyond ASCII is asked for when a text first holds it.
_CLASSES = np.full(sys.maxunicode + 1, _UNSEEN, np.uint8)
_CLASSES[:128] = _OTHER
_CLASSES[list(_WHITE)] = _SPACE
_CLASSES[ord("0") : ord("9") + 1] = _DIGIT


def _places(text: str) -> list[int]:
    """Where to cut (ascending, none at the ends); ``LookupError`` for a character that is not known."""
    if text.isascii():
        classes = _CLASSES[np.frombuffer(text.encode("ascii"), np.uint8)]
        numerals = np.empty(0, np.int64)
    else:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        classes = _CLASSES[points]
        if classes.max() == _UNSEEN:
            for point in np.unique(points[classes == _UNSEEN]).tolist():
                _CLASSES[point] = _class(point)
            classes = _CLASSES[points]
        if classes.max() == _UNKNOWN:
            raise LookupError("a character newer than this Python")
        numerals = np.flatnonzero(classes == _NUMERAL)
    space = classes[:-1] == _SPACE
    after = np.flatnonzero(space[:-1] & space[1:] & (classes[2:] == _DIGIT)) + 2
    if not len(numerals):
        return after.tolist()
    found = np.unique(np.concatenate([after, numerals, numerals + 1]))
    return found[(found > 0) & (found < len(text))].tolist()


def cut(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """(pieces of all texts, int64[len(texts) + 1] which piece each text begins with)."""
    pieces: list[str] = []
    firsts = [0]
    for text in texts:
        begin = 0
        for place in _places(text):
            pieces.append(text[begin:place])
            begin = place
        pieces.append(text[begin:])
        firsts.append(len(pieces))
    return pieces, np.array(firsts, np.int64)


class Undigited:
    """``fastokens`` over ``undigited`` JSON, with ``encode_batch_flat`` as ``fastokens`` has it."""

    def __init__(self, inner: Any):
        self._inner = inner

    def encode_batch_flat(self, texts: Sequence[str], **options: Any) -> tuple[bytes, bytes]:
        pieces, firsts = cut(texts)
        ids, offsets = self._inner.encode_batch_flat(pieces, **options)
        return ids, np.frombuffer(offsets, "<u8")[firsts].tobytes()


def fast_tokenizer(declared: dict[str, Any]) -> Any:
    """``fastokens`` for the value of a ``tokenizer.json``; None where it cannot be had or refuses."""
    other = undigited(declared)
    # Its second pool of threads has a variable of its own; what a job may use is said in rayon's.
    if "RAYON_NUM_THREADS" in os.environ:
        os.environ.setdefault("FASTOKENS_BPE_THREADS", os.environ["RAYON_NUM_THREADS"])
    try:
        import fastokens

        made = fastokens.Tokenizer.from_json_str(json.dumps(other or declared, ensure_ascii=False))
    except Exception:  # whatever it is, the other path is exact
        return None
    return Undigited(made) if other else made
