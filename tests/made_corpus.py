"""Small cleaned documents in the corpus stage's format, for tests of what reads them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

TOKENIZER = Path(__file__).resolve().parents[1] / "config" / "tokenizers" / "smoke-4k"


def document(text: str, language: str = "python", heldout: bool = False) -> dict[str, Any]:
    """One row; the id is the text's sha256, as the cleaner writes it."""
    return {
        "id": hashlib.sha256(text.encode()).hexdigest(),
        "path": f"{hashlib.sha256(text.encode()).hexdigest()[:6]}.txt",
        "language": language,
        "licence": "MIT",
        "text": text,
        "bytes": len(text.encode()),
        "heldout": heldout,
    }


def write_part(
    root: Path, source: str, rows: Sequence[dict[str, Any]], part: int = 0, parts: int = 1
) -> Path:
    """Write ``<root>/<source>/part-<part>-of-<parts>.parquet``."""
    folder = root / source
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-{part}-of-{parts}.parquet"
    schema = pa.schema(
        [(key, pa.string()) for key in ("id", "path", "language", "licence", "text")]
        + [("bytes", pa.int64()), ("heldout", pa.bool_())]
    )
    parquet.write_table(pa.Table.from_pylist(list(rows), schema), path, compression="zstd")
    return path


def sign_parts(paths: Sequence[Path], settings: dict[str, Any]) -> list[Path]:
    """The signatures of every part, as the pipeline's rule writes them."""
    from lemur.corpus.deduplication import Settings
    from lemur.corpus.signatures import sign

    found = [path.with_suffix(".npy") for path in paths]
    for path, out in zip(paths, found, strict=True):
        sign(Settings(**settings), path, out)
    return found
