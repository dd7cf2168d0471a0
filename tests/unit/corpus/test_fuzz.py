"""Damaged input of every format: one line or documents, whatever the damage; and what was found."""

import json
import os
import subprocess
import sys

import pytest
from fuzz_readers import LINES, WHOLE, read
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT


def test_what_is_whole_is_read(tmp_path):
    for name, data in WHOLE.items():
        read(tmp_path, name, data)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seconds", [6, pytest.param(600, marks=pytest.mark.long)])
def test_damage_is_one_line_or_documents(tmp_path, seconds):
    """In a process of its own: a crash of a library's native code is a finding too."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/fuzz_readers.py"), str(seconds), str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
    )
    assert done.returncode == 0, f"input kept in {tmp_path}: {done.stderr[-3000:]}"
    print(done.stdout)


def refused(tmp_path, name, data):
    from fuzz_readers import source_of
    from lemur.corpus.candidates import list_candidates

    (tmp_path / "files").mkdir()
    (tmp_path / "files" / name).write_bytes(data)
    manifest = tmp_path / "manifest.json"
    entry = {"path": f"files/{name}", "size": len(data)}
    manifest.write_text(json.dumps({"files": [entry]}))
    with pytest.raises(UserError) as caught:
        list(list_candidates(source_of(name), manifest))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What fuzzing found.


def test_a_damaged_deflate_stream_in_a_gzip_file(tmp_path):
    data = bytearray(WHOLE["a.jsonl.gz"])
    data[len(data) // 2] = 0
    assert "truncated or damaged after line" in refused(tmp_path, "a.jsonl.gz", bytes(data))


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b'{"text": ' + b"9" * 5_000 + b"}", b'{"text": "\xff"}'],
    ids=["nested", "number", "bytes"],
)
def test_a_line_that_is_no_json(tmp_path, line):
    said = refused(tmp_path, "a.jsonl", LINES + line)
    assert "line 8 is not JSON" in said or "line 8 is not UTF-8" in said
