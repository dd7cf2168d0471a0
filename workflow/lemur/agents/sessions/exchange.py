"""A confined script of ``sandbox/inside`` that is asked by messages over an episode's turns."""

import contextlib
import json
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from lemur.sandbox import pool
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

SENDING = 60.0  # seconds in which a message has to be taken
REPLY = 4 << 20  # bytes of a reply at most
LOOK = 0.1  # seconds between two looks at what the script uses
# An object that came over the channel: whoever asked for it checks what is in it.
Reply = dict[str, Any]
Serve = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


class Exchange:
    """Messages are JSON objects behind their length in four bytes, as ``inside/wire.py`` frames them.

    What replies may be a model's code in place of the script: a reply is data, bounded in size and
    time, and everything that is no such reply ends the process.
    """

    def __init__(self, sandbox: Sandbox, script: str, limits: Limits, root: Root):
        self.sandbox, self.script, self.limits, self.root = sandbox, script, limits, root
        self.prepared = pool.prepare(sandbox)
        self.confined: Confined | None = None
        self.channel: socket.socket | None = None

    @property
    def running(self) -> bool:
        """Whether it was begun and nothing has ended it."""
        return self.confined is not None

    def begin(self) -> None:
        """Start the script in a sandbox that nothing has used, and confine it."""
        self.confined, self.channel = self.prepared.runner(self.limits, self.script, self.root)
        with contextlib.suppress(OSError):  # it is gone: the next message says so
            self._send(list_settings(self.limits, self.sandbox.another_user))

    def ask(
        self, value: Mapping[str, Any], seconds: float, serve: Serve | None = None
    ) -> tuple[Reply | None, str]:
        """The reply, or None and why there is none: timeout, processor, out of memory, full or ended.
        Without a reply the process is ended.

        ``serve`` answers what the script asks before it replies, and gives None to what is no
        question but the reply. Its time is not the script's."""
        until = time.monotonic() + seconds
        reply, why = self._reply(value, until)
        while reply is not None and serve is not None:
            began = time.monotonic()
            answer = serve(reply)
            if answer is None:
                break
            until += time.monotonic() - began
            reply, why = self._reply(answer, until)
        if reply is None:
            self.close()
        return reply, why

    def close(self) -> None:
        """End the process and wait for nothing."""
        if self.confined is not None and self.channel is not None:
            self.channel.close()
            self.prepared.done(self.confined)
        self.confined = self.channel = None

    def _send(self, value: object) -> None:
        assert self.channel is not None
        data = json.dumps(value).encode("utf-8", "surrogatepass")
        self.channel.settimeout(SENDING)
        self.channel.sendall(len(data).to_bytes(4, "little") + data)

    def _reply(self, value: Mapping[str, Any], until: float) -> tuple[Reply | None, str]:
        assert self.channel is not None and self.confined is not None
        data, wanted = b"", 4
        try:
            self._send(dict(value))
            while len(data) < wanted:
                left = until - time.monotonic()
                if left <= 0:
                    return None, "timeout"
                if not select.select([self.channel], [], [], min(left, LOOK))[0]:
                    if (cause := self.confined.exceeded(self.limits)) is not None:
                        return None, cause
                    continue
                part = self.channel.recv(1 << 16)
                if not part:
                    return None, "ended"
                data += part
                if len(data) >= 4:
                    wanted = 4 + int.from_bytes(data[:4], "little")
                    if wanted > REPLY:
                        return None, "ended"
            # Files that it left count, however soon it replied: the watch above looks only while it waits.
            if (cause := self.confined.overfull(self.limits)) is not None:
                return None, cause
            reply = json.loads(data[4:wanted].decode("utf-8", "surrogatepass"))
        except (OSError, ValueError, RecursionError):
            return None, "ended"
        return (reply, "") if isinstance(reply, dict) else (None, "ended")
