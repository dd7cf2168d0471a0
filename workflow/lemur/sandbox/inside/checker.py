"""Holds the test: runs it against the program's functions and writes the verdict.

The test and the data it comes with are pinned and trusted; what the program answers is not.
"""

import json
import os
import resource
import signal
import socket
import sys
import typing  # noqa: F401 - what many tests begin with, read once for all of them

sys.path.insert(0, "/judge")
import wire
from confine import confine


class Raised(Exception):
    """The program raised; ``told`` is what its runner said about it."""

    def __init__(self, told):
        super().__init__(f"{told.get('raised')}: {told.get('text')}")
        self.told = told


class Remote:
    """Stands for an object of the program. Equal to nothing but itself: its own idea of equality
    is not asked."""

    __slots__ = ("_ask", "_number")

    def __init__(self, ask, number):
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_number", number)

    def __call__(self, *given, **named):
        return self._ask("call", self._number, list(map(plain, given)), plain_pairs(named))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask("get", self._number, name)

    def __setattr__(self, name, value):
        self._ask("set", self._number, name, plain(value))

    def __getitem__(self, key):
        return self._ask("item", self._number, plain(key))

    def __len__(self):
        try:
            return self._ask("length", self._number)
        except Raised as error:  # ``list()`` asks for a length and takes a TypeError for none
            raise TypeError("no length") from error

    def __bool__(self):
        return self._ask("truth", self._number) is True

    def __iter__(self):
        return iter(self._ask("list", self._number))

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


def plain(value):
    """Tagged JSON of an argument; only what came from the program goes back as a handle."""

    def number(item):
        if isinstance(item, Remote):
            return item._number
        raise TypeError(f"a test passes a {type(item).__name__}, which has no plain form")

    return wire.encode(value, number)


def plain_pairs(named):
    return [[key, plain(value)] for key, value in named.items()]


def judge(job, channel):
    """``(verdict, told)``: passed, failed or error, and what is known about it."""

    def ask(*request):
        wire.send(channel, request)
        reply = wire.receive(channel)
        if not isinstance(reply, dict) or "value" not in reply:
            raise Raised(reply if isinstance(reply, dict) else {"raised": "a malformed answer"})
        return wire.decode(reply["value"], lambda number: Remote(ask, number))

    try:
        wire.send(channel, job["confine_program"])
        ask("exec", job["program"])
        trusted = {"__name__": "__test__"}
        exec(compile(job["preamble"], "<preamble>", "exec"), trusted)  # noqa: S102 - pinned
        for name in job["remote"]:
            trusted[name] = ask("name", name)
        for part in job["test"]:
            exec(compile(part, "<test>", "exec"), trusted)  # noqa: S102 - pinned
    except AssertionError as error:
        return "failed", {"text": str(error)[:300]}
    except Raised as error:
        return "error", error.told
    except wire.Closed:
        return "ended", {}
    except wire.TooLarge as error:
        return "error", {"raised": "TooLarge", "text": str(error)}
    except BaseException as error:  # the test could not digest an answer: as wrong as a wrong one
        return "failed", {"text": f"{type(error).__name__}: {error}"[:300]}
    return "passed", {}


def serve(channel, pipe, job):
    """One judgement, in a process of its own: read the job, write the verdict."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with os.fdopen(job, "rb") as file:
        job = json.load(file)
    # Nobody waits for a test longer than this: the default of SIGALRM ends it.
    signal.setitimer(signal.ITIMER_REAL, job["wall_seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu_seconds"], job["cpu_seconds"] + 1))
    verdict, told = judge(job, channel)
    with os.fdopen(pipe, "w") as out:
        json.dump({"verdict": verdict, "told": told}, out)


def main():
    """Wait for judgements and fork for each: none sees what another one left behind."""
    control = socket.socket(fileno=int(os.environ["LEMUR_CONTROL"]))
    confine(json.loads(control.recv(65536)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended
    while True:
        message, files, _, _ = socket.recv_fds(control, 1, 3)
        if not message:
            return
        if os.fork() == 0:
            try:
                control.close()
                serve(*files)
            finally:
                os._exit(0)
        for number in files:
            os.close(number)


main()
