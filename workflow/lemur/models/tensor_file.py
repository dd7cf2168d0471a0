"""Safetensors files that are written and read a tensor at a time, hashed as they are written.

The library writes only what is in memory as a whole. The bytes are those that it would write; see
the format at https://github.com/huggingface/safetensors#format.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

NAMES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
DTYPES = {name: dtype for dtype, name in NAMES.items()}
CHUNK = 1 << 24  # bytes written and hashed at a time


@dataclass(frozen=True)
class Entry:
    """A tensor of a file: ``offset`` counts bytes from the beginning of the file (None: not written)."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    offset: int | None = None

    @property
    def count(self) -> int:
        """Numbers in it."""
        return torch.Size(self.shape).numel()

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self.count * self.dtype.itemsize


def _view(tensor: torch.Tensor) -> memoryview:
    """The bytes of a contiguous tensor on the CPU, without a copy."""
    return memoryview(tensor.reshape(-1).view(torch.uint8).numpy())


def write(
    path: Path,
    entries: Mapping[str, Entry],
    tensor_of: Callable[[str], torch.Tensor],
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Write a file of ``entries``, flush it to the disk, and return its sha256.

    ``tensor_of`` is asked for one tensor at a time, contiguous on the CPU and of its entry's dtype.
    Writing and hashing leave other threads of the process free to run.
    """
    ordered = sorted(entries.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    described, at = {}, 0
    for name, entry in ordered:
        described[name] = {
            "dtype": NAMES[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": [at, at + entry.size],
        }
        at += entry.size
    about = {"__metadata__": dict(metadata)} if metadata else {}
    text = json.dumps({**about, **described}, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with open(path, "wb", buffering=0) as file:

        def put(data: memoryview) -> None:
            for start in range(0, len(data), CHUNK):
                part = data[start : start + CHUNK]
                while part:  # a write may take less than it is given
                    written = file.write(part)
                    digest.update(part[:written])
                    part = part[written:]

        put(memoryview(len(text).to_bytes(8, "little") + text))
        for name, entry in ordered:
            tensor = tensor_of(name)
            assert tensor.dtype == entry.dtype and tensor.numel() == entry.count, name
            put(_view(tensor.contiguous()))
        os.fsync(file.fileno())
    return digest.hexdigest()


def entries(path: Path) -> dict[str, Entry]:
    """The tensors of a file, by name."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        described = json.loads(file.read(length))
    described.pop("__metadata__", None)
    return {
        name: Entry(
            DTYPES[found["dtype"]], tuple(found["shape"]), 8 + length + found["data_offsets"][0]
        )
        for name, found in described.items()
    }


def read(path: Path, entry: Entry, start: int, into: torch.Tensor) -> None:
    """Fill ``into``, 1-D on the CPU, with the numbers from ``start`` on of a file's tensor."""
    view = _view(into)
    assert into.dtype == entry.dtype and entry.offset is not None
    with open(path, "rb", buffering=0) as file:
        file.seek(entry.offset + start * entry.dtype.itemsize)
        at = 0
        while at < len(view):
            got = file.readinto(view[at : at + CHUNK])
            if not got:
                raise OSError(f"{path}: ends before its tensors do")
            at += got
