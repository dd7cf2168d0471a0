"""Debian packages: read as dpkg reads them, or refused with one line."""

import lzma
import shutil
import subprocess
import tarfile

import pyarrow as pa
import pytest
from hubserver.made import deb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.data.archives import members

FILES = {"./usr/share/toy/a.py": b"x = 1\n", "./usr/share/toy/b": b"", "./usr/odd": b"1"}
KINDS = {
    "gz": None,
    "xz": ("xz", lzma.compress),
    "zst": ("zst", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
    "none": ("", lambda data: data),
}


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def read(tmp_path, data):
    path = tmp_path / "toy.deb"
    path.write_bytes(data)
    return {member.path: member.read() for member in members(path)}


@pytest.mark.parametrize("kind", KINDS)
def test_reads_every_compression(tmp_path, kind):
    found = read(tmp_path, deb(FILES, compress=KINDS[kind]))
    assert found == {name[2:]: data for name, data in FILES.items()}


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="compiler: no dpkg-deb to compare with")
def test_as_dpkg_reads_it(tmp_path):
    made = deb(FILES, compress=KINDS["xz"])
    found = read(tmp_path, made)
    shown = subprocess.run(
        ["dpkg-deb", "--contents", tmp_path / "toy.deb"], capture_output=True, text=True, check=True
    )
    names = [line.split()[-1][2:] for line in shown.stdout.splitlines()]
    assert sorted(names) == sorted(found)


def test_absolute_link_starts_at_the_packages_root(tmp_path):
    assert "usr/l" in read(tmp_path, deb(FILES, [link("./usr/l", "/etc/toy.conf")]))


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/../../etc/passwd"])
def test_link_out_of_the_package(tmp_path, target):
    with pytest.raises(UserError, match="points out of its folder"):
        read(tmp_path, deb(FILES, [link("./usr/l", target)]))


def test_member_out_of_the_package(tmp_path):
    with pytest.raises(UserError, match="leaves its folder"):
        read(tmp_path, deb({"../../etc/passwd": b"x"}))


@pytest.mark.parametrize("kind", ["gz", "xz", "zst"])
def test_bomb(tmp_path, kind):
    bomb = deb({"./zeros": bytes(68_000_000)}, compress=KINDS[kind])
    with pytest.raises(UserError, match="zip bomb"):
        read(tmp_path, bomb)


def test_no_data_in_it(tmp_path):
    head = deb(FILES)[: 8 + 60 + 4]
    with pytest.raises(UserError, match="no data.tar in it"):
        read(tmp_path, head)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damage_is_one_line(tmp_path, data):
    made = bytearray(deb(FILES))
    if data.draw(st.booleans()):
        made = made[: data.draw(st.integers(60, len(made) - 1))]
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(8, len(made) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(tmp_path, bytes(made))
    except UserError as error:
        assert "\n" not in str(error)
