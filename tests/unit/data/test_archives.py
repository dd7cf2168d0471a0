"""Archives from outside: read whole and right, or refused with one line; nothing leaves its folder."""

import gzip
import io
import posixpath
import random
import re
import stat
import tarfile
import zipfile
import zlib

import pytest
from hubserver.made import tar_gz, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.data import archives
from lemur.data.archives import members, safe_path

FILES = {"pkg-1/a.py": b"x = 1\n", "pkg-1/sub/b.sh": b"#!/bin/sh\n", "pkg-1/empty": b""}
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def tarred(compression: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{compression}") as tar:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


def linked(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(name: str, target: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    return made.getvalue()


def read(tmp_path, data: bytes, name: str = "toy.bin") -> dict[str, bytes]:
    path = tmp_path / name
    path.write_bytes(data)
    return {member.path: member.read() for member in members(path) if not member.link}


def refused(tmp_path, data: bytes) -> str:
    with pytest.raises(UserError) as caught:
        read(tmp_path, data)
    line = str(caught.value)
    assert "\n" not in line and line.startswith("toy.bin: ")
    return line


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_tar_by_content(tmp_path, compression):
    assert read(tmp_path, tarred(compression)) == FILES


def test_zip_by_content(tmp_path):
    assert read(tmp_path, zipped(FILES)) == FILES


def test_tar_that_holds_a_zip_is_a_tar(tmp_path):
    inner = zipped({"inner.py": b"y = 2\n"})
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        info = tarfile.TarInfo("pkg/inner.zip")
        info.size = len(inner)
        tar.addfile(info, io.BytesIO(inner))
    assert read(tmp_path, made.getvalue()) == {"pkg/inner.zip": inner}


ESCAPES = [
    "../evil",
    "a/../../evil",
    "/etc/evil",
    "C:\\evil",
    "c:/evil",
    "./c:/evil",
    "..\\evil",
    "a/..",
    "\\\\h\\x",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_names_that_leave(tmp_path, name):
    for data in (tar_gz({name: b"x"}), zipped({name: b"x"})):
        assert "refused" in refused(tmp_path, data)
        assert [path.name for path in tmp_path.iterdir()] == ["toy.bin"]


@pytest.mark.parametrize("target", ["../../etc/passwd", "/etc/passwd", "../..", "a/../../../x"])
def test_links_that_leave(tmp_path, target):
    assert "points out" in refused(tmp_path, tar_gz({}, [linked("pkg/link", target)]))
    assert "points out" in refused(tmp_path, zip_link("pkg/link", target))


def test_hard_link_that_leaves(tmp_path):
    assert "points out" in refused(tmp_path, tar_gz({}, [linked("a/b/c", "../x", tarfile.LNKTYPE)]))


def test_links_inside_are_told_and_not_read(tmp_path):
    path = tmp_path / "toy.tar.gz"
    path.write_bytes(tar_gz(FILES, [linked("pkg-1/sub/link", "../a.py")]))
    found = [(member.path, member.link) for member in members(path)]
    assert ("pkg-1/sub/link", True) in found and len(found) == 4


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices(tmp_path, kind):
    assert "device" in refused(tmp_path, tar_gz({}, [linked("pkg/dev", "", kind)]))


def test_encrypted_zip(tmp_path):
    data = bytearray(zipped({"a.py": b"x"}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    assert "encrypted" in refused(tmp_path, bytes(data))


def zeros(size: int):
    """A tar.gz whose one member inflates to ``size`` zeros, made without holding them."""
    info = tarfile.TarInfo("pkg/zeros")
    info.size = size
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield packer.compress(info.tobuf())
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        yield packer.compress(block)
    yield packer.compress(bytes(1024)) + packer.flush()


def test_bomb_in_a_tar(tmp_path):
    data = b"".join(zeros(128 << 20))
    assert len(data) < 200_000
    assert "zip bomb" in refused(tmp_path, data)


def test_bomb_in_a_zip_is_seen_without_inflating(tmp_path):
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w") as member,
    ):
        for _ in range(80):
            member.write(bytes(1 << 20))
    assert "zip bomb" in refused(tmp_path, made.getvalue())


def test_zip_that_lies_about_its_size(tmp_path):
    """A member that claims 10 bytes and holds 100,000: no more than it claims may come out."""
    data = bytearray(zipped({"a": bytes(100_000)}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    assert "damaged" in refused(tmp_path, bytes(data))


def test_tables_that_pack_well_are_no_bombs(tmp_path):
    assert len(read(tmp_path, tar_gz({"t": b"0,0,0\n" * 1_000_000}))["t"]) == 6_000_000


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x1f\x8b", b"PK\x03\x04" + b"x" * 50])
def test_no_archive(tmp_path, data):
    assert "no known kind" in refused(tmp_path, data)


def test_missing_archive(tmp_path):
    with pytest.raises(UserError, match="no such archive"):
        list(members(tmp_path / "none.zip"))


@pytest.mark.parametrize("form", ["tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_truncated_anywhere(tmp_path, form):
    rng = random.Random(0)
    files = {f"pkg/{n}": rng.randbytes(300) for n in range(20)}
    if form == "zip":
        whole = zipped(files)
    else:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode=f"w:{form[4:]}") as tar:
            for name, body in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
        whole = made.getvalue()
    for keep in [1, 10, *range(50, len(whole) - 1, len(whole) // 25), len(whole) - 1]:
        assert "truncated" in refused(tmp_path, whole[:keep]), keep


# Properties ----------------------------------------------------------------------------------

NAMES = st.text(st.sampled_from("ab./\\C:é\x01"), min_size=1, max_size=12)


@given(name=NAMES)
def test_a_safe_path_stays_in_its_folder(name):
    try:
        path = safe_path("toy", name)
    except UserError as error:
        assert "\n" not in str(error)
        return
    end = posixpath.normpath(posixpath.join("/base", path))
    assert end.startswith("/base/")
    assert safe_path("toy", path) == path


@given(parts=st.lists(st.text("abc-_. ", min_size=1, max_size=6), min_size=1, max_size=4))
def test_an_ordinary_path_is_kept(parts):
    parts = [part for part in parts if part not in (".", "..")]
    if parts:
        assert safe_path("toy", "/".join(parts)) == "/".join(parts)


@quick
@given(name=NAMES)
def test_no_archive_yields_a_path_outside(tmp_path, name):
    for made in (tar_gz, zipped):
        try:
            found = read(tmp_path, made({name: b"x"}))
        except (UserError, ValueError):
            continue
        for path in found:
            assert not path.startswith("/") and ".." not in path.split("/")
            assert not re.match("[A-Za-z]:", path)


@quick
@given(seed=st.integers(0, 2**32), form=st.sampled_from(["gz", "xz", "bz2", "", "zip"]))
def test_damage_is_one_line_or_right_content(tmp_path, seed, form):
    """Flipped bytes: the same members as before, or a ``UserError``; never another exception."""
    whole = bytearray(zipped(FILES) if form == "zip" else tarred(form))
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 3)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    try:
        read(tmp_path, bytes(whole))
    except UserError as error:
        assert "\n" not in str(error)


@pytest.mark.long
@settings(
    max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=600), form=st.sampled_from(["gz", "zip", "tar", ""]))
def test_fuzz(tmp_path, data, form):
    whole = {
        "gz": gzip.compress(data, mtime=0),
        "zip": zipped(FILES)[:-30] + data,
        "tar": tarred("")[:600] + data,
        "": data,
    }[form]
    try:
        read(tmp_path, whole)
    except UserError as error:
        assert "\n" not in str(error)


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    for data in (tar_gz(FILES), zipped(FILES)):
        assert "more than 2 members" in refused(tmp_path, data)
