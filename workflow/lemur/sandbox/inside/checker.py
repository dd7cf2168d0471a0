"""Holds the test: runs it against the program's functions and writes the verdict.

The test and the data it comes with are pinned and trusted; what the program answers is not.
"""

import builtins
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
        return self._ask.call(self._number, given, named)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask("get", self._number, name)

    def __setattr__(self, name, value):
        self._ask("set", self._number, name, self._ask.copied(value))

    def __getitem__(self, key):
        return self._ask("item", self._number, self._ask.copied(key))

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


class Program:
    """The program by its channel: requests, and what of the test it has been given by number, lists
    and functions for example. ``own`` keeps these alive, so that no ``id`` is used twice."""

    def __init__(self, channel):
        self.channel, self.own, self.numbers = channel, [], {}

    def __call__(self, *request):
        return wire.decode(self.request(request)["value"], self.other)

    def request(self, request):
        """The reply to a request; functions of the test that the program calls are called."""
        wire.send(self.channel, request)
        while True:
            reply = wire.receive(self.channel)
            if isinstance(reply, dict) and "callback" in reply:
                wire.send(self.channel, self.called(*reply["callback"]))
            elif isinstance(reply, dict) and "value" in reply:
                return reply
            else:
                raise forks.Raised(reply)

    def call(self, number, given, named):
        """Call a function of the program with arguments that it can change, as in one process."""
        begun = len(self.own)
        pairs = [[key, self.shared(value)] for key, value in named.items()]
        reply = self.request(["call", number, list(map(self.shared, given)), pairs])
        for at, form in reply.get("changed", ()):
            ((kind, inside),) = form.items()
            mine = self.own[at]
            if wire.kind_of(mine) != kind:
                raise ValueError("a change to another kind of value")
            wire.fill(mine, inside, self.other)
        found = wire.decode(reply["value"], self.other)
        for value in self.own[begun:]:
            if not callable(value):
                del self.numbers[id(value)]  # the next call gets it as it is then
        return found

    def called(self, number, given, named):
        """What a function of the test gives the program, to be sent."""
        function = self.own[number]
        try:
            given = [wire.decode(form, self.other) for form in given]
            named = {key: wire.decode(form, self.other) for key, form in named}
            return {"result": self.copied(function(*given, **named))}
        except wire.Closed:
            raise
        except Exception as error:
            return wire.describe(error)

    def shared(self, value):
        """Tagged JSON of a value of the test, whose lists, sets and dictionaries get numbers."""
        return wire.encode(value, self.handle, self.number)

    def copied(self, value):
        """The same without new numbers."""
        return wire.encode(value, self.handle, self.known)

    def known(self, value):
        """The number of a list, set or dictionary that the program has got by the call under way."""
        number = self.numbers.get(id(value))
        return None if number is None else (number, True)

    def number(self, value):
        """The number of a value of the test, and whether the program knows it."""
        met = id(value) in self.numbers
        if not met:
            self.numbers[id(value)] = len(self.own)
            self.own.append(value)
        return self.numbers[id(value)], met

    def handle(self, value):
        """The form of what is no plain data: a thing of the program, or a function of the test."""
        if type(value) is Remote:
            return {"handle": value._number}
        if not callable(value):
            raise TypeError(f"a test passes a {type(value).__name__}, which has no plain form")
        name = getattr(value, "__name__", None)
        if isinstance(name, str) and getattr(builtins, name, None) is value:
            return {"builtin": name}
        number, met = self.number(value)
        return {"same": number} if met else {"callback": number}

    def other(self, tag, inner):
        """What stands for a value that has stayed where it is."""
        if tag == "handle":
            return Remote(self, inner)
        if tag == "same" and type(inner) is int and inner >= 0:
            return self.own[inner]
        raise ValueError(f"not a tagged value: {str(tag)[:40]}")


def judge(job, channel):
    """``(verdict, told)``: passed, failed or error, and what is known about it."""
    ask = Program(channel)

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
