"""Holds the test: runs it against the program's functions and writes the verdict.

The test and the data it comes with are pinned and trusted; what the program answers is not.
"""

import sys
import typing  # noqa: F401 - what many tests begin with, read once for all of them

sys.path.insert(0, "/judge")
import forks
import wire


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
        except forks.Raised as error:  # ``list()`` asks for a length and takes a TypeError for none
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
            raise forks.Raised(reply)
        return wire.decode(reply["value"], lambda number: Remote(ask, number))

    def test():
        wire.send(channel, job["confine_program"])
        ask("exec", job["program"])
        trusted = {"__name__": "__test__"}
        exec(compile(job["preamble"], "<preamble>", "exec"), trusted)  # noqa: S102 - pinned
        for name in job["remote"]:
            trusted[name] = ask("name", name)
        for part in job["test"]:
            exec(compile(part, "<test>", "exec"), trusted)  # noqa: S102 - pinned

    return forks.outcome(test)


forks.serve(judge)
