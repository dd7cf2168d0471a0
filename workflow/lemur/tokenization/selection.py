"""What of a source may be trained on: its documents less the held-out and the dropped ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.data.documents import Shard, batches
from lemur.tokenization.described import TokenFile

REASONS = ("heldout", "duplicate", "decontaminated")


@dataclass
class Source:
    """The usable documents of one source, in row order; arrays have one entry a document.

    ``file`` is the token file's number in ``files``, ``start`` and ``length`` the document's tokens
    in it (its end token among them), ``language`` a number in ``languages``; ``dropped`` counts the
    documents left out by the first reason that holds, in the order of ``REASONS``.
    """

    name: str
    files: list[Path] = field(default_factory=list)
    file: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    start: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    length: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    language: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    languages: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))

    @property
    def tokens(self) -> int:
        """Tokens of all usable documents."""
        return int(self.length.sum())


def token_parts(paths: Sequence[Path]) -> tuple[dict[tuple[str, int], Path], TokenFile]:
    """{(source, part): its token file's .json}, and one of them: all are of one tokenizer."""
    found: dict[tuple[str, int], Path] = {}
    first = read_file(TokenFile, Path(paths[0]))
    for path in map(Path, paths):
        part = read_file(TokenFile, path)
        for key in ("tokenizer_sha256", "vocabulary", "dtype", "eos"):
            if (mine := getattr(part, key)) != (others := getattr(first, key)):
                raise UserError(
                    f"{path}: {key} is {mine}, other token files have {others}; "
                    "tokenize all sources with one tokenizer"
                )
        found[part.source, part.part] = path
    return found, first


def _offsets(described: Path, rows: int) -> np.ndarray:
    path = described.with_suffix(".offsets.npy")
    try:
        offsets = np.load(path, allow_pickle=False).astype(np.int64)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: not a whole offsets file ({error}); tokenize again") from None
    if len(offsets) != rows + 1:
        raise UserError(
            f"{path}: {len(offsets) - 1} documents, the parquet has {rows}; tokenize again"
        )
    return offsets


def _keep(
    shard: Shard, heldout: np.ndarray, drops: Mapping[str, set[tuple[int, int]]], source: Source
) -> np.ndarray:
    """bool[rows]: may be used; counts the reasons of those that may not."""
    keep = ~heldout
    source.dropped["heldout"] += int(heldout.sum())
    for reason in REASONS[1:]:
        rows = np.array(sorted(row for part, row in drops[reason] if part == shard.part), np.int64)
        if len(rows) and not (rows[0] >= 0 and rows[-1] < len(keep)):
            raise UserError(
                f"{shard.path}: has {len(keep)} documents, a list of {reason} documents names row "
                f"{rows[-1]}; make that list again"
            )
        source.dropped[reason] += int(keep[rows].sum())
        keep[rows] = False
    return keep


def usable(
    name: str,
    shards: Sequence[Shard],
    parts: Mapping[tuple[str, int], Path],
    duplicate: set[tuple[int, int]],
    decontaminated: set[tuple[int, int]],
) -> Source:
    """Read one source's flags and offsets; no text and no token is touched."""
    source = Source(name)
    drops = {"duplicate": duplicate, "decontaminated": decontaminated}
    numbers: dict[str, int] = {}
    columns: dict[str, list[np.ndarray]] = {"file": [], "start": [], "length": [], "language": []}
    for shard in sorted(candidate for candidate in shards if candidate.source == name):
        if (name, shard.part) not in parts:
            raise UserError(f"source '{name}': part {shard.part} has no token file")
        described = parts[name, shard.part]
        held: list[bool] = []
        language: list[int] = []
        for _, batch in batches(shard.path, ("heldout", "language"), 65536):
            held += batch["heldout"]
            language += [numbers.setdefault(name, len(numbers)) for name in batch["language"]]
        offsets = _offsets(described, len(held))
        keep = _keep(shard, np.array(held, bool), drops, source)
        columns["file"].append(np.full(int(keep.sum()), len(source.files)))
        columns["start"].append(offsets[:-1][keep])
        columns["length"].append(np.diff(offsets)[keep])
        columns["language"].append(np.array(language, np.int64)[keep])
        source.files.append(described.with_suffix(".bin"))
    if not source.files:
        raise UserError(f"source '{name}' is in the plan but no documents of it are given")
    for key, arrays in columns.items():
        setattr(source, key, np.concatenate([np.zeros(0, np.int64), *arrays]))
    source.languages = list(numbers)
    return source
