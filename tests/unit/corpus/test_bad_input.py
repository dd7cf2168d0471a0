"""The corpus commands on input that is damaged, hostile or too large: one clear line, nothing half."""

import ctypes
import errno
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubserver.made import tar_gz
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT
from made_corpus import TOKENIZER
from made_packages import CODE, ENGLISH, META, PYTHON

ROWS = {"name": "rows", "kind": "code", "licence": "MIT", "path_field": "path"}
SETTINGS = {"jaccard": 0.85, "shingle": 5, "permutations": 64, "bands": 16}
PLAN = {
    "recipe": "r",
    "seed": 1,
    "tokens": 64 * 400,
    "context": 64,
    "code_to_text": None,
    "sequences": 400,
    "kinds": {"code": {"tokens": 64 * 400, "sequences": 400, "share": 1.0}},
    "sources": [
        {"name": "rows", "kind": "code", "tokens": 64 * 400, "sequences": 400, "share": 1.0}
    ],
}
PACKING = {"seed": 1, "context": 64, "packing": "best-fit", "max_epochs": 1.0}
DECONTAMINATE = json.dumps({"benchmarks": [], "text_ngram": 13, "code_ngram": 10})


def part(folder: Path, files: dict[str, bytes]) -> Path:
    """A downloaded part: its files and the manifest that names them."""
    entries = []
    for name, data in files.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entries.append({"path": f"files/{name}", "size": path.stat().st_size})
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))
    return folder / "manifest.json"


def command(script: str, spec: object, *options: object) -> list[str]:
    text = spec if isinstance(spec, str) else json.dumps(spec)
    return [sys.executable, str(ROOT / "scripts" / script), "--spec", text, *map(str, options)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}


def run(line: list[str], **more) -> subprocess.CompletedProcess:
    return subprocess.run(line, capture_output=True, text=True, env=environment(), **more)


def cleaning(manifest: Path, out: Path, source: dict = CODE) -> list[str]:
    return command("1_corpus/clean.py", {"source": source}, "--manifest", manifest, "--out", out)


def refused(tmp_path: Path, files: dict[str, bytes], source: dict = CODE) -> str:
    """The one line of ``clean.py`` on a part that it cannot read; nothing is left behind."""
    out = tmp_path / "out" / "part-0-of-1.parquet"
    done = run(cleaning(part(tmp_path / "in", files), out, source))
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.parent.iterdir()) == []
    return lines[0]


def counted(tmp_path: Path, files: dict[str, bytes], source: dict = CODE) -> dict:
    out = tmp_path / "out" / "part-0-of-1.parquet"
    done = run(cleaning(part(tmp_path / "in", files), out, source))
    assert done.returncode == 0, done.stderr
    return json.loads(out.with_suffix(".stats.json").read_text())


def parquet(**columns) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def test_invalid_utf8_and_empty_files_are_counted(tmp_path):
    files = {
        "pkg-1/PKG-INFO": META,
        "pkg-1/latin.py": PYTHON + "# \xe9\xe8\n".encode("latin-1") * 20,
        "pkg-1/empty.py": b"",
        "pkg-1/good.py": PYTHON,
    }
    stats = counted(tmp_path, {"pkg-1.tar.gz": tar_gz(files)})
    assert {why: n["files"] for why, n in stats["dropped"].items()} == {
        "not_text": 1,
        "packaging": 1,
        "too_short": 1,
    }
    assert stats["documents"] == 1


def test_invalid_utf8_in_rows(tmp_path):
    line = b'{"text": "' + b"\xff" * 9 + b'", "path": "a.py"}\n'
    said = refused(tmp_path / "jsonl", {"a.jsonl": line}, {**ROWS, "format": "jsonl"})
    assert "a.jsonl: line 1 is not UTF-8" in said
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfe\xfd")]
    )
    said = refused(
        tmp_path / "parquet",
        {"a.parquet": parquet(text=bad, path=["a.py"])},
        {**ROWS, "format": "parquet"},
    )
    assert "a.parquet" in said and "UTF-8" in said


def test_files_of_no_bytes(tmp_path):
    assert "of no known kind" in refused(tmp_path / "a", {"pkg-1.tar.gz": b""})
    said = refused(tmp_path / "b", {"a.parquet": b""}, {**ROWS, "format": "parquet"})
    assert "a.parquet: not a whole parquet file" in said
    assert counted(tmp_path / "c", {"a.jsonl": b""}, {**ROWS, "format": "jsonl"})["documents"] == 0


def test_a_bomb(tmp_path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("pkg/a.py", b"a" * 100_000_000)
    assert "a zip bomb?" in refused(tmp_path, {"pkg-1-py3-none-any.whl": held.getvalue()})


@pytest.mark.parametrize("target", ["../../../etc/passwd", "/etc/passwd"])
def test_a_link_that_leaves_the_archive(tmp_path, target):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as made:
        link = tarfile.TarInfo("pkg-1/a.py")
        link.type, link.linkname = tarfile.SYMTYPE, target
        made.addfile(link)
    assert "points out of its folder" in refused(tmp_path, {"pkg-1.tar.gz": held.getvalue()})


def test_half_a_parquet_file(tmp_path):
    whole = parquet(text=[ENGLISH.decode()] * 50, path=[f"{k}.py" for k in range(50)])
    said = refused(tmp_path, {"a.parquet": whole[: len(whole) // 2]}, {**ROWS, "format": "parquet"})
    assert "a.parquet: not a whole parquet file" in said


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_shard_that_lacks_a_column(tmp_path, form):
    """The first shard has it, the second does not."""
    good, bad = {"text": "x", "path": "a.py"}, {"txt": "x", "path": "a.py"}
    files = {}
    for k, row in enumerate((good, bad)):
        if form == "parquet":
            files[f"{k}.parquet"] = parquet(**{key: [value] for key, value in row.items()})
        else:
            files[f"{k}.jsonl"] = json.dumps(row).encode()
    said = refused(tmp_path, files, {**ROWS, "format": form})
    assert f"1.{form}: no " in said and "'text'" in said and "'txt'" in said


def stages(folder: Path, manifest: Path) -> list[tuple[list[str], list[Path]]]:
    """(command, outputs) of every stage over one part, in order."""
    documents = folder / "corpus" / "rows" / "part-0-of-1.parquet"
    signed = documents.with_suffix(".npy")
    tokens = folder / "tokens" / "rows" / "part-0-of-1.json"
    dropped, packed = folder / "mix" / "dropped.tsv", folder / "packed" / "index.json"
    plan = manifest.with_name("plan.json")
    plan.write_text(json.dumps(PLAN))
    source = {**ROWS, "format": "jsonl"}
    keys = {key: value for key, value in SETTINGS.items() if key != "jaccard"}
    lists = {"sources": ["rows"], "deduplication": SETTINGS}
    return [
        (cleaning(manifest, documents, source), [documents, documents.with_suffix(".stats.json")]),
        (
            command("1_corpus/signatures.py", {"deduplication": keys}, "--documents", documents)
            + ["--out", str(signed)],
            [signed],
        ),
        (
            command("1_corpus/duplicates.py", lists, "--documents", documents)
            + ["--signatures", str(signed), "--out-dir", str(folder / "corpus")],
            [folder / "corpus/rows/duplicates.tsv", folder / "corpus/duplicates.json"],
        ),
        (
            command("2_mix/decontaminate.py", DECONTAMINATE, "--documents", documents)
            + ["--out", str(dropped)],
            [dropped],
        ),
        (
            command("3_tokenize/tokenize.py", {"tokenizer": "t"}, "--documents", documents)
            + ["--tokenizer", str(TOKENIZER), "--out", str(tokens)],
            [tokens, tokens.with_suffix(".bin"), tokens.with_name("part-0-of-1.offsets.npy")],
        ),
        (
            command("3_tokenize/pack.py", PACKING, "--plan", plan, "--dropped", dropped)
            + ["--duplicates", str(folder / "corpus/rows/duplicates.tsv")]
            + ["--documents", str(documents), "--tokens", str(tokens), "--out", str(packed)],
            [
                packed,
                *(
                    packed.with_name(name)
                    for name in ("realised.json", "segments.npy", "sequences.npy")
                ),
            ],
        ),
    ]


def rows(count: int) -> bytes:
    """JSON lines of different documents, some of them nearly equal to one before."""
    rng, lines, before = random.Random(1), [], ""
    for k in range(count):
        names = ["".join(rng.choices("abcdefgh", k=5)) for _ in range(300)]
        text = before + "# once more\n" if k % 5 == 4 else "\n".join(f"{x} = {x}()" for x in names)
        before = text
        lines.append(json.dumps({"text": text, "path": f"{k}.py"}))
    return "\n".join(lines).encode()


def hashes(paths: list[Path]) -> list[str]:
    return [sha256_of(path) for path in paths]


def killed_at(line: list[str], seconds: float) -> bool:
    """Start, kill -9 after so long; whether it was still running."""
    process = subprocess.Popen(
        line, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@pytest.mark.timeout(900)  # twelve rounds of six commands, each started twice
@pytest.mark.parametrize("rounds", [1, pytest.param(12, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_same_bytes_come(tmp_path, rounds):
    """A killed command leaves either nothing or the whole under a final name; again gives the same."""
    manifest = part(tmp_path / "in", {"a.jsonl": rows(600)})
    wanted = []
    for line, outputs in stages(tmp_path / "whole", manifest):
        begun = time.monotonic()
        done = run(line)
        assert done.returncode == 0, done.stderr
        wanted.append((hashes(outputs), time.monotonic() - begun))
    rng = random.Random(rounds)
    # In one round those with the most files; the long test kills every stage.
    several = {0, 4} if rounds == 1 else set(range(len(wanted)))
    for k in range(rounds):
        folder = tmp_path / f"round-{k}"
        for number, (line, outputs) in enumerate(stages(folder, manifest)):
            if number not in several:
                continue
            right, seconds = wanted[number]
            # The beginning is imports: what writes comes in the second half.
            moment = seconds * rng.uniform(0.5, 1.0)
            while not killed_at(line, moment):  # it ended before: the machine is less busy now
                moment *= 0.7
                for path in outputs:
                    path.unlink()
            for path, digest in zip(outputs, right, strict=True):
                assert not path.exists() or sha256_of(path) == digest
            assert run(line).returncode == 0
            assert hashes(outputs) == right


@pytest.mark.skipif(os.geteuid() != 0, reason="root: mounting a small disk needs root")
def test_a_disk_that_fills_in_the_middle(tmp_path):
    """Every stage on a disk too small for it: one line, not the file that vouches for the rest, and
    nothing half; with room, the same bytes."""
    manifest = part(tmp_path / "in", {"a.jsonl": rows(400)})
    disk = tmp_path / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(disk).encode(), b"tmpfs", 0, b"size=40m"):
        pytest.skip(f"root: mount refused ({errno.errorcode[ctypes.get_errno()]})")
    try:
        for line, outputs in stages(disk, manifest):
            outputs[0].parent.mkdir(parents=True, exist_ok=True)
            # All but a few pages are taken by another.
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            (disk / "filler").write_bytes(bytes(max(0, room - 8_192)))
            failed = run(line)
            if failed.returncode:  # what is small enough for two pages may fit
                last = failed.stderr.strip().splitlines()[-1]
                assert failed.returncode == 2 and "full" in last, failed.stderr
                assert "Traceback" not in failed.stderr
                assert not outputs[0].exists()
            whole = {path: sha256_of(path) for path in outputs if path.exists()}
            (disk / "filler").unlink()
            again = run(line)
            assert again.returncode == 0, again.stderr
            assert all(sha256_of(path) == digest for path, digest in whole.items())
        assert not [path for path in disk.rglob("*") if path.name.endswith(".partial")]
    finally:
        libc.umount(str(disk).encode())


@pytest.mark.long
@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "tar.gz"])
def test_a_line_of_a_gigabyte(tmp_path, form):
    """Refused or counted in less than 600 MB."""
    folder = tmp_path / "in" / "files"
    folder.mkdir(parents=True)
    path = folder / f"pkg-1.{form}"
    size = 1 << 30
    if form == "tar.gz":
        with tarfile.open(path, "w:gz", compresslevel=6) as made:
            info = tarfile.TarInfo("pkg-1/PKG-INFO")
            info.size = len(META)
            made.addfile(info, io.BytesIO(META))
            info = tarfile.TarInfo("pkg-1/a.py")
            info.size = size
            made.addfile(info, _Noise(size))
    else:
        opener = gzip.open if form.endswith("gz") else open
        with opener(path, "wb") as file:
            file.write(b'{"path": "a.py", "text": "')
            for _ in range(size >> 20):
                file.write(b"x" * (1 << 20))
            file.write(b'"}\n')
    manifest = {"files": [{"path": f"files/{path.name}", "size": path.stat().st_size}]}
    (tmp_path / "in" / "manifest.json").write_text(json.dumps(manifest))
    source = CODE if form == "tar.gz" else {**ROWS, "format": "jsonl"}
    out = tmp_path / "out" / "part-0-of-1.parquet"
    line = cleaning(tmp_path / "in" / "manifest.json", out, source)
    launch = [sys.executable, str(ROOT / "tests/bench/launch.py"), str(tmp_path / "cost.json")]
    done = run([*launch, *line])
    peak = json.loads((tmp_path / "cost.json").read_text())[1]
    assert peak < 600_000_000
    assert "Traceback" not in done.stderr
    if form == "tar.gz":
        stats = json.loads(out.with_suffix(".stats.json").read_text())
        assert stats["dropped"]["over_long"]["bytes"] == size
    else:
        assert "line 1 is longer than 67,108,864 bytes" in done.stderr
        assert list(out.parent.iterdir()) == []


class _Noise(io.RawIOBase):
    """``size`` bytes that hardly pack, without a line end and without holding them."""

    def __init__(self, size: int):
        self.left, self.block = size, random.Random(0).randbytes(1 << 16).replace(b"\n", b"x")

    def read(self, size: int = -1) -> bytes:
        data = (self.block * (size // len(self.block) + 1))[: min(size, self.left)]
        self.left -= len(data)
        return data
