"""Reading a checkpoint: any slice of any tensor of it, whoever wrote it.

One rank writes whole tensors, a file a kind (``parameters.safetensors``, ``exp_avg.safetensors``);
several ranks write a file each (``rank-<n>.safetensors``) of slices of flattened tensors, named
``<kind>:<start>:<name>``. A reader finds its own slices in either, so that the number of ranks and
the ZeRO stage may change between two runs, and no rank reads more than it needs.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch

from lemur.models import tensor_file
from lemur.training.manifest import Manifest

PARAMETERS = "parameters"
RANK = "rank-"


@dataclass(frozen=True, order=True)
class Slice:
    """``count`` numbers of a flattened tensor from ``start`` on; ``kind``: parameters or a moment."""

    kind: str
    name: str
    start: int
    count: int

    @property
    def key(self) -> str:
        """Its name in a rank's file."""
        return f"{self.kind}:{self.start}:{self.name}"


def slice_of(key: str, count: int) -> Slice:
    """The slice that ``key`` names in a rank's file."""
    kind, start, name = key.split(":", 2)
    return Slice(kind, name, int(start), count)


class Stored:
    """A verified checkpoint, read lazily; ``manifest`` is its checkpoint.json."""

    def __init__(self, path: Path, manifest: Manifest):
        self.path, self.updates = path, manifest.updates
        self.pieces: dict[tuple[str, str], list[tuple[Slice, Path, tensor_file.Entry]]]
        self.pieces = defaultdict(list)
        for file in sorted(manifest.files):
            if not file.endswith(".safetensors"):
                continue
            for name, entry in tensor_file.entries(path / file).items():
                if file.startswith(RANK):
                    found = slice_of(name, entry.count)
                else:
                    found = Slice(Path(file).stem, name, 0, entry.count)
                self.pieces[found.kind, found.name].append((found, path / file, entry))

    def read(self, wanted: Slice) -> torch.Tensor:
        """The numbers of a slice: 1-D, float32, on the CPU."""
        into = torch.empty(wanted.count, dtype=torch.float32)
        filled = 0
        for found, file, entry in self.pieces[wanted.kind, wanted.name]:
            start = max(wanted.start, found.start)
            end = min(wanted.start + wanted.count, found.start + found.count)
            if start < end:
                part = into[start - wanted.start : end - wanted.start]
                tensor_file.read(file, entry, start - found.start, part)
                filled += end - start
        # Ranks' slices never overlap: fewer numbers means that there are some that nobody wrote.
        assert filled == wanted.count, f"{self.path}: {wanted} has {filled} numbers"
        return into

    def whole(self, kind: str, name: str, shape: torch.Size) -> torch.Tensor:
        """A whole tensor: float32, on the CPU."""
        return self.read(Slice(kind, name, 0, shape.numel())).reshape(shape)
