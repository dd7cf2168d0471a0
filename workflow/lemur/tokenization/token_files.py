"""One part of a source's documents to one token file, shared by all recipes and studies.

``part-<i>-of-<P>.bin`` is the documents' ids in row order, each document followed by one end token,
little-endian; ``.offsets.npy`` (uint64[documents + 1]) is where each begins; ``.json`` describes
them and is written last. Nothing is left out here: held-out, duplicate and contaminated documents
are tokenized too, and the packer passes over them.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lemur.core.arrays import save_array
from lemur.core.contracts import write_file
from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.data.documents import Shard, batches, opened, total_bytes
from lemur.tokenization.described import TokenFile
from lemur.tokenization.encoder import Encoder

SAMPLE = 64  # documents on which equality of the two tokenizers is shown, spread over the part
SAMPLE_CHARACTERS = 2_000  # of each of them
SAMPLE_GROUPS = 4  # row groups that they are from: the whole part need not be read twice


@dataclass(frozen=True)
class TokenizeSpec:
    """``--spec``: the model whose tokenizer it is; ``lines: shuffled`` before, or as they are."""

    tokenizer: str
    lines: str | None = None


def _sample(path: Path) -> list[str]:
    """Beginnings of about ``SAMPLE`` documents, at equal distances in row groups at equal distances."""
    with opened(path) as file:
        sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
        filled = [k for k, rows in enumerate(sizes) if rows]  # a part may keep no document at all
        count = min(SAMPLE_GROUPS, len(filled))
        found = []
        for k in range(count):
            group = filled[len(filled) * k // count]
            texts = file.read_row_group(group, columns=["text"])["text"]
            rows = np.unique(np.linspace(0, len(texts) - 1, SAMPLE // count, dtype=int))
            found += [text[:SAMPLE_CHARACTERS] for text in texts.take(rows).to_pylist()]
    return found


def _with_ends(ids: np.ndarray, offsets: np.ndarray, encoder: Encoder) -> np.ndarray:
    """The documents' ids with one end token after each."""
    return np.insert(ids, offsets[1:].astype(np.int64), encoder.eos).astype(encoder.dtype)


def with_shuffled_lines(name: str, text: str) -> str:
    """The lines of a document in an order drawn from its name: what its lines say is kept, and what
    their order says is lost."""
    lines = text.split("\n")
    random.Random(name).shuffle(lines)  # noqa: S311 - a text seeds the same in every process
    return "\n".join(lines)


def tokenize(
    shard: Shard, encoder: Encoder, out: Path, *, shuffle_lines: bool = False
) -> TokenFile:
    """Write the three files of ``out`` (its ``.json``); returns what the ``.json`` says."""
    encoder.prove(_sample(shard.path))
    base = out.with_suffix("")
    lengths: list[np.ndarray] = []
    heldout = 0
    languages: dict[str, int] = {}
    columns = ("id", "text", "language", "heldout", "bytes")
    with (
        replacing(base.with_suffix(".bin")) as temporary,
        temporary.open("wb") as file,
        Progress(f"tokenize {shard.source}", total_bytes([shard.path]) / 1e6, "MB") as progress,
    ):
        for _, batch in batches(shard.path, columns):
            texts = batch["text"]
            if shuffle_lines:
                texts = list(map(with_shuffled_lines, batch["id"], texts))
            ids, offsets = encoder.encode(texts)
            file.write(_with_ends(ids, offsets, encoder).tobytes())
            counted = np.diff(offsets.astype(np.int64)) + 1
            lengths.append(counted)
            heldout += int(counted[np.array(batch["heldout"], bool)].sum())
            for language, length in zip(batch["language"], counted.tolist(), strict=True):
                languages[language] = languages.get(language, 0) + length
            progress.add(sum(batch["bytes"]) / 1e6)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *lengths]))])
    save_array(f"{base}.offsets.npy", offsets.astype("<u8"))
    described = TokenFile(
        source=shard.source,
        part=shard.part,
        parts=shard.parts,
        tokenizer_sha256=encoder.sha256,
        vocabulary=encoder.vocabulary,
        dtype=encoder.dtype.name,
        eos=encoder.eos,
        documents=len(offsets) - 1,
        tokens=int(offsets[-1]),
        heldout_tokens=heldout,
        languages=languages,
        fast=encoder.fast,
        fallback_documents=encoder.fallbacks,
    )
    write_file(out, described)
    return described
