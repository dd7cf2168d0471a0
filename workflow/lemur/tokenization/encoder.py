"""Text to token ids: the ids of Hugging Face ``tokenizers``, taken from a faster library if it can.

``fastokens`` gives the same ids many times faster, but not for every tokenizer and, in some
versions, not for every document. So the fast path is used for a tokenizer only after its ids were
equal on a sample of the documents at hand and on hard strings (``prove``), and a document on which
it raises is encoded by ``tokenizers`` alone.

Corpus text is data: a ``<|endoftext|>`` that stands in a file is encoded as the characters it is
made of, never as the control token (``encode_special_tokens`` of ``tokenizers``,
``split_special_tokens`` of ``fastokens``). No token is added before or after a text.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of
from lemur.core.memory import Worker
from lemur.tokenization.digit_splitting import fast_tokenizer

DOCUMENT_END = "<|endoftext|>"
# Digits, white space, line ends, controls, joiners, scripts and special tokens: where the
# pre-tokenizers of two libraries part.
HARD = (
    "",
    " ",
    "\t\n \r\n\r  \n",
    "x = 1234567890\n    y  12 .5e-3\t7",
    "don't WE'LL it's 'S \u2019s",
    "\x00\x01\x04\x06\x0b\x0c\x1d\x7f\x85\u00a0\u2028\u3000\ufeff",
    "caf\u00e9 cafe\u0301 \u1e9b\u0323 \ufb01 \u212b",
    "\u4f60\u597d\u4e16\u754c \u0417\u0434\u0440\u0430\u0432 \u0645\u0631\u062d\u0628\u0627 \u0e2a\u0e27",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U000f0000 \U0010fffd \u0660\u0661\u00b2\u00bd",
    "<|endoftext|><|im_start|>user\n<|im_end|> <s></s><unk>[INST] <|begin_of_text|>",
    "\u2581\u2581a \u0120b <0x0A>",
    "\n\n1  2\u00a0 3 \n4\u2003\u2003\u0665\u0666 \u00be\u2163  \u00b25\u00b3\u00b3 a1b \u3007 6",
)


def width(vocabulary: int) -> np.dtype:
    """How wide a stored token is: uint16 up to 65,536 entries, else uint32, little-endian."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def read_data_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a ``tokenizer.json`` as data are read: whole, and the names of control tokens
    as the characters that they are made of. UserError for a file that is none."""
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:
        raise UserError(f"{path}: not a tokenizer ({error})") from None
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = True
    return made


class Encoder:
    """The tokenizer in a model folder (``tokenizer.json`` and ``tokenizer_config.json``).

    ``vocabulary`` is the largest id plus one; ``dtype`` the width of a stored token; ``eos`` the id
    written after every document: ``<|endoftext|>`` where the tokenizer has it (the ``eos_token`` of
    a chat model often ends a turn, not a document), else the ``eos_token``; ``sha256`` that of
    ``tokenizer.json``; ``fallbacks`` counts the documents on which the fast path raised.
    """

    def __init__(self, folder: Path | str):
        path = Path(folder) / "tokenizer.json"
        self.slow = read_data_tokenizer(path)
        self.sha256 = sha256_of(path)
        self.vocabulary = max(self.slow.get_vocab(with_added_tokens=True).values()) + 1
        self.dtype = width(self.vocabulary)
        self.eos = self._document_end(Path(folder))
        declared = json.loads(path.read_text(encoding="utf-8"))
        if declared["model"].get("dropout"):
            raise UserError(f"{path}: BPE dropout is on, so ids differ every time; set it to null")
        declared["truncation"] = declared["padding"] = None
        self._fast = fast_tokenizer(declared)
        self._worker = Worker()
        self.fast = False
        self.fallbacks = 0

    def _document_end(self, folder: Path) -> int:
        found = self.slow.token_to_id(DOCUMENT_END)
        if found is not None:
            return found
        named = read_json(folder / "tokenizer_config.json").get("eos_token")
        named = named["content"] if isinstance(named, dict) else named
        found = self.slow.token_to_id(named) if named else None
        if found is None:
            raise UserError(f"{folder}: no {DOCUMENT_END} and no eos_token to end documents with")
        return found

    def prove(self, sample: Sequence[str]) -> bool:
        """Take the fast path if its ids are equal on ``sample`` and on hard strings."""
        texts = [*HARD, *sample]
        self.fast, self.fallbacks = self._fast is not None, 0
        if self.fast:
            ids, offsets = self.encode(texts)
            want, ends = self._slow(texts)
            self.fast = np.array_equal(ids, want) and np.array_equal(offsets, ends)
        self.fallbacks = 0
        return self.fast

    def encode(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """ids of all texts in a row (uint32) and where each begins (uint64[len(texts) + 1])."""
        if not self.fast:
            return self._slow(texts)
        try:
            return self._flat(list(texts))
        except Exception:  # one text out of many: find it
            if len(texts) < 2:
                self.fallbacks += 1
                return self._slow(texts)
        middle = len(texts) // 2
        first, starts = self.encode(texts[:middle])
        second, ends = self.encode(texts[middle:])
        return np.concatenate([first, second]), np.concatenate([starts, ends[1:] + starts[-1]])

    def _flat(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        ids, offsets = self._worker.run(
            lambda: self._fast.encode_batch_flat(texts, split_special_tokens=True),
            sum(map(len, texts)),
        )
        return np.frombuffer(ids, "<u4"), np.frombuffer(offsets, "<u8")

    def _slow(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        encoded = self.slow.encode_batch_fast(list(texts), add_special_tokens=False)
        rows = [np.array(encoding.ids, "<u4") for encoding in encoded]
        ends = np.cumsum([0, *(len(row) for row in rows)]).astype("<u8")
        return np.concatenate([np.zeros(0, "<u4"), *rows]), ends
