"""What went wrong at a step: updates that were skipped, losses that stand out, and on which documents."""

import json
from collections import deque
from pathlib import Path

import numpy as np

from lemur.core.files import read_json
from lemur.tokenization.packed import PackedDataset

WINDOW = 100  # losses that a new one is compared with
LEAST = 20  # of them before anything is called a spike
FAR = 6.0  # standard deviations above their mean; and never less than this share of it:
RISE = 0.1
SHOWN = 12  # documents named in one message


class Watch:
    """Marks of metrics.jsonl, from the losses before; the same whether a run was resumed or not."""

    def __init__(self, metrics: Path | None = None):
        """``metrics``: lines that a checkpoint kept."""
        self.losses: deque[float] = deque(maxlen=WINDOW)
        self.skipped = 0
        self.in_a_row = 0
        for line in metrics.read_text(encoding="utf-8").splitlines() if metrics else ():
            self.marks(json.loads(line)["loss"])

    def marks(self, loss: float | None) -> dict[str, bool]:
        """``{}``, ``{"skipped": True}`` or ``{"spike": True}`` of the next step; None: not finite."""
        if loss is None:
            self.skipped += 1
            self.in_a_row += 1
            return {"skipped": True}
        self.in_a_row = 0
        before = np.array(self.losses)
        self.losses.append(loss)
        if len(before) < LEAST:
            return {}
        mean = float(before.mean())
        far = loss - mean > max(FAR * float(before.std()), RISE * abs(mean))
        return {"spike": True} if far else {}


def documents(data: PackedDataset, numbers: list[int]) -> str:
    """The documents of packed sequences, named as the run's own files name them, shortened.

    Pretraining: source, part and row of the cleaned documents; fine-tuning: source and id of the
    conversation; the token file and offset where nothing beside it says more.
    """
    names: list[str] = []
    for number in numbers:
        begin, end = int(data.sequences[number]), int(data.sequences[number + 1])
        for segment in data.segments[begin:end]:
            path = data.path.parent / data.index.files[int(segment["file"])]
            name = _name(path, int(segment["start"]))
            if name not in names:
                names.append(name)
    rest = len(names) - SHOWN
    return "; ".join(names[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def _name(tokens: Path, start: int) -> str:
    base = tokens.with_suffix("")
    offsets, about = Path(f"{base}.offsets.npy"), base.with_suffix(".json")
    if not offsets.is_file():
        return f"{tokens.name} at token {start}"
    begins = np.load(offsets, mmap_mode="r", allow_pickle=False)
    row = int(np.searchsorted(begins, np.uint64(start), side="right")) - 1
    listed = Path(f"{base}.names.json")
    if listed.is_file():
        return str(read_json(listed)[row])
    if about.is_file():
        described = read_json(about)
        return f"{described['source']} part {described['part']} row {row}"
    return f"{tokens.name} row {row}"
