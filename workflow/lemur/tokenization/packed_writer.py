"""Writing a packed data set: the arrays first, ``index.json`` last."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lemur.core.arrays import save_array
from lemur.core.contracts import write_file
from lemur.core.files import write_json
from lemur.tokenization.described import Index, Packed
from lemur.tokenization.packed import SEGMENT


def write_names(base: Path, begins: np.ndarray, names: Sequence[str]) -> None:
    """``<base>.offsets.npy`` (uint64[documents + 1]) and ``<base>.names.json`` of a token file."""
    save_array(Path(f"{base}.offsets.npy"), begins.astype("<u8"))
    write_json(Path(f"{base}.names.json"), list(names))


def segments(file: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The three columns as one structured array."""
    made = np.empty(len(file), SEGMENT)
    made["file"], made["start"], made["length"] = file, start, length
    return made


def write_packed(
    out: Path,
    made: np.ndarray,
    sequences: np.ndarray,
    files: Sequence[Path],
    masks: Sequence[Path] | None,
    facts: Packed,
    realised: object,
) -> None:
    """Write ``out`` (``index.json``) and beside it the arrays and ``realised.json``.

    Token files are named relative to the index, so that a results folder can be moved.
    """

    def relative(paths: Sequence[Path]) -> tuple[str, ...]:
        return tuple(Path(os.path.relpath(path, out.parent)).as_posix() for path in paths)

    save_array(out.parent / "segments.npy", made)
    save_array(out.parent / "sequences.npy", sequences.astype("<u8"))
    write_file(out.parent / "realised.json", realised)
    index = Index(
        **vars(facts),
        sequences=len(sequences) - 1,
        tokens=int(made["length"].sum(dtype=np.int64)),
        files=relative(files),
        masks=None if masks is None else relative(masks),
    )
    write_file(out, index)
