"""A part of what is sent as one archive, with the same bytes whenever and wherever it is packed."""

import zipfile
from pathlib import Path

from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.publish.offer import Part

# When a file was made is not part of what it is; no zip holds an earlier time.
MADE = (1980, 1, 1, 0, 0, 0)
CHUNK = 1 << 20


def pack(part: Part, out: Path) -> Path:
    """Write ``out``, a zip of the part's files in the order of their places, and return it.

    Weights and Parquet are compressed already: the zip compresses nothing.
    """
    with (
        Progress(f"pack {part.name}", part.size, "bytes") as progress,
        replacing(out) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        for file in sorted(part.files, key=lambda file: file.place):
            info = zipfile.ZipInfo(file.place, MADE)
            info.external_attr = 0o644 << 16
            with (
                open(file.path, "rb") as source,
                archive.open(info, "w", force_zip64=True) as target,
            ):
                while block := source.read(CHUNK):
                    target.write(block)
                    progress.add(len(block))
    return out
