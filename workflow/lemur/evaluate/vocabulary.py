"""A model folder's tokenizer: loaded with one clear line for what is wrong, and its stop tokens."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from lemur.errors import UserError


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
    """Ids of ``text``; a beginning token that the tokenizer adds is not added twice, and with
    ``begin`` false not at all."""
    token = tokenizer.bos_token
    special = begin and not (token and text.startswith(token))
    return tokenizer.encode(text, add_special_tokens=special)


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
