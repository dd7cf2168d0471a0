"""The weights of a model folder as files of at most 5 GB, each written by one of several processes.

Nobody holds more than one tensor. Files, their names and their bytes are those that transformers
writes from one process that holds all of them (``lemur.models.folder.save_weights``).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from huggingface_hub import split_state_dict_into_shards_factory

from lemur.models import tensor_file
from lemur.models.tensor_file import Entry

LARGEST = "5GB"
INDEX = "model.safetensors.index.json"


def _natural(name: str) -> list[tuple[int, int | str, int]]:
    """Sorts layer 10 after layer 9, as transformers does before it divides weights among files."""
    made: list[tuple[int, int | str, int]] = []
    for part in name.split("."):
        if part.isdigit():
            made.append((0, int(part), 0))
        else:
            text = part.rstrip("0123456789")
            made.append((1, text, int(part[len(text) :] or -1)))
    return made


class Division:
    """Which tensors are in which file; ``shapes`` by name."""

    def __init__(self, shapes: Mapping[str, torch.Size], dtype: torch.dtype):
        self.entries = {
            name: Entry(dtype, tuple(shapes[name])) for name in sorted(shapes, key=_natural)
        }
        self.split = split_state_dict_into_shards_factory(
            self.entries,
            get_storage_size=lambda entry: entry.size,
            filename_pattern="model{suffix}.safetensors",
            max_shard_size=LARGEST,
        )
        self.files = list(self.split.filename_to_tensors)

    def write(self, target: Path, file: str, tensor_of: Callable[[str], torch.Tensor]) -> str:
        """Write one of ``files`` into the folder ``target`` and return its sha256."""
        mine = {name: self.entries[name] for name in self.split.filename_to_tensors[file]}
        return tensor_file.write(target / file, mine, tensor_of, {"format": "pt"})

    def write_index(self, target: Path) -> None:
        """Say which tensor is where, if there are several files."""
        if not self.split.is_sharded:
            return
        count = sum(entry.count for entry in self.entries.values())
        metadata = {"total_parameters": count, **self.split.metadata}
        index = {"metadata": metadata, "weight_map": self.split.tensor_to_filename}
        text = json.dumps(index, indent=2, sort_keys=True) + "\n"
        (target / INDEX).write_text(text, encoding="utf-8")
