"""Zenodo's deposit API (https://developers.zenodo.org): a draft with one archive a part.

What is sent stays a draft, for a person to look at and publish on Zenodo's page: a published record can
never be withdrawn. ``ZENODO_URL`` names the server (https://sandbox.zenodo.org to try),
``ZENODO_TOKEN`` or ``ZENODO_TOKEN_FILE`` the token.
"""

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import requests

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.core.progress import Progress
from lemur.download.retry import patiently
from lemur.publish.offer import Part
from lemur.publish.packed import pack
from lemur.publish.secret import Token, checked_endpoint

ADDRESS = "https://zenodo.org"
LARGEST = 50_000_000_000  # bytes of all files of a record, as Zenodo's own page says
CONNECT_SECONDS, READ_SECONDS = 10.0, 600.0
PAPER = "arXiv:2310.06830"


def endpoint() -> str:
    """The server that the environment names, or Zenodo itself."""
    return checked_endpoint(os.environ.get("ZENODO_URL") or ADDRESS, "ZENODO_URL")


class _Counted:
    """A file that tells a progress what is read of it; ``requests`` asks its length."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress):
        self.file, self.size, self.progress = file, size, progress

    def __len__(self) -> int:
        return self.size

    def read(self, amount: int = -1) -> bytes:
        block = self.file.read(amount)
        self.progress.add(len(block))
        return block


class _Bearer(requests.auth.AuthBase):
    """Puts the token into each request, before whatever a .netrc holds for the server."""

    def __init__(self, token: Token):
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token.reveal()}"
        return request


class Zenodo:
    """One user's deposits on one server."""

    def __init__(self, address: str, token: Token):
        self.address = address
        self.session = requests.Session()
        self.session.auth = _Bearer(token)

    def ask(
        self,
        method: str,
        address: str,
        json: Any = None,
        path: Path | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """The answer's JSON, tried again while the server is busy; None where there is no such page.

        ``path``: a file that is the request's body, counted by ``progress``.
        """
        if urlsplit(address).netloc != urlsplit(self.address).netloc:
            raise UserError(f"zenodo: {self.address} names {urlsplit(address).netloc}, another server: no token is sent there")  # fmt: skip

        def once() -> Any:
            with contextlib.ExitStack() as stack:
                body = None
                if path and progress:  # from its beginning, also when it is tried again
                    progress.done = 0
                    file = stack.enter_context(open(path, "rb"))
                    body = _Counted(file, path.stat().st_size, progress)
                answer = self.session.request(
                    method,
                    address,
                    json=json,
                    data=body,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                )
            if answer.status_code in (401, 403):
                raise UserError(f"zenodo: {self.address} does not accept the token (HTTP {answer.status_code}): it needs the scope deposit:write")  # fmt: skip
            if answer.status_code == 404 and method == "GET":
                return None
            if answer.status_code == 400:
                raise UserError(f"zenodo: {self.address} refuses it: {_complaint(answer)}")
            answer.raise_for_status()
            return answer.json()

        return patiently(once, "zenodo", address)

    def draft(self, state: Path, label: str) -> dict[str, Any]:
        """The draft that an earlier try of ``label`` began on this server, or a new one."""
        place = f"{self.address}/api/deposit/depositions"
        known = read_json(state) if state.is_file() else {}
        if known.get("server") == self.address and known.get("of") == label:
            found = self.ask("GET", f"{place}/{known['deposit']}")
            if found is not None and not found.get("submitted"):
                return found
        made = self.ask("POST", place, json={})
        write_json(state, {"server": self.address, "of": label, "deposit": made["id"]})
        return made

    def describe(self, draft: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        """Write the draft's metadata."""
        self.ask("PUT", f"{self.address}/api/deposit/depositions/{draft['id']}", json={"metadata": metadata})  # fmt: skip

    def send(self, draft: Mapping[str, Any], path: Path, label: str) -> bool:
        """Upload one file where the draft does not hold these bytes already; whether it was sent."""
        size, digest = path.stat().st_size, _md5(path)
        held = {file["filename"]: file for file in draft.get("files", [])}.get(path.name)
        if held and (held["filesize"], held["checksum"].removeprefix("md5:")) == (size, digest):
            return False
        place = f"{draft['links']['bucket']}/{quote(path.name)}"
        with Progress(f"send {label}", size, "bytes") as progress:
            answer = self.ask("PUT", place, path=path, progress=progress)
        if answer["checksum"].removeprefix("md5:") != digest:
            raise UserError(f"zenodo: {path.name}: what arrived is not what was sent: run it again")
        return True


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _complaint(answer: requests.Response) -> str:
    """What Zenodo says of each field."""
    try:
        found = answer.json()
        fields = [
            f"{error.get('field')}: {error.get('message')}" for error in found.get("errors", [])
        ]
        return "; ".join([str(found.get("message", "")), *fields])[:500]
    except ValueError:
        return "no reason given"


def metadata(spec: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    """What the draft says of itself. ``spec``: recipe, description, authors."""
    if not spec.get("authors"):
        raise UserError('publish: Zenodo names authors: authors=["Family, Given"]')
    listed = "".join(f"<li>{part.title}: {', '.join(part.licences)}</li>" for part in parts)
    return {
        "title": f"Lemur pipeline, recipe {spec['recipe']}",
        "upload_type": "dataset",
        "description": f"<p>{spec['description']}</p><ul>{listed}</ul>",
        "creators": [{"name": name} for name in spec["authors"]],
        "access_right": "open",
        "keywords": ["language model", "continued pretraining", "reproduction"],
        "related_identifiers": [
            {"identifier": PAPER, "relation": "isDerivedFrom", "scheme": "arxiv"}
        ],
        "notes": "Each archive has the licence that the list names.",
    }


def send(spec: Mapping[str, Any], parts: Sequence[Part], folder: Path, token: Token) -> list[str]:
    """Send all parts and return what to tell. ``folder`` keeps archives and the draft's number, so that
    the same command continues."""
    described = metadata(spec, parts)
    if (size := sum(part.size for part in parts)) > LARGEST:
        raise UserError(f"publish: {size / 1e9:,.1f} GB: a record of Zenodo holds {LARGEST / 1e9:,.0f} GB")  # fmt: skip
    zenodo = Zenodo(endpoint(), token)
    draft = zenodo.draft(folder / "zenodo.json", spec["recipe"])
    zenodo.describe(draft, described)
    lines = []
    for part in parts:
        path = pack(part, folder / f"{part.name}.zip")
        sent = zenodo.send(draft, path, part.name)
        lines.append(f"{part.name}: {'sent' if sent else 'there already'}")
    page = draft["links"].get("html", f"{zenodo.address}/deposit/{draft['id']}")
    return [*lines, f"a draft, to be looked at and published by you: {page}"]
