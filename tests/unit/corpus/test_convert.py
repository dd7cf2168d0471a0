"""Documents in pages, in Metamath's databases and in R's."""

import contextlib
import struct
import zlib

import pytest
from hubserver.made import tar_gz
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.corpus.convert import CONVERTERS, html, metamath, rdata
from made_packages import ENGLISH, TEXT, sifted

PAGE = b"""<!DOCTYPE html><html><head><title>T</title><style>p {}</style></head><body>
<div class="navheader">Previous Next</div><nav>Menu</nav>
<h1>Vacuum</h1><p>Frees  the <b>space</b> of rows &amp; more.</p><pre>SELECT 1;
  FROM t;</pre><table><tr><td>a</td><td>b</td></tr></table>
<script>alert(1)</script></body></html>"""


def test_page_without_its_navigation():
    ((name, text),) = html.documents(PAGE)
    assert name == ""
    assert "Frees the space of rows & more." in text
    assert "SELECT 1;\n  FROM t;" in text
    assert not any(word in text for word in ("Previous", "Menu", "alert", "p {}", "<"))


def test_page_in_latin1_and_page_without_text():
    ((_, text),) = html.documents("<p>Köln</p>".encode("latin-1"))
    assert text == "Köln\n"
    assert list(html.documents(b"")) == []


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_markup_is_too_bad(data):
    for _, text in html.documents(b"<p>" + data):
        assert text.strip()


def test_comments_of_each_section():
    data = (
        b"$( #*#*#*#*\n  First part\n#*#*#*#* $)\n$( Says A.  (Contributed by A. Person, 1-Jan-2000.) $)"
        b"\nax-1 $a |- x $.\n$( =-=-=-=-\n  Second\n=-=-=-=- $)\nth $p |- y $= ax-1 $.\n$( Says B. $)"
    )
    assert list(metamath.documents(data)) == [
        ("00000.txt", "First part\n\nSays A.\n"),
        ("00001.txt", "Second\n\nSays B.\n"),
    ]


def vector(strings, kind=16) -> bytes:
    """A character vector as R serializes it (R Internals, 1.8), version 3."""
    made = b"X\n" + struct.pack(">III", 3, 0x40201, 0x30500) + struct.pack(">I", 5) + b"UTF-8"
    made += struct.pack(">II", kind, len(strings))
    for text in strings:
        if text is None:
            made += struct.pack(">Ii", 9, -1)
        else:
            made += struct.pack(">Ii", 9 | 1 << 15, len(text.encode())) + text.encode()
    return made


def database(*objects: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(o)) + zlib.compress(o) for o in objects)


def test_vectors_of_strings_alone():
    lines = ["It is a truth", None, "universally — acknowledged"] * 30
    data = database(vector(["short"]), vector(lines), vector([], kind=19))
    expected = "\n".join(line or "" for line in lines) + "\n"
    assert list(rdata.documents(data)) == [("00001.txt", expected)]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_database_says_so(data):
    made = bytearray(database(vector(["words"] * 300)))
    for _ in range(data.draw(st.integers(1, 3))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    # What the reader of candidates turns into one line.
    with contextlib.suppress(ValueError, struct.error, zlib.error):
        list(rdata.documents(bytes(made)))


def test_cleaned_as_documents_of_their_own(tmp_path):
    lines = ENGLISH.decode().splitlines() * 20
    files = {
        "pkg/data/Rdata.rdb": database(vector(lines), vector(lines[:20])),
        "pkg/a.txt": ENGLISH,
    }
    source = TEXT | {"convert": "rdata", "include": ["*/data/*"]}
    rows, stats = sifted(tmp_path, source, {"a.tar.gz": tar_gz(files)})
    assert [row["path"] for row in rows] == [f"pkg/data/Rdata.rdb#0000{n}.txt" for n in (0, 1)]
    assert rows[0]["text"] == "\n".join(lines) + "\n"
    assert stats["dropped"]["not_included"]["files"] == 1


def test_damaged_member_is_one_line(tmp_path):
    files = {"a.tar.gz": tar_gz({"pkg/R.rdb": database(vector(["x" * 2000]))[:-9]})}
    with pytest.raises(UserError, match=r"a.tar.gz: pkg/R.rdb: damaged"):
        sifted(tmp_path, TEXT | {"convert": "rdata"}, files)


def test_unknown_converter(tmp_path):
    with pytest.raises(UserError, match="convert 'htm' is unknown.*html"):
        sifted(tmp_path, TEXT | {"convert": "htm"}, {"a.tar.gz": tar_gz({"a": b""})})


def test_every_converter_is_in_the_schema():
    from lemur.config import load

    text = (load.CONFIG.parent / "workflow/schemas/sources.schema.json").read_text()
    for name in CONVERTERS:
        assert f'"{name}"' in text
