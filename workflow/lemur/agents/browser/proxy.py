"""The only way from a browser to a network: a proxy that connects to listed origins and refuses the rest.

Rules inside the browser do not see every request (a redirect goes by them), and hosts of this machine
are reached without a name being looked up: so the browser is given this proxy and no other way.
"""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

HEAD = 64 << 10  # bytes of a request before its body
PATIENCE = 60.0  # seconds in which nothing comes
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NO_SITE = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def place(url: str) -> tuple[str, int] | None:
    """Host and port of an http address; None for any other, and for one that names a user."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    known = parts.hostname is not None and parts.username is None
    return (parts.hostname or "", port) if known else None


class Proxy(socketserver.ThreadingTCPServer):
    """Listens on a port of its own, ``port``, until ``shutdown``."""

    daemon_threads = True

    def __init__(self, urls: Iterable[str]):
        self.allowed = {found for url in urls if (found := place(url)) is not None}
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        """One request, whole: the connection ends with it."""
        with contextlib.suppress(OSError, ValueError):
            head, body = self._head()
            line, _, fields = head.partition(b"\r\n")
            method, target, _ = line.decode("latin-1").split(" ", 2)
            tunnel = method == "CONNECT"
            wanted = place(f"https://{target}" if tunnel else target)
            if wanted not in self.server.allowed or wanted is None:
                self.request.sendall(REFUSED)
                return
            try:
                site = socket.create_connection(wanted, timeout=PATIENCE)
            except OSError:
                self.request.sendall(NO_SITE)
                return
            with site:
                if tunnel:
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    site.sendall(_forwarded(method, target, fields))
                site.sendall(body)
                _splice(self.request, site)

    def _head(self) -> tuple[bytes, bytes]:
        """A request up to its body, and what has come of that."""
        self.request.settimeout(PATIENCE)
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.request.recv(1 << 16)
            if not part or len(data) > HEAD:
                raise ValueError("no request")
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        return head, body


def _forwarded(method: str, target: str, fields: bytes) -> bytes:
    """A request as the site itself reads it, after which the connection ends."""
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [
        field
        for field in fields.split(b"\r\n")
        if field.partition(b":")[0].lower() not in (b"proxy-connection", b"connection", b"")
    ]
    lines = [f"{method} {path} HTTP/1.1".encode("latin-1"), *kept, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _splice(near: socket.socket, far: socket.socket) -> None:
    """Carry what either says to the other until one has ended or neither speaks."""
    while ready := select.select([near, far], [], [], PATIENCE)[0]:
        for speaks in ready:
            data = speaks.recv(1 << 16)
            if not data:
                return
            (far if speaks is near else near).sendall(data)
