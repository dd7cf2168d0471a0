"""An archive that holds a path more than once: what unpacking with its own tool leaves is kept."""

import gzip
import io
import shutil
import subprocess
import tarfile
import warnings
import zipfile

import pytest
from hubserver.made import deb, sha256
from lemur.corpus import licence_texts
from lemur.data.members import members
from made_packages import CODE, META, PYTHON, sifted

FIRST, MIDDLE, LAST = (PYTHON + f"# {word}\n".encode() for word in ("first", "middle", "last"))
ENTRIES = [
    ("pkg-1/PKG-INFO", META.replace(b"MIT", b"GPL-3.0-only")),
    ("pkg-1/a.py", FIRST),
    ("pkg-1/a.py", MIDDLE),
    ("pkg-1/b.py", PYTHON),
    ("./pkg-1//a.py", LAST),  # the same file by another spelling
    ("pkg-1/sub/LICENSE", b"GNU GENERAL PUBLIC LICENSE"),
    ("pkg-1/sub/LICENSE", licence_texts._MIT.encode()),
    ("pkg-1/sub/c.py", PYTHON + b"# c\n"),
    ("pkg-1/PKG-INFO", META),
]


def tarred() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in ENTRIES:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def packed(kind: str) -> bytes:
    if kind == "tar.gz":
        return gzip.compress(tarred(), mtime=0)
    if kind == "deb":
        return deb({}, compress=("gz", lambda _: gzip.compress(tarred(), mtime=0)))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in ENTRIES:
            archive.writestr(name.replace("./", "").replace("//", "/"), data)
    return made.getvalue()


TOOLS = {
    "tar.gz": ["tar", "-xf"],
    "zip": ["unzip", "-qo"],
    "deb": ["dpkg-deb", "-x"],
}


@pytest.mark.parametrize("kind", TOOLS)
def test_the_last_of_a_path_is_kept(tmp_path, kind):
    rows, stats = sifted(tmp_path, CODE, {f"pkg-1.{kind}": packed(kind)})
    kept = {row["path"]: row["text"].encode() for row in rows}
    assert kept == {
        "pkg-1/a.py": LAST,
        "pkg-1/b.py": PYTHON,
        "pkg-1/sub/c.py": PYTHON + b"# c\n",
    }
    assert stats["dropped"]["repeated_path"]["files"] == 4
    if not shutil.which(TOOLS[kind][0]):
        pytest.skip(f"toolchain: no {TOOLS[kind][0]} to compare with")
    archive = tmp_path / "out-download" / "files" / f"pkg-1.{kind}"
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    where = [str(unpacked)] if kind == "deb" else []
    subprocess.run([*TOOLS[kind], str(archive), *where], cwd=unpacked, check=True)
    assert {path: (unpacked / path).read_bytes() for path in kept} == kept


def test_a_link_that_replaces_a_file(tmp_path):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in (("pkg-1/PKG-INFO", META), ("pkg-1/a.py", FIRST), ("pkg-1/b.py", LAST)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo("pkg-1/a.py")
        info.type, info.linkname = tarfile.SYMTYPE, "b.py"
        archive.addfile(info)
    rows, stats = sifted(tmp_path, CODE, {"pkg-1.tar.gz": made.getvalue()})
    assert [row["path"] for row in rows] == ["pkg-1/b.py"]
    assert (stats["dropped"]["link"]["files"], stats["dropped"]["repeated_path"]["files"]) == (1, 1)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_data_sets_and_benchmarks_take_the_last_too(tmp_path, kind):
    path = tmp_path / f"pkg-1.{kind}"
    path.write_bytes(packed(kind))
    found = members(path, ["pkg-1/a.py", "pkg-1/PKG-INFO"])
    assert [(name, sha256(data)) for name, data in found] == [
        ("pkg-1/PKG-INFO", sha256(META)),
        ("pkg-1/a.py", sha256(LAST)),
    ]
