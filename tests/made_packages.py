"""What the cleaning tests share: made packages, and one part cleaned."""

import hashlib
import json

import as_json
import pyarrow.parquet as pq
from hubserver.made import sha256, tar_gz
from lemur.corpus import clean
from lemur.corpus.writer import SCHEMA

META = b"Metadata-Version: 2.1\nName: pkg\nLicense-Expression: MIT\n\n"
PYTHON = b"def add(first, second):\n    return first + second\n\n\nprint(add(1, 2))\n# a comment\n"
ENGLISH = b"It was the best of times, it was the worst of times, it was the age of wisdom.\n" * 3
CODE = {"name": "pkg", "kind": "code", "format": "archive", "licence": "MIT"}
TEXT = CODE | {"kind": "text"}


def manifest_of(folder, files: dict[str, bytes]):
    entries = []
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entries.append({"path": f"files/{name}", "sha256": sha256(data), "size": len(data)})
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))
    return folder / "manifest.json"


def sifted(tmp_path, source, files, cleaning=None, share=0.0, max_mb=None, name="out", parts=1):
    """(rows, statistics) of cleaning a part whose downloaded ``files`` are given."""
    manifest = manifest_of(tmp_path / f"{name}-download", files)
    out = tmp_path / name / "part-0-of-1.parquet"
    spec = {"source": source, "cleaning": cleaning or {}, "heldout": {"share": share}}
    as_json.clean(spec | {"max_mb": max_mb}, manifest, 0, parts, out)
    stats = json.loads(clean.stats_path(out).read_text())
    rows = pq.read_table(out).to_pylist()
    # What holds of every run: nothing is lost, nothing is counted twice.
    dropped = stats["dropped"].values()
    assert stats["read"]["files"] == stats["documents"] + sum(d["files"] for d in dropped)
    kept = stats["bytes"] + stats["rewritten_bytes"]
    assert stats["read"]["bytes"] == kept + sum(d["bytes"] for d in dropped)
    assert (
        stats["documents"] == len(rows) == sum(v["documents"] for v in stats["languages"].values())
    )
    assert stats["bytes"] == sum(row["bytes"] for row in rows)
    assert [row["path"] for row in rows] == sorted(row["path"] for row in rows)
    for row in rows:
        assert row["id"] == hashlib.sha256(row["text"].encode()).hexdigest()
        assert row["bytes"] == len(row["text"].encode())
    assert pq.read_schema(out).equals(SCHEMA)
    return rows, stats


def package(files: dict[str, bytes], meta=META) -> dict[str, bytes]:
    held = {f"pkg-1/{name}": data for name, data in files.items()}
    return {"pkg-1.tar.gz": tar_gz({"pkg-1/PKG-INFO": meta} | held)}


def why(tmp_path, name: str, data: bytes, source=CODE, **settings_) -> str:
    """The reason that one file is dropped for, or ``kept <language>``."""
    rows, stats = sifted(tmp_path, source, package({name: data}), **settings_)
    reasons = set(stats["dropped"]) - {"packaging"}
    if rows:
        return f"kept {rows[0]['language']}"
    return reasons.pop() if reasons else "packaging"


def javascript(line: str) -> bytes:
    return (f"{line}\n" * 30).encode()
