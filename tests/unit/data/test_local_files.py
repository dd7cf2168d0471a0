"""Files of this machine as a source: what a path names, what is refused and what is left out, counted."""

import gzip
import json
import os
import subprocess

import as_json
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.corpus import clean
from lemur.data import local_files
from lemur.download import source_part
from made_packages import ENGLISH, PYTHON

CLEANING = {"min_bytes": 64, "max_bytes": 100_000}


def put(folder, **files):
    """Files by name; two underscores stand for a slash and one at the end for a dot."""
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def listed(path, **keys):
    return local_files.list_files({"from": {"path": str(path)}, **keys}, "sources/mine")


def names(listing):
    return [file.path for file in listing.files]


def read(tmp_path, path, kind="text", parts=1, **keys):
    """[(path, licence)] of the documents and {reason: files}, by download and cleaning as rules call them."""
    kept, dropped = [], {}
    form = keys.pop("format", None) or local_files.form_of(listed(path), "sources/mine")
    for part in range(parts):
        place = tmp_path / "resources" / f"part-{part}" / "manifest.json"
        spec = {
            "name": "mine",
            "from": {"path": str(path)},
            "licence": "own",
            "format": form,
            **keys,
        }
        source_part.run(spec, part, parts, place)
        out = tmp_path / f"part-{part}.parquet"
        source = {"name": "mine", "kind": kind, "licence": "own", "format": form, **keys}
        as_json.clean({"source": source, "cleaning": CLEANING}, place, part, parts, out)
        kept += [(row["path"], row["licence"]) for row in pq.read_table(out).to_pylist()]
        for why, count in read_json(clean.stats_path(out))["dropped"].items():
            dropped[why] = dropped.get(why, 0) + count["files"]
    return kept, dropped


@pytest.fixture
def notes(tmp_path):
    """A folder of notes: two are text, the others are what such folders hold as well."""
    folder = put(
        tmp_path / "my räume" / "notes", a_DOT_txt=ENGLISH, sub__b_DOT_md=ENGLISH + b"More.\n",
        raw_DOT_txt=bytes(300), latin_DOT_txt="größe und weite ".encode("latin-1") * 20,
        photo_DOT_png=b"\x89PNG" + bytes(200), _DOT_git__config=b"x",
    )  # fmt: skip
    (folder / "out.txt").symlink_to("/etc/passwd")
    (folder / "all").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.txt")
    return folder


def test_a_folder_is_read_and_what_is_no_document_is_counted(notes, tmp_path):
    listing = listed(notes)
    assert names(listing) == ["a.txt", "latin.txt", "photo.png", "raw.txt", "sub/b.md"]
    assert listing.left_out == {"hidden": 1, "link": 2, "no_file": 1}
    assert "2 links (none is followed" in listing.described()
    kept, dropped = read(tmp_path, notes)
    assert kept == [("a.txt", "LicenseRef-Own"), ("sub/b.md", "LicenseRef-Own")]
    assert dropped == {"not_text": 2, "other_type": 1}
    assert read_json(tmp_path / "resources/part-0/manifest.json")["left_out"] == dict(
        listing.left_out
    )


def test_a_name_that_is_not_utf8_is_counted(notes):
    (notes / os.fsdecode(b"gr\xf6\xdfe.txt")).write_bytes(ENGLISH)
    assert listed(notes).left_out["name"] == 1


@pytest.mark.parametrize("ending, packed", [
    ("jsonl", bytes), ("jsonl.gz", gzip.compress),
    ("jsonl.zst", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
])  # fmt: skip
def test_rows_by_a_glob_compressed_or_not(tmp_path, ending, packed):
    rows = b"".join(
        json.dumps({"text": ENGLISH.decode() + str(n)}).encode() + b"\n" for n in range(3)
    )
    for name in ("a", "b"):
        put(tmp_path / "data" / name, **{"x_DOT_" + ending.replace(".", "_DOT_"): packed(rows)})
    put(tmp_path / "data", notes_DOT_txt=ENGLISH)
    kept, _ = read(tmp_path, tmp_path / "data" / "**" / f"*.{ending}", parts=2)
    assert [path.split("#")[0] for path, _ in kept] == [f"a/x.{ending}"] * 3 + [f"b/x.{ending}"] * 3


def test_parquet_with_a_column_of_another_name(tmp_path):
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"body": [ENGLISH.decode()]}), tmp_path / "data" / "x.parquet")
    kept, _ = read(tmp_path, tmp_path / "data", text_field="body")
    assert kept == [("x.parquet#00000000", "LicenseRef-Own")]
    with pytest.raises(UserError, match="no column 'text'"):
        read(tmp_path, tmp_path / "data")


def test_a_row_that_is_too_long_or_no_json_is_one_line(tmp_path, monkeypatch):
    put(tmp_path / "data", x_DOT_jsonl=b'{"text": "a"}\n{"text": "' + b"x" * 500 + b'"}\n')
    monkeypatch.setattr("lemur.data.records.LONGEST_LINE", 400)
    with pytest.raises(UserError, match=r"x.jsonl: line 2 is longer than 400 bytes"):
        read(tmp_path, tmp_path / "data")
    put(tmp_path / "data", x_DOT_jsonl=b'{"text": \n')
    with pytest.raises(UserError, match=r"x.jsonl: line 1 is not JSON"):
        read(tmp_path, tmp_path / "data")


def test_what_of_a_folder_is_chosen(tmp_path):
    folder = put(tmp_path / "code", a_DOT_py=PYTHON, test__b_DOT_py=PYTHON, c_DOT_jsonl=b"{}")
    assert names(listed(folder, exclude=["test/*"])) == ["a.py", "c.jsonl"]
    assert names(listed(folder, format="jsonl")) == ["c.jsonl"]
    assert names(listed(folder, include=["*.py"])) == ["a.py", "test/b.py"]
    assert listed(folder, include=["*.py"]).left_out == {"not_chosen": 1}
    assert local_files.form_of(listed(folder), "x") == "files"
    assert local_files.form_of(listed(folder, format="jsonl"), "x") == "jsonl"
    put(folder, d_DOT_parquet=b"")
    with pytest.raises(UserError, match="several forms .1 jsonl, 1 parquet.: say `format`"):
        local_files.form_of(listed(folder, exclude=["*.py"]), "sources/mine")


def test_what_a_run_writes_is_no_source_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path, a_DOT_txt=ENGLISH, results__b_DOT_txt=ENGLISH, sub__results__c_DOT_txt=ENGLISH)
    put(tmp_path, **{"local_DOT_lock_DOT_json": b"{}"})
    for path in (".", "**/*.*"):
        listing = listed(path)
        assert names(listing) == ["a.txt", "sub/results/c.txt"]
        assert listing.left_out["written_here"] == 2


@pytest.mark.parametrize("path, line", [
    ("none", "{}/none: no such file or folder"),
    ("none/*.txt", "{}/none/*.txt: no such folder {}/none"),
    ("empty", "{}/empty: no file is there to be read"),
    ("empty/*.jsonl", "{}/empty/*.jsonl: no file is there to be read"),
    ("gone", "{}/gone: a link that leads nowhere"),
    ("pipe", "{}/pipe: neither a folder nor a regular file"),
    ("linked", "{}/linked: no file is there to be read (left out: 1 links (none is followed: name what they lead to))"),
    ("x" * 300, "File name too long"),
])  # fmt: skip
def test_nothing_to_read_is_one_line(tmp_path, path, line):
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.txt").symlink_to("/etc/passwd")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError) as caught:
        listed(tmp_path / path)
    assert str(caught.value).startswith("sources/mine: from.path: ")
    assert line.replace("{}", str(tmp_path)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_may_not_be_read_is_named(notes):
    """By somebody who is not root, since root may read everything."""
    if os.getuid():
        (notes / "a.txt").chmod(0)
        with pytest.raises(UserError, match=r"a.txt: may not be read"):
            listed(notes)
        return
    for path in (*notes.parents, notes, notes / "sub"):
        if (
            path.stat().st_uid == 0
            and path != path.parent
            and path.is_relative_to("/tmp/pytest-of-root")
        ):
            path.chmod(0o755)
    (notes / "a.txt").chmod(0)
    (notes / "latin.txt").chmod(0)
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setuid(65534)
            listed(notes)
        except UserError as error:
            said = "a.txt (and 1 more): may not be read" in str(error) or "Permission" in str(error)
            code = 0 if said else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_hashes_are_taken_once_and_of_what_changed(notes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(
        ["find", str(notes), "-exec", "touch", "-h", "-d", "2020-01-01", "{}", "+"], check=True
    )
    first = local_files.take_hashes(listed(notes), "mine")
    hashed = []
    real = local_files.sha256_of
    monkeypatch.setattr(
        local_files, "sha256_of", lambda path: hashed.append(path.name) or real(path)
    )
    assert local_files.take_hashes(listed(notes), "mine") == first and hashed == []
    (notes / "a.txt").write_bytes(ENGLISH + b"!")
    (notes / "sub" / "b.md").touch()
    again = local_files.take_hashes(listed(notes), "mine")
    assert hashed == ["a.txt", "b.md"]
    assert [a == b for a, b in zip(first, again, strict=True)] == [False, True, True, True, True]
    # What changed a moment ago is read again: its next change could come within one tick.
    local_files.take_hashes(listed(notes), "mine")
    assert hashed == ["a.txt", "b.md"] * 2


def test_a_file_that_changes_between_plan_and_job_is_refused(notes, tmp_path):
    files = local_files.take_hashes(listed(notes), "mine", keep=False)
    (planned,) = local_files.digests(files, 1)
    (notes / "a.txt").write_bytes(b"other")
    spec = {"name": "mine", "from": {"path": str(notes)}, "licence": "own", "listing": planned}
    with pytest.raises(
        UserError, match="changed since this run was planned: give the command again"
    ):
        source_part.run(spec, 0, 1, tmp_path / "manifest.json")
    assert not (tmp_path / "manifest.json").exists()


def test_own_files_keep_out_what_is_somebody_elses(tmp_path):
    """`licence: own` says nothing of a file that states a licence itself."""
    copyleft = b"# SPDX-License-Identifier: GPL-3.0-only\n" + PYTHON
    folder = put(tmp_path / "code", a_DOT_py=PYTHON, b_DOT_py=copyleft)
    kept, dropped = read(tmp_path, folder, kind="code")
    assert kept == [("a.py", "LicenseRef-Own")] and dropped == {"licence_header": 1}
