"""A small byte-level BPE tokenizer of our own, for recipes whose model is too small for 49k tokens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from lemur.chat.chatml import END, START, TEMPLATE
from lemur.core.errors import UserError
from lemur.core.files import write_json, write_text
from lemur.tokenization.encoder import DOCUMENT_END

SPECIAL = (DOCUMENT_END, START, END)  # ids 0, 1 and 2


def train(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A tokenizer of ``vocabulary`` entries: 3 special ones, all 256 bytes, and merges.

    Digits stand alone and other text is split by GPT-2's pattern, as in SmolLM2's tokenizer. Every
    string can be encoded and decoded again. The same texts in the same order give the same file.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return tokenizer


def equal_parts(kinds: Mapping[str, Sequence[Iterable[bytes]]], size: int) -> Iterator[str]:
    """Texts of every kind, ``size`` bytes of each; the last text of a kind is cut there.

    ``kinds`` maps a kind to its archives, each the contents of its members. Archives take turns, so
    that a large one does not stand for its kind. What is no UTF-8 is passed over. ``UserError`` where
    a kind holds less.
    """
    for kind, archives in kinds.items():
        left, waiting = size, [iter(archive) for archive in archives]
        while left and waiting:
            for archive in list(waiting):
                content = next(archive, None)
                if content is None:
                    waiting.remove(archive)
                    continue
                try:
                    content.decode()
                except UnicodeDecodeError:
                    continue
                text = content[:left].decode(errors="ignore")
                left = max(0, left - len(content))
                if text:
                    yield text
        if left:
            raise UserError(f"--spec: bytes: {size} are more than the archives hold of {kind} ({size - left})")  # fmt: skip


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the two files that ``AutoTokenizer.from_pretrained`` reads."""
    write_text(folder / "tokenizer.json", tokenizer.to_str(pretty=False) + "\n")
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": DOCUMENT_END,
            "eos_token": DOCUMENT_END,
            "pad_token": DOCUMENT_END,
            "unk_token": None,
            "clean_up_tokenization_spaces": False,
            "model_max_length": 1 << 20,
            "chat_template": TEMPLATE,
        },
    )
