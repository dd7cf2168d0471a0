"""From a manifest to documents: what is kept, what is dropped and why, and the same bytes each time."""

import gzip
import hashlib
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubserver.made import sha256, tar_gz, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lemur.config import load
from lemur.corpus import clean
from lemur.errors import UserError

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
    clean.run(spec | {"max_mb": max_mb}, manifest, 0, parts, out)
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
    assert pq.read_schema(out).equals(clean.SCHEMA)
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


DOC = b"# SPDX-License-Identifier: "
CASES = [
    ("a.py", PYTHON, "kept python"),
    ("bin/tool", b"#!/usr/bin/env bash\n" + b"echo hello world again\n" * 4, "kept shell"),
    ("bin/tool2", b"#!/usr/bin/python3.11 -u\n" + PYTHON, "kept python"),
    ("lib/functions", b"one() {\n  local x=1\n  if [ $x ]; then\n    echo\n  fi\n}\n" * 3, "kept shell"),
    ("q.sql", b"SELECT a, b FROM c WHERE d = 1 ORDER BY a;\n" * 3, "kept sql"),
    ("m.ts", javascript("export const n: number = 1"), "kept typescript"),
    ("qt.ts", b'<?xml version="1.0"?>\n<!DOCTYPE TS>\n' + b"<message>x</message>\n" * 9, "unknown_language"),
    ("v.h", b"class Thing {\npublic:\n  int one() { return 1; }\n};\n" * 3, "kept cpp"),
    ("c.h", b"int one(void);\nint two(void);\nstruct thing { int three; };\n" * 3, "kept c"),
    ("NEWS", ENGLISH, "unknown_language"),
    ("README.md", ENGLISH, "other_language"),
    ("a.json", b'{"a": "data is not code to train on, says the table"}\n' * 3, "other_type"),
    ("logo.png", b"\x89PNG" + bytes(200), "other_type"),
    ("a.py.orig", PYTHON, "other_type"),
    ("vendor/x.py", PYTHON, "vendored"),
    ("src/pkg/_vendor/x.py", PYTHON, "vendored"),
    ("web/node_modules/x/index.js", javascript("let a = 1"), "vendored"),
    ("third-party/x.c", b"int main() { return 0; }\n" * 5, "vendored"),
    ("src/vendors.py", PYTHON, "kept python"),
    ("pkg.egg-info/x.py", PYTHON, "packaging"),
    ("jquery.min.js", javascript("let a = 1"), "minified"),
    ("app.js", b"var a=1;" * 400, "longest_line"),
    ("wide.js", javascript("x" * 150), "mean_line"),
    ("wide.py", b"table = '" + b"x" * 1500 + b"'\n" + PYTHON, "longest_line"),
    ("app2.js", javascript("let a = 1") + b"//# sourceMappingURL=app2.js.map\n", "generated_mark"),
    ("x_pb2.py", PYTHON, "generated"),
    ("types.d.ts", javascript("export declare const n: number"), "generated"),
    ("g.py", b"# This file was automatically generated by SWIG\n" + PYTHON, "generated_mark"),
    ("g2.py", b"# Code generated by protoc-gen-go. DO NOT EDIT.\n" + PYTHON, "generated_mark"),
    ("generate.py", b"# Writes what is generated by the user\n" + PYTHON, "kept python"),
    ("big.py", PYTHON * 20_000, "over_long"),
    ("tiny.py", b"x = 1\n", "too_short"),
    ("binary.py", PYTHON + b"\0" + PYTHON, "not_text"),
    ("latin.py", PYTHON + "é".encode("latin-1"), "not_text"),
    ("symbols.py", b"[(((((--))))), ((====)), {{{{++}}}}]\n" * 10, "alphanumeric_share"),
    ("crlf.py", PYTHON.replace(b"\n", b"\r\n"), "kept python"),
    ("bom.py", b"\xef\xbb\xbf" + PYTHON, "kept python"),
    ("mit.py", DOC + b"MIT\n" + PYTHON, "kept python"),
    ("gpl.py", DOC + b"GPL-3.0-or-later\n" + PYTHON, "licence_header"),
    ("dual.py", DOC + b"GPL-2.0-only OR BSD-3-Clause\n" + PYTHON, "kept python"),
    ("both.py", DOC + b"MIT AND GPL-2.0-only\n" + PYTHON, "licence_header"),
    ("gpl.c", b"/* under the terms of the GNU\n * General Public License as published */\n" * 2, "licence_header"),
    ("mpl.js", b"// This is subject to the Mozilla\n// Public License, v. 2.0\n" * 2, "licence_header"),
    ("LICENSE.txt", ENGLISH, "licence_text"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "expected"), CASES, ids=[case[0] for case in CASES])
def test_one_code_file(tmp_path, name, data, expected):
    filters = load.corpus("mini")["cleaning"]["filters"]["code"]
    assert why(tmp_path, name, data, cleaning={"filters": filters}) == expected


PROSE_CASES = [
    ("a.txt", ENGLISH, "kept text"),
    ("doc/a.rst", ENGLISH, "kept rst"),
    ("a.md", ENGLISH, "kept markdown"),
    ("one_line.txt", ENGLISH.replace(b"\n", b" ") * 20, "kept text"),
    ("a.py", PYTHON, "other_language"),
    ("latin.txt", b"Arma virumque cano Troiae qui primus ab oris Italiam fato profugus\n" * 3, "english"),
    ("on_gpl.txt", b"The GNU General Public License is explained in this text. " + ENGLISH, "kept text"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "expected"), PROSE_CASES, ids=[c[0] for c in PROSE_CASES])
def test_one_text_file(tmp_path, name, data, expected):
    filters = [{"measure": "english", "least": 0.65}]
    assert why(tmp_path, name, data, TEXT, cleaning={"filters": filters}) == expected


def test_line_ends_and_marks_are_taken_off(tmp_path):
    rows, stats = sifted(
        tmp_path, CODE, package({"a.py": b"\xef\xbb\xbf" + PYTHON.replace(b"\n", b"\r\n")})
    )
    assert rows[0]["text"].encode() == PYTHON
    assert stats["rewritten_bytes"] == 3 + PYTHON.count(b"\n")


def test_what_is_redacted_is_counted(tmp_path):
    line = b"# Written by ann@firm.com and bob@firm.com, served from 93.184.216.34\n"
    files = package({"a.py": PYTHON + line, "b.py": PYTHON + b"# by cat@firm.com\n"})
    rows, stats = sifted(tmp_path, CODE, files, {"redact": ["email", "key"]})
    assert rows[0]["text"].endswith("by <EMAIL> and <EMAIL>, served from 93.184.216.34\n")
    assert stats["redacted"] == {
        "email": {"documents": 2, "replaced": 3},
        "key": {"documents": 0, "replaced": 0},
    }


def test_include_exclude_and_languages(tmp_path):
    files = package(
        {
            "src/a.py": PYTHON,
            "tests/b.py": PYTHON,
            "src/x/c.py": PYTHON,
            "src/d.sh": b"echo hi\n" * 20,
        }
    )
    source = CODE | {"include": ["*/src/*"], "exclude": ["*/x/*"], "languages": ["python"]}
    rows, stats = sifted(tmp_path, source, files)
    assert [row["path"] for row in rows] == ["pkg-1/src/a.py"]
    assert {why: d["files"] for why, d in stats["dropped"].items()} == {
        "not_included": 2,  # PKG-INFO and tests/b.py
        "excluded": 1,
        "other_language": 1,
    }


def test_wheel_metadata_and_licences(tmp_path):
    data = zipped({"pkg/a.py": PYTHON, "pkg-1.dist-info/METADATA": META})
    rows, stats = sifted(tmp_path, CODE, {"pkg-1-py3-none-any.whl": data})
    assert stats["licences"] == {"MIT": {"documents": 1, "bytes": len(PYTHON)}}
    assert rows[0]["licence"] == "MIT"


APACHE = b"Apache License\nVersion 2.0, January 2004\nTERMS AND CONDITIONS\n"
GNU = b"GNU GENERAL PUBLIC LICENSE\nVersion 3\n"


@pytest.mark.parametrize(
    ("text", "expected"), [(APACHE, "Apache-2.0"), (GNU, None), (b"Ask us first.", None)]
)
def test_folder_with_a_licence_of_its_own(tmp_path, text, expected):
    files = {
        "LICENSE": b"MIT License",
        "a.py": PYTHON,
        "sub/LICENSE": text,
        "sub/deep/b.py": PYTHON + b"# b\n",
    }
    rows, stats = sifted(tmp_path, CODE, package(files))
    found = {row["path"]: row["licence"] for row in rows}
    assert found.pop("pkg-1/a.py") == "MIT"
    assert found == ({"pkg-1/sub/deep/b.py": expected} if expected else {})
    assert stats["dropped"].get("nested_licence", {}).get("files", 0) == (0 if expected else 1)


def test_own_licence_repeated_in_a_folder_changes_nothing(tmp_path):
    rows, _ = sifted(
        tmp_path,
        CODE,
        package({"LICENSE": APACHE, "sub/LICENSE": APACHE + b"\n", "sub/b.py": PYTHON}),
    )
    assert rows[0]["licence"] == "MIT"


@pytest.mark.parametrize(
    ("meta", "declared", "expected"),
    [
        (b"License: GPL-3.0-only\n\n", "MIT", "one of them is wrong"),
        (b"License: BSD\n\n", "MIT", "name one of that family"),
        (b"Name: pkg\n\n", None, "no licence in its metadata"),
        (b"Name: pkg\n\n", "Mit-ish", "is no SPDX expression"),
    ],
)
def test_licences_that_contradict(tmp_path, meta, declared, expected):
    with pytest.raises(UserError, match=expected):
        sifted(tmp_path, CODE | {"licence": declared}, package({"a.py": PYTHON}, meta))


def test_copyleft_package_is_dropped_whole(tmp_path):
    source = CODE | {"licence": "GPL-3.0-only"}
    rows, stats = sifted(tmp_path, source, package({"a.py": PYTHON}, b"License: GPL-3.0-only\n\n"))
    assert rows == [] and stats["dropped"]["licence"]["files"] == 1
    allowed = {"licences": ["GPL-3.0-only"]}
    rows, _ = sifted(
        tmp_path, source, package({"a.py": PYTHON}, b"License: GPL-3.0-only\n\n"), allowed, name="b"
    )
    assert len(rows) == 1


def many(count: int) -> dict[str, bytes]:
    return {f"m{n:03d}.py": PYTHON + b"# file number %d\n" % n for n in range(count)}


def test_heldout_is_a_property_of_the_text(tmp_path):
    rows, stats = sifted(tmp_path, CODE, package(many(300)), share=0.1)
    held = {row["id"] for row in rows if row["heldout"]}
    assert held == {row["id"] for row in rows if int(row["id"][:8], 16) < 0.1 * 2**32}
    assert 10 <= len(held) <= 55 and stats["heldout_documents"] == len(held)
    renamed = {f"other/{name}": data for name, data in many(300).items()}
    again, _ = sifted(tmp_path, CODE | {"name": "other"}, package(renamed), share=0.1, name="b")
    assert {row["id"] for row in again if row["heldout"]} == held
    fewer, _ = sifted(tmp_path, CODE, package(many(300)), share=0.05, name="c")
    assert {row["id"] for row in fewer if row["heldout"]} <= held


def test_a_cap_keeps_the_same_sample_and_its_heldout_share(tmp_path):
    each = len(next(iter(many(1).values())))
    cap = 100.5 * each / 1e6
    rows, stats = sifted(tmp_path, CODE, package(many(300)), share=0.2, max_mb=cap)
    assert 95 <= len(rows) <= 101 and stats["bytes"] <= cap * 1e6
    assert stats["dropped"]["over_max_mb"]["files"] == 300 - len(rows)
    # The sample must not favour small ids, which are what is held out.
    assert 8 <= stats["heldout_documents"] <= 35
    halves, _ = sifted(tmp_path, CODE, package(many(300)), max_mb=cap, name="b", parts=2)
    assert {row["id"] for row in halves} < {row["id"] for row in rows}


def test_the_same_bytes_whatever_the_order(tmp_path):
    files = list({"pkg-1/PKG-INFO": META, **{f"pkg-1/{n}": d for n, d in many(50).items()}}.items())
    sifted(tmp_path, CODE, {"pkg-1.tar.gz": tar_gz(dict(files))}, share=0.1, name="a")
    random.Random(1).shuffle(files)
    sifted(tmp_path, CODE, {"pkg-1.tar.gz": tar_gz(dict(files))}, share=0.1, name="b")
    first, second = (tmp_path / name / "part-0-of-1.parquet" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    read = [json.loads(clean.stats_path(path).read_text()) for path in (first, second)]
    for stats in read:
        stats.pop("downloaded_bytes")  # of the archive, which packs otherwise in another order
    assert read[0] == read[1]


def test_empty_part(tmp_path):
    rows, stats = sifted(tmp_path, CODE, {})
    assert rows == [] and stats["read"] == {"files": 0, "bytes": 0}


def test_truncated_archive_leaves_nothing(tmp_path):
    (name, data), *_ = package({"a.py": PYTHON}).items()
    with pytest.raises(UserError, match="truncated"):
        sifted(tmp_path, CODE, {name: data[:-20]})
    assert list((tmp_path / "out").iterdir()) == []


def test_archive_with_dot_dot_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match="leaves its folder"):
        sifted(tmp_path, CODE, {"pkg-1.tar.gz": tar_gz({"../../evil.py": PYTHON})})
    assert list((tmp_path / "out").iterdir()) == []
    assert not list(tmp_path.rglob("evil.py"))


def test_file_that_went_missing(tmp_path):
    manifest = manifest_of(tmp_path / "d", package({"a.py": PYTHON}))
    (tmp_path / "d/files/pkg-1.tar.gz").unlink()
    with pytest.raises(UserError, match="fetch it again"):
        clean.run({"source": CODE}, manifest, 0, 1, tmp_path / "part-0-of-1.parquet")


@pytest.mark.parametrize(
    ("source", "cleaning", "share", "expected"),
    [
        ({}, {"max_bites": 5}, 0, "did you mean 'max_bytes'"),
        ({}, {"max_bytes": -5}, 0, "at least 0"),
        ({}, {"redact": ["emails"]}, 0, "did you mean 'email'"),
        ({}, {"filters": [{"measure": "word", "least": 1}]}, 0, "did you mean 'words'"),
        ({}, {"filters": [{"measure": "words"}]}, 0, "neither least nor most"),
        ({}, {}, 1.0, "heldout.share is 1.0"),
        ({"kind": "sft"}, {}, 0, "allowed are code, text"),
        ({"languages": ["pyhton"]}, {}, 0, "did you mean 'python'"),
        ({"format": "rar"}, {}, 0, "format 'rar' is unknown"),
    ],
)
def test_settings_that_are_wrong(tmp_path, source, cleaning, share, expected):
    with pytest.raises(UserError, match=expected):
        sifted(tmp_path, CODE | source, package({"a.py": PYTHON}), cleaning, share)


# Data sets' rows -----------------------------------------------------------------------------

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


NAME = st.text("abcXYZ/._-é", min_size=1, max_size=10)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.dictionaries(NAME, st.one_of(st.binary(max_size=200), st.just(PYTHON)), max_size=8))
def test_whatever_the_archive_holds_is_kept_or_counted(tmp_path, files):
    """The checks are in ``sifted``: read = kept + dropped, in files and in bytes."""
    safe = {f"pkg-1/{name}": d for name, d in files.items() if ".." not in name.split("/")}
    sifted(tmp_path, CODE, {"pkg-1.tar.gz": tar_gz({"pkg-1/PKG-INFO": META} | safe)})
