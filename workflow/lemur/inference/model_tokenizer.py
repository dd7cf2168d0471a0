"""A model folder's tokenizer: texts to ids, answers to text, and the tokens that end one.

What a prompt or a document says is data: the name of a control token in it (``<s>`` in a page of
HTML, ``<|endoftext|>`` in a program) is encoded as the characters that it is made of, as training
reads it. Only the markers that a chat template sets are control tokens.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from lemur.core.errors import UserError
from lemur.tokenization.encoder import read_data_tokenizer

# Tokens of a prompt that an answer is decoded after: more than a character is ever cut into.
TAIL = 8


def load(folder: Path | str) -> Any:
    """The tokenizer of a Hugging Face folder; UserError where it is missing or cannot be read."""
    folder = Path(folder)
    for name in ("config.json", "tokenizer_config.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: not a model folder, {name} is missing")
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        raise UserError(f"{folder}: no tokenizer (neither tokenizer.json nor tokenizer.model)")
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the library raises whatever its parsers raise
        why = " ".join(str(error).split())[:200]
        raise UserError(f"{folder}: its tokenizer cannot be read ({why})") from None


def encode(tokenizer: Any, text: str, begin: bool = True) -> list[int]:
    """Ids of a prompt made of data; ``begin``: after the beginning token that the tokenizer adds."""
    return tokenizer.encode(text, add_special_tokens=begin, split_special_tokens=True)


def encode_chat(tokenizer: Any, text: str, begin: bool = True) -> list[int]:
    """Ids of a prompt in a chat template, whose markers are control tokens; a beginning token that
    the tokenizer adds is not added twice."""
    token = tokenizer.bos_token
    special = begin and not (token and text.startswith(token))
    return tokenizer.encode(text, add_special_tokens=special)


def document_encoder(folder: Path | str, tokenizer: Any) -> Callable[[str], list[int]]:
    """What gives the ids of a document as training has them, with nothing before or after it.

    transformers rebuilds some tokenizers (Llama 2's) with other ids for a few texts than their
    ``tokenizer.json`` gives, which is what a corpus is tokenized with.
    """
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        return lambda text: encode(tokenizer, text, begin=False)
    read = read_data_tokenizer(path)
    return lambda text: read.encode(text, add_special_tokens=False).ids


class Decoding:
    """Text of the tokens that follow a prompt, as they follow it.

    Decoders of Llama 2's kind strip the blank that a text begins with, so that an answer decoded
    alone would be joined to its prompt without it ("SELECT" and "Name").
    """

    def __init__(self, tokenizer: Any, prompt: Sequence[int] = ()):
        self.tokenizer = tokenizer
        for tail in (prompt[-TAIL:], prompt):
            self.tail = [*tail]
            self.start = decode(tokenizer, self.tail)
            if self.start:  # else these are control tokens, which have no text
                break

    def __call__(self, ids: Sequence[int]) -> str:
        """Text of ``ids``, without control tokens."""
        if self.start:
            whole = decode(self.tokenizer, [*self.tail, *ids])
            if whole.startswith(self.start):
                return whole[len(self.start) :]
        return decode(self.tokenizer, ids)


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """Text of ``ids`` without control tokens, exactly: no blank before a full stop is taken out."""
    if not ids:
        return ""
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def stop_ids(tokenizer: Any, generation_end: int | Iterable[int] | None) -> frozenset[int]:
    """Tokens that end a response: those of the generation settings and the tokenizer, and
    ``<|im_end|>`` and ``<|endoftext|>`` where the tokenizer has them as one token."""
    found: set[int | None] = set()
    for given in (generation_end, tokenizer.eos_token_id):
        found.update(given if isinstance(given, (list, tuple)) else [given])
    for text in ("<|im_end|>", "<|endoftext|>"):
        number = tokenizer.convert_tokens_to_ids(text)
        if number is not None and number != tokenizer.unk_token_id:
            found.add(number)
    return frozenset(number for number in found if number is not None)
