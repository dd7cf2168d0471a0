"""Damage small data sets and archives for so many seconds and read each: fuzz_readers.py SECONDS FOLDER.

Whatever comes is a ``UserError`` of one line or documents; anything else ends with code 1 and the
shrunk example. The input lies in FOLDER while it is read, so that one that ends the process is kept.
"""

import bz2
import gzip
import io
import json
import lzma
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.corpus import filters, licence_headers
from lemur.corpus.candidates import list_candidates
from lemur.corpus.filters import Cleaning
from lemur.corpus.redact import redacted
from lemur.corpus.source_rules import Rules
from lemur.corpus.spec import CleanedSource

ROWS = [{"text": f"text {k} é\n" * 9, "path": f"a/{k}.py", "lic": "MIT", "n": k} for k in range(7)]


def _parquet(**options: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink, **options)
    return sink.getvalue().to_pybytes()


def _tar() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for row in ROWS:
            info = tarfile.TarInfo(f"pkg-1/é/{row['path']}")
            info.size = len(row["text"].encode())
            made.addfile(info, io.BytesIO(row["text"].encode()))
        link = tarfile.TarInfo("pkg-1/link")
        link.type, link.linkname = tarfile.SYMTYPE, "a/0.py"
        made.addfile(link)
    return held.getvalue()


def _zip() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for row in ROWS:
            made.writestr(f"pkg/{row['path']}", row["text"])
    return held.getvalue()


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
WHOLE = {
    "a.parquet": _parquet(compression="zstd"),
    "b.parquet": _parquet(compression="none", use_dictionary=False, data_page_size=64),
    "a.jsonl": LINES,
    "a.jsonl.gz": gzip.compress(LINES, mtime=0),
    "a.jsonl.zst": pa.Codec("zstd").compress(LINES, asbytes=True),
    "pkg-1.tar": _tar(),
    "pkg-1.tar.gz": gzip.compress(_tar(), mtime=0),
    "pkg-1.tar.bz2": bz2.compress(_tar()),
    "pkg-1.tar.xz": lzma.compress(_tar()),
    "pkg-1.whl": _zip(),
}
# (where, as a share of the length; what is done; bytes for it)
DAMAGE = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["set", "insert", "cut", "end", "repeat"]),
    st.binary(min_size=1, max_size=24),
)


def damaged(whole: bytes, damages: list[tuple[float, str, bytes]]) -> bytes:
    made = bytearray(whole)
    for share, what, data in damages:
        at = int(share * len(made))
        if what == "set":
            made[at : at + len(data)] = data
        elif what == "insert":
            made[at:at] = data
        elif what == "cut":
            del made[at : at + len(data)]
        elif what == "repeat":
            made[at:at] = made[at : at + 40 * len(data)]
        else:
            del made[at:]
    return bytes(made)


def source_of(name: str) -> CleanedSource:
    form = "parquet" if "parquet" in name else "jsonl" if "jsonl" in name else "archive"
    path = None if form == "archive" else "path"
    return CleanedSource("fuzzed", "code", "MIT", form, path_field=path)


def read(folder: Path, name: str, data: bytes) -> None:
    """As cleaning reads it, to the last document."""
    files = folder / "files"
    files.mkdir(exist_ok=True)
    for old in files.iterdir():
        old.unlink()
    (files / name).write_bytes(data)
    manifest = folder / "manifest.json"
    entry = {"path": f"files/{name}", "size": len(data)}
    manifest.write_text(json.dumps({"files": [entry]}))
    source, cleaning = source_of(name), Cleaning()
    rules = Rules(source, cleaning)
    try:
        for found in list_candidates(source, manifest):
            if rules.unread(found):
                continue
            text = filters.decoded(found.read())
            if text is not None:
                redacted(text)
                licence_headers.read_header(text)
                text.encode("utf-8")
    except UserError as error:
        assert str(error) and "\n" not in str(error), error


def main(seconds: float, folder: Path) -> int:
    ends, runs = time.monotonic() + seconds, 0

    @settings(
        max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(sorted(WHOLE)), st.lists(DAMAGE, min_size=1, max_size=4))
    def once(name: str, damages: list) -> None:
        nonlocal runs
        runs += 1
        read(folder, name, damaged(WHOLE[name], damages))

    while time.monotonic() < ends:
        once()
    print(f"{runs} inputs read")
    return runs


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
