"""Packed sequences read from memory-mapped token files, and which of them a training step sees.

A packed data set is an ``index.json`` with ``segments.npy`` and ``sequences.npy`` beside it.
Sequence k is the segments ``sequences[k]:sequences[k + 1]``; a segment is a run of tokens of one
document in one token file. No token is copied: a mixture is an index into shared files.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.tokenization.described import Index
from lemur.tokenization.shuffle import permute

SEGMENT = np.dtype([("file", "<u4"), ("start", "<u8"), ("length", "<u4")])
IGNORED = -100  # the label that torch.nn.functional.cross_entropy leaves out


def _array(path: Path, dtype: np.dtype) -> np.ndarray:
    try:
        made = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (it belongs beside index.json)") from None
    except (ValueError, EOFError) as error:
        raise UserError(f"{path}: not a whole .npy file ({error})") from None
    if made.dtype != dtype or made.ndim != 1:
        raise UserError(f"{path}: holds {made.dtype}, expected {dtype}")
    return made


class PackedDataset:
    """``dataset[k]`` is packed sequence k; files are opened when first needed, read-only.

    Each item is a dict of arrays of length ``context``:
    ``input_ids`` int64 (``eos`` where padding); ``labels`` int64, already shifted: ``labels[t]``
    is the token to predict after ``input_ids[t]``, -100 at the last token of a document or of the
    sequence, in padding and where the mask of the predicted token is 0; ``segment_ids`` int32,
    0, 1, ... a document inside the sequence, -1 in padding; ``position_ids`` int64, from 0 in each
    document (and in the padding).
    """

    def __init__(self, index: Path | str):
        self.path = Path(index)
        self.index = read_file(Index, self.path)
        self.context, self.eos = self.index.context, self.index.eos
        self.vocabulary = self.index.vocabulary
        self.dtype = np.dtype(self.index.dtype).newbyteorder("<")
        self.segments = _array(self.path.parent / "segments.npy", SEGMENT)
        self.sequences = _array(self.path.parent / "sequences.npy", np.dtype("<u8"))
        if len(self.sequences) != self.index.sequences + 1 or self.sequences[-1] != len(
            self.segments
        ):
            raise UserError(
                f"{self.path}: says {self.index.sequences} sequences, the arrays beside it hold "
                f"{len(self.sequences) - 1}; pack it again"
            )
        self._maps: dict[tuple[str, int], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.sequences) - 1

    def check_files(self) -> None:
        """Whether every token file and mask is there, before a long run meets the first that is not."""
        for path in self.files():
            if not path.is_file():
                raise UserError(f"{path}: no such token file; {self.path} points to it")

    def files(self) -> list[Path]:
        """Every token file and mask."""
        return [self.path.parent / name for name in (*self.index.files, *(self.index.masks or ()))]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}  # a worker process opens its own maps

    def _path(self, kind: str, number: int) -> Path:
        names = self.index.files if kind == "files" else self.index.masks or ()
        return self.path.parent / names[number]

    def _map(self, kind: str, number: int) -> np.ndarray:
        """Token file (kind ``files``) or mask (kind ``masks``) by number, as a flat array."""
        if (kind, number) not in self._maps:
            path = self._path(kind, number)
            dtype = self.dtype if kind == "files" else np.dtype("u1")
            try:
                self._maps[kind, number] = np.memmap(path, dtype=dtype, mode="r")
            except FileNotFoundError:
                raise UserError(f"{path}: no such token file; {self.path} points to it") from None
            except ValueError as error:
                raise UserError(f"{path}: not a whole token file ({error})") from None
        return self._maps[kind, number]

    def _run(self, kind: str, segment: np.void) -> np.ndarray:
        start, length = int(segment["start"]), int(segment["length"])
        run = self._map(kind, int(segment["file"]))[start : start + length]
        if len(run) != length:
            path = self._path(kind, int(segment["file"]))
            raise UserError(f"{path}: shorter than {self.path} says; tokenize it again")
        return run

    def __getitem__(self, k: int) -> dict[str, np.ndarray]:
        if not 0 <= k < len(self):
            raise IndexError(k)
        ids = np.full(self.context, self.eos, np.int64)
        labels = np.full(self.context, IGNORED, np.int64)
        documents = np.full(self.context, -1, np.int32)
        positions = np.zeros(self.context, np.int64)
        at = 0
        for number, segment in enumerate(
            self.segments[int(self.sequences[k]) : int(self.sequences[k + 1])]
        ):
            tokens = self._run("files", segment)
            end = at + len(tokens)
            ids[at:end] = tokens
            documents[at:end] = number
            positions[at:end] = np.arange(len(tokens))
            labels[at : end - 1] = tokens[1:]
            if self.index.masks is not None:
                labels[at : end - 1][self._run("masks", segment)[1:] == 0] = IGNORED
            at = end
        positions[at:] = np.arange(self.context - at)
        return {
            "input_ids": ids,
            "labels": labels,
            "segment_ids": documents,
            "position_ids": positions,
        }


def batch(size: int, per_step: int, seed: int, step: int) -> np.ndarray:
    """The sequences (int64[per_step], in order) of one optimiser step, over all ranks together.

    A pure function: step ``step`` (from 0) takes places ``step * per_step`` and following of an
    endless stream in which each epoch is the data set (``size`` sequences) in another order, so
    nothing but the step number is needed to resume, and an epoch sees each sequence exactly once
    also where ``per_step`` does not divide ``size``.
    """
    if size <= 0:
        raise UserError("the packed data set has no sequences; give it a larger token budget")
    places = step * per_step + np.arange(per_step, dtype=np.int64)
    epochs, inside = places // size, places % size
    chosen = np.empty(per_step, np.int64)
    for epoch in np.unique(epochs):
        here = epochs == epoch
        chosen[here] = permute(inside[here], size, seed, int(epoch))
    return chosen


def steps(size: int, per_step: int, epochs: float = 1.0) -> int:
    """Whole optimiser steps in ``epochs`` passes over ``size`` sequences, at least one."""
    return max(1, int(size * epochs) // per_step)
