"""The two command lines on real files: what comes out of one goes into the next."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lemur.core.errors import UserError
from lemur.tokenization.packed import PackedDataset
from lemur.tokenization.train_tokenizer import equal_parts
from made_corpus import TOKENIZER, document, write_part
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[3]


def script(path, spec, cwd, **options):
    command = [sys.executable, ROOT / "scripts" / path, "--spec", json.dumps(spec)]
    for name, value in options.items():
        command += [f"--{name}", *([value] if isinstance(value, str) else value)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True
    )


def text_of(source, k):
    return f"{source} number {k} says " + " ".join(str(k * 31 + j) for j in range(40))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two sources (one in two parts), tokenized and packed by the scripts."""
    root = tmp_path_factory.mktemp("run")
    corpus = root / "results/corpus/c"
    texts = {}
    for source, part, parts in (("code", 0, 2), ("code", 1, 2), ("prose", 0, 1)):
        rows = []
        for k in range(40):
            text = text_of(source, part * 100 + k)
            texts[source, part, k] = text
            rows.append(document(text, heldout=k % 7 == 3))
        write_part(corpus, source, rows, part, parts)
    for source in ("code", "prose"):
        lines = "0\t1\tx\tother\tp\n0\t10\tx\tother\tp\n" if source == "code" else ""
        (corpus / source / "duplicates.tsv").write_text(
            "part\trow\tid\tkept_source\tkept_path\n" + lines
        )
    mix = root / "results/r/mix"
    mix.mkdir(parents=True)
    (mix / "dropped.tsv").write_text(
        "source\tpart\trow\tid\tbenchmark\titem\tmatched\n"
        "code\t1\t2\tx\tb\ti\tm\ncode\t1\t2\tx\tb\tj\tm\nprose\t0\t10\tx\tb\ti\tm\n"
    )
    documents = sorted(str(path.relative_to(root)) for path in corpus.glob("*/*.parquet"))
    tokens = [
        one.replace("corpus/c/", "tokens/c/t/").replace(".parquet", ".json") for one in documents
    ]
    for one, out in zip(documents, tokens, strict=True):
        done = script(
            "3_tokenize/tokenize.py",
            {"tokenizer": "t"},
            root,
            documents=one,
            tokenizer=str(TOKENIZER),
            out=out,
        )
        assert done.returncode == 0, done.stderr
    plan = {
        "recipe": "r",
        "seed": 1,
        "tokens": 2816,
        "context": 64,
        "code_to_text": 10,
        "sequences": 44,
        "kinds": {
            "code": {"tokens": 2560, "sequences": 40, "share": 10 / 11},
            "text": {"tokens": 256, "sequences": 4, "share": 1 / 11},
        },
        "sources": [
            {"name": "code", "kind": "code", "tokens": 2560, "sequences": 40, "share": 10 / 11},
            {"name": "prose", "kind": "text", "tokens": 256, "sequences": 4, "share": 1 / 11},
        ],
    }
    (mix / "plan.json").write_text(json.dumps(plan))
    return root, documents, tokens, texts


def packed(built, packing, **changes):
    root, documents, tokens, _ = built
    out = f"results/r/{packing}/index.json"
    done = script(
        "3_tokenize/pack.py",
        {"seed": 1, "context": 64, "packing": packing, "max_epochs": 1.0, **changes},
        root,
        plan="results/r/mix/plan.json",
        dropped="results/r/mix/dropped.tsv",
        duplicates=[
            "results/corpus/c/code/duplicates.tsv",
            "results/corpus/c/prose/duplicates.tsv",
        ],
        documents=documents,
        tokens=tokens,
        out=out,
    )
    return done, root / out


OUT = {("code", 0, 1), ("code", 0, 10), ("code", 1, 2), ("prose", 0, 10)}


@pytest.mark.parametrize("packing", ["concatenate", "best-fit"])
def test_no_heldout_duplicate_or_contaminated_document_is_in_an_index(built, packing):
    done, index = packed(built, packing)
    assert done.returncode == 0, done.stderr
    data = PackedDataset(index)
    root, _, _, texts = built
    seen = set()
    for segment in data.segments:
        path = (index.parent / data.index.files[segment["file"]]).resolve()
        source, part = path.parent.name, int(path.name.split("-")[1])
        offsets = np.load(path.with_suffix(".offsets.npy")).astype(np.int64)
        row = int(np.searchsorted(offsets, segment["start"], side="right")) - 1
        assert int(segment["start"]) + int(segment["length"]) <= offsets[row + 1]
        seen.add((source, part, row))
    assert len(seen) > 30
    assert not seen & OUT
    assert not {row for _, _, row in seen if row % 7 == 3}
    realised = json.loads((index.parent / "realised.json").read_text())
    assert [entry["dropped"] for entry in realised["sources"]] == [
        {"heldout": 12, "duplicate": 1, "decontaminated": 1},  # (0, 10) is held out as well
        {"heldout": 6, "duplicate": 0, "decontaminated": 0},
    ]
    assert abs(realised["tokens"] - 2816) < 2 * 64


def test_an_index_in_place_of_another_is_the_same_bytes(built):
    done, index = packed(built, "concatenate")
    before = {
        path.name: path.read_bytes() for path in index.parent.iterdir() if "prov" not in path.name
    }
    done, index = packed(built, "concatenate")
    assert sorted(before) == ["index.json", "realised.json", "segments.npy", "sequences.npy"]
    assert before == {name: (index.parent / name).read_bytes() for name in before}
    assert str(built[0]) not in before["index.json"].decode()


def test_a_packed_sequence_decodes_to_its_documents(built):
    from tokenizers import Tokenizer

    _, index = packed(built, "best-fit")
    data = PackedDataset(index)
    decode = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")).decode
    texts = set(built[3].values())
    for k in range(len(data)):
        item = data[k]
        for number in range(item["segment_ids"].max() + 1):
            ids = item["input_ids"][item["segment_ids"] == number].tolist()
            said = decode([one for one in ids if one != data.eos], skip_special_tokens=False)
            assert any(said in text for text in texts)


def test_mistakes_end_in_one_line(built):
    done, index = packed(built, "concatenate", context=32)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: context: 32 here, 64 in the plan")
    assert "Traceback" not in done.stderr
    root, documents, tokens, _ = built
    done = script(
        "3_tokenize/tokenize.py",
        {"tokenizer": "t"},
        root,
        documents="results/corpus/c/none/part-0-of-1.parquet",
        tokenizer=str(TOKENIZER),
        out="results/none/part-0-of-1.json",
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("part-0-of-1.parquet: no such file")
    assert not list((root / "results").glob("none/*"))


def test_a_control_shuffles_the_lines_of_a_document_and_keeps_them_all(tmp_path):
    corpus = tmp_path / "results/corpus/c"
    text = "".join(f"line {k}\n" for k in range(30)) + "the end"
    write_part(corpus, "code", [document(text)], 0, 1)
    (part,) = corpus.glob("code/*.parquet")
    found = []
    for folder, spec in (("t", {}), ("a", {"lines": "shuffled"}), ("b", {"lines": "shuffled"})):
        out = tmp_path / f"results/tokens/c/{folder}/code/part-0-of-1.json"
        done = script("3_tokenize/tokenize.py", {"tokenizer": "t", **spec}, tmp_path,
                      documents=str(part), tokenizer=str(TOKENIZER), out=str(out))  # fmt: skip
        assert done.returncode == 0, done.stderr
        facts = json.loads(out.read_text())
        ids = np.fromfile(out.with_suffix(".bin"), facts["dtype"])
        found.append(
            Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")).decode(ids[:-1].tolist())
        )
    plain, first, second = found
    assert plain == text and first == second != text
    assert sorted(first.split("\n")) == sorted(text.split("\n"))


def test_a_tokenizer_of_both_kinds_reads_as_many_bytes_of_each():
    code = [iter([b"a" * 30, b"\xff" * 30, b"b" * 30]), iter([b"c" * 30])]
    kinds = {"code": code, "text": [iter([b"d" * 100])]}
    assert list(equal_parts(kinds, 70)) == ["a" * 30, "c" * 30, "b" * 10, "d" * 70]
    with pytest.raises(
        UserError, match="bytes: 70 are more than the archives hold of text \\(5\\)"
    ):
        list(equal_parts({"text": [iter([b"hello"])]}, 70))
