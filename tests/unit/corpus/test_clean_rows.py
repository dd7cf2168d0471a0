"""lemur.corpus.clean on data sets' rows: parquet and JSON lines."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lemur.errors import UserError
from made_packages import (
    ENGLISH,
    PYTHON,
    sifted,
)

ROWS = [
    {"content": PYTHON.decode(), "path": "src/a.py", "lic": ["MIT"], "meta": {"lang": "Python"}},
    {"content": PYTHON.decode() + "# 2\n", "path": "src/b.py", "lic": ["GPL-3.0-only"], "meta": {"lang": "Python"}},
    {"content": PYTHON.decode() + "# 3\n", "path": "src/a.py", "lic": ["MIT", "Apache-2.0"], "meta": {"lang": "Python"}},
    {"content": PYTHON.decode() + "# 4\n", "path": "vendor/a.py", "lic": ["MIT"], "meta": {"lang": "Python"}},
    {"content": None, "path": "src/none.py", "lic": ["MIT"], "meta": {"lang": "Python"}},
    {"content": PYTHON.decode() + "# 6\n", "path": "src/c.py", "lic": [], "meta": {"lang": "Python"}},
]  # fmt: skip
HUB = {
    "name": "stack",
    "kind": "code",
    "text_field": "content",
    "path_field": "path",
    "licence_field": "lic",
    "licence": "mixed",
    "language_field": "meta.lang",
    "languages": ["python"],
}


def shard(form: str) -> dict[str, bytes]:
    if form == "parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(ROWS), sink)
        return {"data/0.parquet": sink.getvalue().to_pybytes()}
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    if form == "jsonl.gz":
        lines = gzip.compress(lines)
    if form == "jsonl.zst":
        lines = pa.Codec("zstd").compress(lines, asbytes=True)
    return {f"data/0.{form}": lines}


FORMS = ["parquet", "jsonl", "jsonl.gz", "jsonl.zst"]


@pytest.mark.parametrize("form", FORMS)
def test_rows(tmp_path, form):
    source = HUB | {"format": form.split(".")[0]}
    rows, stats = sifted(tmp_path, source, shard(form))
    assert [(row["path"].split("#")[1], row["licence"]) for row in rows] == [
        ("00000000/src/a.py", "MIT"),
        ("00000002/src/a.py", "Apache-2.0 AND MIT"),
    ]
    assert {why: d["files"] for why, d in stats["dropped"].items()} == {
        "licence": 1, "vendored": 1, "too_short": 1, "nested_licence": 1,
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_truncated_rows(tmp_path, form):
    ((name, data),) = shard(form).items()
    with pytest.raises(UserError, match=r"0\.(parquet|jsonl)"):
        sifted(tmp_path, HUB | {"format": form.split(".")[0]}, {name: data[: len(data) * 2 // 3]})


def test_texts_of_several_fields(tmp_path):
    lines = json.dumps(
        {"question": "What was it that they all had to do?", "answer": ENGLISH.decode()}
    )
    source = {
        "name": "qa",
        "kind": "text",
        "format": "jsonl",
        "licence": "CC0-1.0",
        "text_field": ["question", "answer"],
    }
    rows, _ = sifted(tmp_path, source, {"a.jsonl": lines.encode()})
    assert rows[0]["text"].startswith("What was it that they all had to do?\nIt was the best")
    assert rows[0]["language"] == "text"


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_field_that_is_not_there(tmp_path, form):
    source = HUB | {"format": form, "text_field": "contents"}
    with pytest.raises(UserError, match="did you mean 'content'"):
        sifted(tmp_path, source, shard(form))


def test_mixed_licences_need_a_column(tmp_path):
    source = {key: value for key, value in HUB.items() if key != "licence_field"} | {
        "format": "jsonl"
    }
    with pytest.raises(UserError, match="licence_field is needed"):
        sifted(tmp_path, source, shard("jsonl"))
