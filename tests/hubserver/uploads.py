"""The hub's protocol for sending: a repository is made, large files go to a store, a commit names all.

As ``huggingface_hub`` speaks it without Xet (HF_HUB_DISABLE_XET=1): preupload, the LFS batch API, PUT of
each large file, a commit of lines of JSON.
"""

import base64
import hashlib
import json
from urllib.parse import unquote, urlsplit

LARGE = 1000  # bytes from which on a file goes to the store


class Uploads:
    """What a hub has been sent. ``token``: the one that may write; ``store`` holds large files by their
    sha256; ``puts`` and ``commits`` tell what came, in order; ``cut`` closes the connection of so many
    next PUTs after their bytes came; ``after_commit`` is called when one is done, before it is answered.
    """

    def __init__(self, token="hf_right"):
        self.token, self.store, self.cut = token, {}, 0
        self.puts, self.commits, self.made = [], [], []
        self.after_commit = lambda: None


def answer(hub, handler):
    """Answer a POST or PUT of the handler's request."""
    uploads = hub.uploads
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    path = unquote(urlsplit(handler.path).path)
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "validate-yaml"]:
        return handler._json({"errors": [], "warnings": []})
    if parts[0] == "lfs" and handler.command == "PUT":
        return _put(hub, handler, parts[1], body)
    if handler.headers.get("Authorization") != f"Bearer {uploads.token}":
        # A server may well repeat what it was given.
        said = handler.headers.get("Authorization")
        return handler._json(
            {"error": f"not allowed with {said}"}, 401, X_Error_Message=f"not allowed with {said}"
        )
    if parts == ["api", "repos", "create"]:
        return _create(hub, handler, json.loads(body))
    if parts[0] == "api" and "preupload" in parts:
        files = json.loads(body)["files"]
        return handler._json({"files": [
            {"path": file["path"], "uploadMode": "lfs" if file["size"] >= LARGE else "regular", "shouldIgnore": False}
            for file in files
        ]})  # fmt: skip
    if path.endswith(".git/info/lfs/objects/batch"):
        return _batch(hub, handler, json.loads(body)["objects"])
    if parts[0] == "api" and "commit" in parts:
        return _commit(hub, handler, parts, body)
    return handler._json({"error": "no such page"}, 404)


def _held(hub, kind):
    return hub.datasets if kind.startswith("dataset") else hub.models


def _create(hub, handler, asked):
    name, kind = f"{asked['organization']}/{asked['name']}", asked.get("type", "model")
    _held(hub, kind).setdefault(name, {})
    hub.uploads.made.append((kind, name, asked.get("visibility")))
    handler._json({"url": f"{hub.url}/{name}", "name": name})


def _batch(hub, handler, objects):
    listed = []
    for object in objects:
        entry = {"oid": object["oid"], "size": object["size"]}
        if object["oid"] not in hub.uploads.store:
            entry["actions"] = {"upload": {"href": f"{hub.url}/lfs/{object['oid']}", "header": {}}}
        listed.append(entry)
    handler._json({"transfer": "basic", "objects": listed})


def _put(hub, handler, oid, body):
    uploads = hub.uploads
    assert hashlib.sha256(body).hexdigest() == oid
    if uploads.cut:
        uploads.cut -= 1
        handler.close_connection = True
        return None
    uploads.store[oid] = body
    uploads.puts.append(oid)
    return handler._json({})


def _commit(hub, handler, parts, body):
    files = _held(hub, parts[1])["/".join(parts[2:4])]
    lines = [json.loads(line) for line in body.decode().splitlines()]
    sent = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            sent[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            sent[value["path"]] = hub.uploads.store[value["oid"]]
    files.update(sent)
    hub.uploads.commits.append(sorted(sent))
    hub.uploads.after_commit()
    commit = hashlib.sha1(body).hexdigest()
    place = f"{hub.url}/{'/'.join(parts[2:4])}/commit/{commit}"
    handler._json({"commitUrl": place, "commitOid": commit, "success": True})
