"""A part and a whole source of which cleaning keeps nothing, through every stage's command line."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubserver.made import tar_gz
from lemur.core.provenance import ROOT
from lemur.corpus.writer import SCHEMA
from made_corpus import TOKENIZER, document
from made_packages import META, manifest_of

NEAR = {"shingle": 5, "permutations": 16, "bands": 4}
KINDS = {"empty": "code", "full": "code", "prose": "text"}
PINS = [
    {"name": name, "kind": kind, "licence": "MIT", "status": "substitute"}
    for name, kind in KINDS.items()
]


def function(k: int) -> str:
    text = (
        f'def f{k}(first, second):\n    """Return the sum number {k} of two numbers, as told."""\n'
    )
    return (
        text + "".join(f"    first += second * {k * j}\n" for j in range(9)) + "    return first\n"
    )


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run a script as its command line does, in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def run(script: str, spec: dict, **options: object) -> None:
        words = ["--spec", json.dumps(spec)]
        for name, value in options.items():
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
        monkeypatch.setattr(sys, "argv", [script, *words])
        runpy.run_path(str(ROOT / "scripts" / script), run_name="__main__")

    return run


def cleaned(call, folder: Path) -> tuple[list[Path], list[Path]]:
    """``full`` in two parts, the second of which is empty; ``empty`` holds Python where Ruby is
    wanted; ``prose`` is plain."""
    documents = []
    for first, (name, kind) in zip((0, 1000, 2000), KINDS.items(), strict=True):
        parts = 2 if name == "full" else 1
        for part in range(parts):
            ending = "txt" if kind == "text" else "py"
            files = {f"a/{k}.{ending}": function(first + k).encode() for k in range(40)}
            if part == 1:
                files = {"a/image.png": b"x" * 100}
            held = {"files.tar.gz": tar_gz({"a/PKG-INFO": META} | files)}
            manifest = manifest_of(folder / f"{name}-{part}", held)
            source = {"name": name, "kind": kind, "format": "archive", "licence": "MIT"}
            source |= {"languages": ["ruby"]} if name == "empty" else {}
            out = folder / "corpus" / name / f"part-{part}-of-{parts}.parquet"
            spec = {"source": source, "heldout": {"share": 0.2}}
            options = {"manifest": manifest, "part": part, "parts": parts}
            call("1_corpus/clean.py", spec, **options, out=out)
            documents.append(out)
    return documents, [path.with_suffix(".stats.json") for path in documents]


def test_every_stage_takes_them(call, tmp_path, capsys):
    documents, statistics = cleaned(call, tmp_path)
    empty = tmp_path / "corpus" / "empty" / "part-0-of-1.parquet"
    assert pq.read_table(empty).num_rows == 0 and pq.read_schema(empty).equals(SCHEMA)
    said = "Source empty keeps no document: 41 files read, all dropped (other language 40, packaging 1)"
    sheet = {"corpus": "c", "recipe": "r", "description": "d", "sources": PINS}
    call("1_corpus/summary.py", sheet, statistics=statistics)
    assert f"warning: {said}" in capsys.readouterr().out

    signed = [path.with_suffix(".npy") for path in documents]
    for path, out in zip(documents, signed, strict=True):
        call("1_corpus/signatures.py", {"deduplication": NEAR}, documents=path, out=out)
    spec = {"sources": list(KINDS), "deduplication": {"jaccard": 0.85, **NEAR}}
    options = {"documents": documents, "signatures": signed}
    call("1_corpus/duplicates.py", spec, **options, out_dir=tmp_path / "corpus")
    lists = [tmp_path / "corpus" / name / "duplicates.tsv" for name in KINDS]

    dropped = tmp_path / "dropped.tsv"
    spec = {"benchmarks": [], "text_ngram": 13, "code_ngram": 10}
    call("2_mix/decontaminate.py", spec, documents=documents, out=dropped)
    spec = {"kind": "code", "seed": 1, "sources": ["empty", "full"], "documents": 5}
    held = [path for path in documents if path.parent.name != "prose"]
    spec |= {"max_bytes": 100}
    call("2_mix/heldout.py", spec, documents=held, out=tmp_path / "code.jsonl")
    assert 0 < len((tmp_path / "code.jsonl").read_text().splitlines()) <= 5

    tokens = []
    for path in documents:
        out = tmp_path / "tokens" / path.parent.name / path.with_suffix(".json").name
        call(
            "3_tokenize/tokenize.py",
            {"tokenizer": "t"},
            documents=path,
            tokenizer=TOKENIZER,
            out=out,
        )
        tokens.append(out)
    offsets = np.load(tmp_path / "tokens" / "empty" / "part-0-of-1.offsets.npy")
    assert offsets.tolist() == [0] and json.loads(tokens[0].read_text())["tokens"] == 0

    weights = {"code": "bytes", "text": {"prose": 1}}
    spec = {"recipe": "r", "seed": 1, "tokens": 640, "context": 32, "code_to_text": 1}
    spec |= {
        "weights": weights,
        "max_epochs": 9,
        "sources": [{"name": x["name"], "kind": x["kind"]} for x in PINS],
    }
    plan = tmp_path / "plan.json"
    call("2_mix/plan.py", spec, statistics=statistics, out=plan)
    packed = {"plan": plan, "dropped": dropped, "documents": documents, "duplicates": lists}
    for packing in ("concatenate", "best-fit"):
        spec = {"seed": 1, "context": 32, "packing": packing, "max_epochs": 9}
        out = tmp_path / packing / "index.json"
        call("3_tokenize/pack.py", spec, **packed, tokens=tokens, out=out)
        realised = json.loads(out.with_name("realised.json").read_text())
        came = {source["name"]: source["tokens"] for source in realised["sources"]}
        assert came["empty"] == 0 and came["full"] == came["prose"] == 320

    beside = {"statistics": statistics, "documents": documents, "duplicates": lists}
    beside |= {"dropped": dropped}
    table = tmp_path / "table.txt"
    realised = {"plan": plan, "realised": tmp_path / "best-fit" / "realised.json"}
    call("2_mix/table.py", {"sources": list(KINDS)}, **realised, **beside, out=table)
    page = tmp_path / "datasheet.md"
    call(
        "1_corpus/datasheet.py",
        sheet,
        **beside,
        facts=tmp_path / "corpus/duplicates.json",
        out=page,
    )
    assert said in table.read_text() and said in page.read_text()

    spec = {"seed": 1, "sources": [{"name": "d", "format": "docstring", "examples": 3}]}
    out = tmp_path / "conversations.jsonl"
    call("5_sft/conversations.py", spec, documents=held, dropped=dropped, out=out)
    assert len(out.read_text().splitlines()) == 3


@pytest.mark.parametrize("sizes", [[], [0], [3, 0], [0, 3]])
def test_row_groups_that_hold_nothing(call, tmp_path, sizes):
    """As writers of parquet leave them: no row group at all, or an empty one among others."""
    rows = [document(function(k)) for k in range(3)]
    path = tmp_path / "src" / "part-0-of-1.parquet"
    path.parent.mkdir()
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for size in sizes:
            writer.write_table(pa.Table.from_pylist(rows[:size], SCHEMA))
    assert pq.read_metadata(path).num_row_groups == len(sizes)
    out = tmp_path / "tokens" / "src" / "part-0-of-1.json"
    call("3_tokenize/tokenize.py", {"tokenizer": "t"}, documents=path, tokenizer=TOKENIZER, out=out)
    call(
        "1_corpus/signatures.py",
        {"deduplication": NEAR},
        documents=path,
        out=path.with_suffix(".npy"),
    )
    assert json.loads(out.read_text())["documents"] == sum(sizes)


@pytest.mark.parametrize("weights", [{"code": "bytes"}, {"code": {"empty": 1, "full": 0}}])
def test_a_mixture_that_needs_an_empty_source_is_one_line(call, tmp_path, weights, capsys):
    documents, statistics = cleaned(call, tmp_path)
    chosen = statistics[:1] if weights["code"] == "bytes" else statistics[:3]
    names = {path.parent.name for path in chosen}
    spec = {"recipe": "r", "seed": 1, "tokens": 640, "context": 32, "code_to_text": 1}
    spec |= {"weights": weights, "sources": [{"name": name, "kind": KINDS[name]} for name in names]}
    with pytest.raises(SystemExit):
        call("2_mix/plan.py", spec, statistics=chosen, out=tmp_path / "plan.json")
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: mixture.weights.code") and "empty" in said
    assert not (tmp_path / "plan.json").exists()
