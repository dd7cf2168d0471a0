"""What the download tests share: a pinned package, and a fetch of it."""

import json
import random

import pytest
from hubserver.made import sha256
from lemur.core.errors import UserError
from lemur.download import source_part

BODY = random.Random(1).randbytes(300_000)


def pin(data=BODY, **changes):
    spec = {
        "name": "toy",
        "from": {"index": "pypi", "package": "toy", "version": "1.0", "file": "toy-1.0.tar.gz"},
        "sha256": sha256(data),
        "size": len(data),
        "licence": "MIT",
    }
    return spec | changes


def fetch(spec, out, transfer, part=0, parts=1):
    source_part.run(spec, part, parts, out, transfer)
    return json.loads(out.read_text())


def left(out):
    """Names under files/: what a failed download leaves behind."""
    folder = out.parent / "files"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refused(spec, out, transfer):
    """The one line; no manifest and no file under its final name may stand after it."""
    with pytest.raises(UserError) as caught:
        fetch(spec, out, transfer)
    line = str(caught.value)
    assert "\n" not in line
    assert not out.exists()
    assert [name for name in left(out) if not name.endswith(".partial")] == []
    return line
