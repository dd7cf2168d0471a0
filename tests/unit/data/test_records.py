"""Every stage that reads rows from outside reads the same rows of the same bytes."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.data.records import holds_rows, json_document, json_lines, json_objects, read_records
from lemur.evaluation import benchmarks
from lemur.evaluation.source import Source

BOM = b"\xef\xbb\xbf"
# Letters at which str.splitlines cuts and JSON does not: U+0085, U+2028, U+2029 may stand in a
# string as they are.
ODD = "one\u2028two\u2029three\x85four"


def written(values, ensure_ascii=False) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=ensure_ascii) + "\n" for value in values).encode()


def packed(data: bytes, how: str) -> bytes:
    if how == "gz":
        return gzip.compress(data)
    return pa.Codec("zstd").compress(data, asbytes=True) if how == "zst" else data


@pytest.mark.parametrize("how", ["plain", "gz", "zst"])
@pytest.mark.parametrize("mark", [b"", BOM])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_end_at_newlines_alone(how, mark, end):
    values = [{"a": ODD}, {"a": 2}, [3], "4"]
    data = mark + written(values).replace(b"\n", end) + end + b"  " + end
    found = list(json_lines(io.BytesIO(packed(data, how)), "x"))
    assert found == list(enumerate(values, 1))


@pytest.mark.parametrize("how", ["plain", "gz", "zst"])
def test_a_document_with_a_byte_order_mark(how):
    data = packed(BOM + json.dumps([{"a": ODD}], ensure_ascii=False).encode(), how)
    assert json_document(data, "x") == [{"a": ODD}]
    assert list(read_records("d/x.json.gz", data, "x")) == [[{"a": ODD}]]


def test_rows_by_a_files_ending():
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [ODD]}), sink)
    assert list(read_records("x.parquet", sink.getvalue(), "x")) == [{"a": ODD}]
    assert list(read_records("x.jsonl.zst", packed(written([{"a": 1}]), "zst"), "x")) == [{"a": 1}]


def test_rows_by_the_last_ending_alone():
    """A folder or a former ending in a name does not make lines of a document."""
    for name in ("my.jsonl files/a.json", "a.jsonl.json", "a.parquet-info.json", "a.json.gz"):
        assert not holds_rows(name)
        assert list(read_records(name, b'{"a": 1}', "x")) == [{"a": 1}]
    assert all(map(holds_rows, ("a.json/b.jsonl", "a.jsonl.gz", "a.parquet", "a.json.jsonl.zst")))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}\n[", "x: line 2 is not JSON"),
        (b"{}\n\n\xff\n", "x: line 3 is not UTF-8"),
        (b"[" * 100_000, "x: line 1 is not JSON"),
        (b"{}\n9" + b"9" * 5000, "x: line 2 is not JSON"),
        (b"{}\n5\n", "x: line 2 is no JSON object"),
        (gzip.compress(written([{"a": k} for k in range(5000)]))[:-30], "damaged after line"),
        (packed(written([{"a": k} for k in range(5000)]), "zst")[:-30], "damaged after line"),
    ],
)
def test_damage_is_one_line(data, words):
    with pytest.raises(UserError) as caught:
        list(json_objects(io.BytesIO(data), "x"))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def manifest(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    (folder / "files").mkdir(parents=True)
    listed = []
    for file, data in files.items():
        (folder / "files" / file).write_bytes(data)
        listed.append(
            {"path": f"files/{file}", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        )
    path = folder / "manifest.json"
    path.write_text(json.dumps({"name": name, "files": listed}))
    return path


def command(script: str, spec: dict, *options: object) -> None:
    line = [sys.executable, str(ROOT / "scripts" / script), "--spec", json.dumps(spec)]
    done = subprocess.run(
        [*line, *map(str, options)],
        env={"PYTHONPATH": str(ROOT / "workflow"), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


FUNCTION = "".join(f"def function_{k}(x):\n    return x + {k}\n\n\n" for k in range(9))
FORMS = {
    "u2028.jsonl": lambda rows: written(rows),
    "bom.jsonl": lambda rows: BOM + written(rows),
    "bom.jsonl.gz": lambda rows: gzip.compress(BOM + written(rows)),
    "bom.json": lambda rows: BOM + json.dumps(rows, ensure_ascii=False).encode(),
}


LINES = [name for name in FORMS if ".jsonl" in name]


def test_cleaning_reads_them(tmp_path):
    texts = {file: FUNCTION + f"# {file} {ODD}\n" for file in LINES}
    files = {file: FORMS[file]([{"text": text}]) for file, text in texts.items()}
    source = {"name": "rows", "kind": "code", "format": "jsonl", "licence": "MIT"}
    out = tmp_path / "out" / "part-0-of-1.parquet"
    spec = {"source": source | {"languages": ["python"]}}
    options = ("--manifest", manifest(tmp_path / "in", "rows", files), "--out", out)
    command("1_corpus/clean.py", spec, *options)
    assert sorted(pq.read_table(out)["text"].to_pylist()) == sorted(texts.values())


def test_instruction_data_is_read(tmp_path):
    made, talks = [], []
    for file, form in FORMS.items():
        said = f"{file} {ODD}"
        talk = [{"role": "user", "content": "Say."}, {"role": "assistant", "content": said}]
        made.append(manifest(tmp_path / file, file, {file: form([{"messages": talk}])}))
        talks.append(talk)
    listed = [{"name": file, "format": "jsonl", "examples": 5} for file in FORMS]
    out = tmp_path / "out.jsonl"
    spec = {"seed": 1, "sources": listed}
    command("5_sft/conversations.py", spec, "--manifests", *made, "--out", out)
    found = [line["messages"] for _, line in json_lines(io.BytesIO(out.read_bytes()), "out")]
    assert found == talks


def test_benchmarks_are_decontaminated_against_them(tmp_path):
    made, prompts = [], []
    for number, (file, form) in enumerate(FORMS.items()):
        prompts.append(" ".join(f"word{number}{k:02}" for k in range(20)) + ODD)
        made.append(manifest(tmp_path / file, file, {file: form([{"question": prompts[-1]}])}))
    documents = tmp_path / "src" / "part-0-of-1.parquet"
    documents.parent.mkdir()
    sizes = [len(prompt.encode()) for prompt in prompts]
    pq.write_table(pa.table({"id": list(FORMS), "text": prompts, "bytes": sizes}), documents)
    spec = {"benchmarks": list(FORMS), "text_ngram": 13, "code_ngram": 10}
    out = tmp_path / "dropped.tsv"
    options = ("--documents", documents, "--benchmarks", *made, "--out", out)
    command("2_mix/decontaminate.py", spec, *options)
    rows = [line.split("\t") for line in out.read_text().split("\n")[1:-1]]
    assert [(row[3], row[4]) for row in rows] == [(file, file) for file in FORMS]


@pytest.mark.parametrize("file", LINES)
def test_benchmarks_are_asked_from_them(tmp_path, file):
    problem = {"task_id": "HumanEval/0", "prompt": ODD, "test": "t", "entry_point": "f"}
    made = manifest(tmp_path, "humaneval", {file: FORMS[file]([problem])})
    (found,) = benchmarks.load("humaneval")[0].read(Source(made), file)[""]["test"]
    assert found["prompt"] == ODD


def test_bbh_with_a_byte_order_mark(tmp_path):
    data = BOM + json.dumps({"examples": [{"input": ODD, "target": "(A)"}]}).encode()
    made = manifest(tmp_path, "bbh", {"navigate.json": data})
    (found,) = benchmarks.load("bbh_paper")[0].read(Source(made), "")["navigate"]["test"]
    assert found["input"] == ODD
