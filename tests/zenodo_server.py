"""Zenodo's deposit API on loopback: drafts, their metadata, and the bucket that takes their files."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class ZenodoServer:
    """``with ZenodoServer() as zenodo:`` ``drafts`` is {number: draft}, ``puts`` what was sent in order.

    ``token``: the one that may write; ``busy`` answers 503 to so many next requests; ``damage`` keeps
    other bytes than came; ``elsewhere`` names another server for the files.
    """

    def __init__(self, token="zen-right"):
        self.token, self.drafts, self.files, self.puts = token, {}, {}, []
        self.busy, self.damage, self.elsewhere = 0, False, None

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def draft(self, number):
        """A draft as the API shows it."""
        files = [
            {"filename": name, "filesize": len(data), "checksum": hashlib.md5(data).hexdigest()}
            for name, data in self.files[number].items()
        ]
        bucket = f"{self.elsewhere or self.url}/api/files/bucket-{number}"
        links = {"bucket": bucket, "html": f"{self.url}/deposit/{number}"}
        return {
            **self.drafts[number],
            "id": number,
            "submitted": False,
            "files": files,
            "links": links,
        }


def _handler(zenodo):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def _json(self, value, status=200):
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = unquote(urlsplit(self.path).path).strip("/").split("/")
            if zenodo.busy:
                zenodo.busy -= 1
                return self._json({"message": "busy"}, 503)
            if self.headers.get("Authorization") != f"Bearer {zenodo.token}":
                return self._json({"message": f"bad {self.headers.get('Authorization')}"}, 401)
            if parts[:2] == ["api", "files"]:
                number = int(parts[2].removeprefix("bucket-"))
                zenodo.files[number][parts[3]] = b"other" if zenodo.damage else body
                zenodo.puts.append(parts[3])
                held = zenodo.files[number][parts[3]]
                return self._json({"key": parts[3], "size": len(held), "checksum": f"md5:{hashlib.md5(held).hexdigest()}"})  # fmt: skip
            if self.command == "POST":
                number = len(zenodo.drafts) + 1
                zenodo.drafts[number], zenodo.files[number] = {"metadata": {}}, {}
                return self._json(zenodo.draft(number), 201)
            number = int(parts[3])
            if number not in zenodo.drafts:
                return self._json({"message": "gone"}, 404)
            if self.command == "PUT":
                metadata = json.loads(body)["metadata"]
                if not all(metadata.get(key) for key in ("title", "upload_type", "description", "creators")):  # fmt: skip
                    errors = [{"field": "metadata.creators", "message": "missing"}]
                    return self._json({"message": "Validation error.", "errors": errors}, 400)
                zenodo.drafts[number]["metadata"] = metadata
            return self._json(zenodo.draft(number))

        def do_GET(self):
            self._answer()

        def do_POST(self):
            self._answer()

        def do_PUT(self):
            self._answer()

    return Handler
