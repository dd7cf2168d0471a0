"""python -m lemur.download.hub_config '{"hub": "owner/name", "revision": "newest"}'

Print a hub model's commit and its config.json, as JSON: what a recipe is planned from before anything
else of the model is fetched. ``revision`` is a commit, or ``newest``.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from lemur.core.command import guarded
from lemur.core.files import read_json
from lemur.download import huggingface, offline
from lemur.download.rate_limit import Pace, asked
from lemur.download.session import Session
from lemur.download.transfer import Transfer


class _Silent:
    def add(self, amount: float) -> None:
        """A few hundred bytes need no progress."""


def read(source: dict[str, Any]) -> dict[str, Any]:
    """{revision, config} of the model; ``UserError`` in one line where the hub does not give them."""
    label = source["hub"]
    offline.refuse(label)
    revision = source["revision"]
    if revision == "newest":
        revision = huggingface.newest(source, label)
    pin = {**source, "revision": revision, "files": ["config.json"]}
    ((path, remote, expected),) = [
        x for x in huggingface.locate(pin, label) if x[0] == "config.json"
    ]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path
        Transfer(Session(), pace=Pace(asked())).fetch(remote, target, expected, _Silent())
        return {"revision": revision, "config": read_json(target)}


if __name__ == "__main__":
    guarded(lambda: print(json.dumps(read(json.loads(sys.argv[1])))))
