"""Show what would be sent, and send it where that was confirmed."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.lock import try_lock
from lemur.publish import hub, offer, zenodo
from lemur.publish.parts import Made, build
from lemur.publish.secret import from_environment, hiding


def run(spec: Mapping[str, Any], made: Made) -> None:
    """Print the offer of ``spec``; with ``confirm`` send it, and print where it lies.

    Everything that can be refused is refused before the first byte is sent.
    """
    work = Path("results") / spec["recipe"] / "publish"
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "ab") as file:
        if not try_lock(file):
            raise UserError(f"{work}: another process is sending from it")
        _run(spec, made, work)


def _run(spec: Mapping[str, Any], made: Made, work: Path) -> None:
    parts = build(spec, made, work)
    if spec["to"] == "hub":
        prefixes = {"model": "", "dataset": "datasets/"}
        receivers = {
            part.name: f"{hub.endpoint()}/{prefixes[hub.KINDS[part.name]]}{spec['repository']}"
            for part in parts
        }
    else:
        zenodo.metadata(spec, parts)
        receivers = {part.name: f"{zenodo.endpoint()}, a draft" for part in parts}
    print("\n".join(offer.lines(parts, receivers)), flush=True)
    offer.refuse(parts)
    if not spec["confirm"]:
        print("nothing was sent: the same command with confirm=true sends it", flush=True)
        return
    if spec["to"] == "hub":
        token = hub.token()
        with hiding(token, "hub"):
            lines = hub.send(spec, parts, token)
    else:
        token = from_environment("ZENODO_TOKEN")
        with hiding(token, "zenodo"):
            lines = zenodo.send(spec, parts, work, token)
    print("\n".join(lines), flush=True)
    sys.stdout.flush()
