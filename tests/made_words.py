"""A tokenizer of numbered words, for models made at random."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel


def save_words(folder: Path, vocabulary: int) -> None:
    """A tokenizer of ``vocabulary`` words beside a made model: training takes no folder without one."""
    words = {"<|endoftext|>": 0, **{f"w{n}": n for n in range(1, vocabulary)}}
    Tokenizer(WordLevel(words, unk_token="<|endoftext|>")).save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "<|endoftext|>", "tokenizer_class": "PreTrainedTokenizerFast"})
    )
