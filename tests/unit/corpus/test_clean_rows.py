"""lemur.corpus.clean on data sets' rows: parquet and JSON lines."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lemur.core.errors import UserError
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


def table(**columns) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


PLAIN = {"name": "rows", "kind": "code", "format": "parquet", "licence": "MIT", "languages": ["python"]}  # fmt: skip


def test_text_in_bytes(tmp_path):
    """As data sets of files keep it: what is no UTF-8 is counted, not taken for short."""
    texts = pa.array([PYTHON, PYTHON + b"# \xe9\n", None], pa.binary())
    columns = {"b": texts, "p": [b"src/a.py", b"b.py", b"c.py"], "l": [[b"MIT"], [b"ISC"], None]}
    source = PLAIN | {
        "text_field": "b",
        "path_field": "p",
        "licence": "mixed",
        "licence_field": "l",
    }
    rows, stats = sifted(tmp_path, source, {"a.parquet": table(**columns)})
    assert [(row["path"], row["licence"]) for row in rows] == [
        ("a.parquet#00000000/src/a.py", "MIT")
    ]
    assert {why: d["files"] for why, d in stats["dropped"].items()} == {
        "not_text": 1,
        "too_short": 1,
    }


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.large_binary()])
def test_every_type_of_text_column(tmp_path, kind):
    column = pa.array([PYTHON.decode()], pa.string()).cast(kind)
    rows, _ = sifted(tmp_path, PLAIN, {"a.parquet": table(text=column)})
    assert rows[0]["text"].encode() == PYTHON


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_column_whose_name_has_a_dot(tmp_path, form):
    """Alone, beside a struct whose field is called so, and inside a struct."""
    text = PYTHON.decode()
    row = {"m.content": text, "m": {"content": "x", "path": "src/a.py"}}
    source = PLAIN | {"format": form, "text_field": "m.content", "path_field": "m.path"}
    for number, columns in enumerate((row, {"m.content": text, "m.path": "src/a.py"})):
        data = table(**{key: [value] for key, value in columns.items()})
        data = data if form == "parquet" else json.dumps(columns).encode()
        rows, _ = sifted(tmp_path, source, {f"a.{form}": data}, name=str(number))
        assert [row["text"] for row in rows] == [text]
        assert rows[0]["path"].endswith("/src/a.py")


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("value", [["a", "b"], 3, {"a": 1}])
def test_a_field_that_is_no_text_is_one_line(tmp_path, form, value):
    data = table(text=[value]) if form == "parquet" else json.dumps({"text": value}).encode()
    with pytest.raises(UserError, match=r"'text' \(text_field\) is .*, no text") as caught:
        sifted(tmp_path, PLAIN | {"format": form}, {f"a.{form}": data})
    assert "\n" not in str(caught.value)


def test_a_lone_surrogate_is_counted_as_what_a_document_lost(tmp_path):
    texts = (PYTHON.decode() + "# half a pair \ud800\n", PYTHON.decode())
    packed = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    rows, stats = sifted(tmp_path, PLAIN | {"format": "jsonl"}, {"a.jsonl": packed})
    assert sorted(row["text"].endswith("pair ?\n") for row in rows) == [False, True]
    assert stats["rewritten_bytes"] == 2


def test_a_row_that_cannot_be_read_is_named_with_its_source_and_folder(tmp_path):
    packed = b'{"text": "a"}\n{"text": \n'
    where = rf"^{PLAIN['name']}: deep/a\.jsonl: line 2 is not JSON"
    with pytest.raises(UserError, match=where):
        sifted(tmp_path, PLAIN | {"format": "jsonl"}, {"deep/a.jsonl": packed})


def test_a_later_row_that_is_no_text_is_counted(tmp_path):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in (PYTHON.decode(), 7, ["a"], None))
    rows, stats = sifted(tmp_path, PLAIN | {"format": "jsonl"}, {"a.jsonl": lines.encode()})
    assert len(rows) == 1
    assert {why: d["files"] for why, d in stats["dropped"].items()} == {
        "not_text": 2,
        "too_short": 1,
    }


@pytest.mark.parametrize(
    ("licences", "kept"),
    [
        (["GPL-3.0-only", "GPL-3.0-only OR MIT"], None),
        (["Apache-2.0", "GPL-2.0-only OR MIT"], "Apache-2.0 AND (GPL-2.0-only OR MIT)"),
        (["MIT OR Apache-2.0", "Apache-2.0 OR MIT"], "Apache-2.0 OR MIT"),
        (["LicenseRef-Public-Domain", "MIT"], "LicenseRef-Public-Domain AND MIT"),
        (["MIT", "Unknown"], None),
        (["MIT", "AND ("], None),
        ("MIT OR Apache-2.0", "Apache-2.0 OR MIT"),
    ],
)
def test_a_list_of_licences_all_apply(tmp_path, licences, kept):
    row = {"text": PYTHON.decode(), "l": licences}
    source = PLAIN | {"format": "jsonl", "licence": "mixed", "licence_field": "l"}
    rows, _ = sifted(tmp_path, source, {"a.jsonl": json.dumps(row).encode()})
    assert [row["licence"] for row in rows] == ([kept] if kept else [])
