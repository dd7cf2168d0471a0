"""The parts of five protocols that a download needs, served from memory by one thread pool.

Hub: ``/api/<kind>s/<repo>/tree/<commit>`` and ``/resolve/`` with ranges, error codes and a
redirect to a second port, as a real hub sends large files to its CDN. Package index: PEP 691.
npm's registry: ``/npm/<package>/<version>`` and the tarball. Debian's archive: ``/<archive>/pool/...``.
Plain files: ``/raw/<repository>/<commit>/<path>``. Listens on 127.0.0.1 alone.

By hand: ``python -m hubserver FOLDER`` (PYTHONPATH=tests) serves FOLDER/<owner>/<name>/... as data
sets and prints the HF_ENDPOINT to use.
"""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from hubserver import uploads

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = 1000  # from this size on a file counts as LFS: a sha256, and served by redirect


@dataclass
class Fault:
    """What goes wrong for the next ``times`` file requests whose path ends in ``suffix``.

    ``status``: answer this instead; ``cut``: close after so many bytes of the body, or
    with ``stall`` say nothing more for so many seconds first; ``headers`` are added; ``no_ranges``: ignore Range; ``body``: send these bytes instead of the right ones.
    """

    suffix: str
    times: int = 1
    status: int | None = None
    cut: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    no_ranges: bool = False
    body: bytes | None = None
    stall: float = 0


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    port: int
    sent: int = 0


class HubServer:
    """``with HubServer() as hub:`` fill ``hub.datasets``, ``hub.models``, ``hub.packages``, ``hub.raw``;
    ``hub.npm`` is {package: {version: tarball}}, ``hub.debian`` {archive/pool/...: bytes}.

    ``hub.heads`` is {name, or name@branch: commit} of repositories that moved on from ``COMMIT``.
    Values are {name: {path: bytes}}; ``gated`` and ``faults`` may be changed at any time;
    ``requests`` is what has been asked, in order; ``uploads`` what was sent.
    """

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, bytes]] = {}
        self.models: dict[str, dict[str, bytes]] = {}
        self.packages: dict[str, dict[str, bytes]] = {}
        self.npm: dict[str, dict[str, bytes]] = {}
        self.debian: dict[str, bytes] = {}
        self.raw: dict[str, bytes] = {}
        self.gated: dict[str, str] = {}
        self.heads: dict[str, str] = {}
        self.listed_digests: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.uploads = uploads.Uploads()
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self) -> "HubServer":
        self._servers = [self._start(), self._start()]
        self.port, self.cdn_port = (server.server_address[1] for server in self._servers)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _start(self) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def index_url(self) -> str:
        return f"{self.url}/simple/"

    def fault_for(self, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and path.endswith(fault.suffix):
                    fault.times -= 1
                    return fault
        return None

    def file_requests(self, suffix: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(suffix)]


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_POST(self) -> None:
            uploads.answer(hub, self)

        def do_PUT(self) -> None:
            uploads.answer(hub, self)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            port = self.server.server_address[1]
            self.seen = Request(path, dict(self.headers), port)
            with hub.lock:
                hub.requests.append(self.seen)
            parts = path.strip("/").split("/")
            if parts[0] == "api" and len(parts) >= 6 and parts[4] == "tree":
                self._api(parts)
            elif parts[0] == "api" and len(parts) >= 6 and parts[4] == "revision":
                self._info(parts[1], "/".join(parts[2:4]), "/".join(parts[5:]))
            elif parts[0] == "api" and len(parts) == 4:
                self._info(parts[1], "/".join(parts[2:4]), "main")
            elif parts[0] == "simple" and len(parts) == 2:
                self._index(parts[1])
            elif parts[0] == "packages":
                self._file(path, hub.packages.get(parts[1], {}).get(parts[2]), body)
            elif parts[0] == "npm":
                self._npm(path, parts[1:], body)
            elif "pool" in parts:
                self._file(path, hub.debian.get("/".join(parts)), body)
            elif parts[0] in ("raw", "cdn"):
                self._file(path, hub.raw.get("/".join(parts[1:])), body)
            elif "resolve" in parts:
                self._resolve(path, parts, body)
            else:
                self._json({"error": "no such page"}, 404)

        def _json(self, value: object, status: int = 200, **headers: str) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name.replace("_", "-"), text)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def _repository(self, kind: str, name: str, revision: str) -> dict[str, bytes] | None:
            """The repository's files, or None after an error was answered."""
            token = hub.gated.get(name)
            if token and self.headers.get("Authorization") != f"Bearer {token}":
                known = "Authorization" in self.headers
                self._json({"error": "gated"}, 403 if known else 401, X_Error_Code="GatedRepo")
                return None
            files = (hub.datasets if kind == "datasets" else hub.models).get(name)
            if files is None:
                self._json({"error": "none"}, 404, X_Error_Code="RepoNotFound")
                return None
            if revision not in (COMMIT, "main") and not any(
                revision == head or place == f"{name}@{revision}"
                for place, head in hub.heads.items()
            ):
                self._json({"error": "none"}, 404, X_Error_Code="RevisionNotFound")
                return None
            return files

        def _info(self, kind: str, name: str, revision: str) -> None:
            if self._repository(kind, name, revision) is not None:
                head = hub.heads.get(f"{name}@{revision}") or hub.heads.get(name, COMMIT)
                self._json({"id": name, "sha": head})

        def _api(self, parts: list[str]) -> None:
            fault = hub.fault_for("/".join(parts))
            if fault and fault.status:
                self._json({"error": "fault"}, fault.status)
                return
            files = self._repository(parts[1], "/".join(parts[2:4]), parts[5])
            if files is None:
                return
            listing = []
            for path, data in sorted(files.items()):
                blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
                entry = {"type": "file", "path": path, "size": len(data), "oid": blob}
                if len(data) >= _LARGE:
                    sha256 = hashlib.sha256(data).hexdigest()
                    entry["lfs"] = {"oid": sha256, "size": len(data), "pointerSize": 130}
                listing.append(entry)
            self._json(listing)

        def _index(self, package: str) -> None:
            fault = hub.fault_for(f"/simple/{package}")
            if fault and fault.status:
                self._json({}, fault.status, **fault.headers)
                return
            if package not in hub.packages:
                self._json({"error": "none"}, 404)
                return
            files = [
                {
                    "filename": name,
                    "url": f"{hub.url}/packages/{package}/{name}",
                    "hashes": {
                        "sha256": hub.listed_digests.get(name) or hashlib.sha256(data).hexdigest()
                    },
                    "size": len(data),
                }
                for name, data in hub.packages[package].items()
            ]
            page = {"meta": {"api-version": "1.1"}, "name": package, "files": files, "versions": []}
            data = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _npm(self, path: str, parts: list[str], body: bool) -> None:
            package, last = "/".join(parts[:-1]).removesuffix("/-"), parts[-1]
            versions = hub.npm.get(package, {})
            tarballs = {f"{package.split('/')[-1]}-{v}.tgz": data for v, data in versions.items()}
            fault = hub.fault_for(path) if last in versions else None
            if fault:
                self._json({"error": "fault"}, fault.status or 200, **fault.headers)
            elif last in versions:
                name = f"{package.split('/')[-1]}-{last}.tgz"
                url = f"{hub.url}/npm/{package}/-/{name}"
                self._json({"name": package, "version": last, "dist": {"tarball": url}})
            else:
                self._file(path, tarballs.get(last), body)

        def _resolve(self, path: str, parts: list[str], body: bool) -> None:
            at = parts.index("resolve")
            kind = "datasets" if parts[0] == "datasets" else "models"
            name = "/".join(parts[at - 2 : at])
            files = self._repository(kind, name, parts[at + 1])
            if files is None:
                return
            data = files.get("/".join(parts[at + 2 :]))
            if data is not None and len(data) >= _LARGE:
                key = f"{hashlib.sha256(data).hexdigest()}/{parts[-1]}"
                hub.raw[key] = data
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{hub.cdn_port}/cdn/{key}")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._file(path, data, body, X_Repo_Commit=COMMIT)

        def _file(self, path: str, data: bytes | None, body: bool, **headers: str) -> None:
            fault = hub.fault_for(path) or Fault("")
            if fault.status:
                self._json({"error": "fault"}, fault.status, **fault.headers)
                return
            if data is None:
                self._json({"error": "none"}, 404, X_Error_Code="EntryNotFound")
                return
            data = fault.body if fault.body is not None else data
            start = 0
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes=") and not fault.no_ranges:
                start = int(asked[6:].split("-")[0])
                if start >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            for name, text in {**headers, **fault.headers}.items():
                self.send_header(name.replace("_", "-"), text)
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if not body:
                return
            rest = data[start:]
            if fault.cut is not None:
                rest = rest[: fault.cut]
                self.close_connection = True
            self.wfile.write(rest)
            self.seen.sent = len(rest)
            if fault.stall:
                self.wfile.flush()
                hub.closing.wait(fault.stall)

    return Handler
