"""python -m lemur.corpus.hub_config '{"hub": "owner/name", "revision": "newest"}'

Print a hub model's commit and its config.json, as JSON: what a recipe is planned from before anything
else of the model is fetched. ``revision`` is a commit, or ``newest``.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from lemur.command import guarded
from lemur.corpus import hub, offline
from lemur.corpus.pace import Pace, asked
from lemur.corpus.session import Session
from lemur.corpus.transfer import Transfer
from lemur.files import read_json


class _Silent:
    def add(self, amount: float) -> None:
        """A few hundred bytes need no progress."""


def read(source: dict[str, Any]) -> dict[str, Any]:
    """{revision, config} of the model; ``UserError`` in one line where the hub does not give them."""
    label = source["hub"]
    offline.refuse(label)
    revision = source["revision"]
    if revision == "newest":
        revision = hub.newest(source, label)
    pin = {**source, "revision": revision, "files": ["config.json"]}
    ((path, remote, expected),) = [x for x in hub.locate(pin, label) if x[0] == "config.json"]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path
        Transfer(Session(), pace=Pace(asked())).fetch(remote, target, expected, _Silent())
        return {"revision": revision, "config": read_json(target)}


if __name__ == "__main__":
    guarded(lambda: print(json.dumps(read(json.loads(sys.argv[1])))))
