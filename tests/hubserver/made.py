"""Archives made in memory, for tests."""

import gzip
import hashlib
import io
import tarfile
import zipfile


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tar_gz(files: dict[str, bytes], extra: list[tarfile.TarInfo] = ()) -> bytes:
    """A tar.gz of files and bare entries (links, devices), the same bytes every time."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra:
            tar.addfile(info)
    return gzip.compress(plain.getvalue(), mtime=0)


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def deb(files: dict[str, bytes], extra: list[tarfile.TarInfo] = (), compress=None) -> bytes:
    """A Debian package (deb(5)) of files; ``compress`` = (suffix, function) of its data."""
    suffix, pack = compress or ("gz", lambda data: gzip.compress(data, mtime=0))
    plain = gzip.decompress(tar_gz(files, extra))
    members = (
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", tar_gz({"./control": b"Package: toy\n"})),
        (f"data.tar.{suffix}", pack(plain)),
    )
    made = b"!<arch>\n"
    for name, data in members:
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        made += data + b"\n" * (len(data) % 2)
    return made
