"""Holds the program: runs it, then answers calls of its functions. Nothing here is trusted."""

import _thread
import builtins
import os
import sys

sys.path.insert(0, "/judge")
import wire
from confine import confine

NAME = "__judged__"


class Callback:
    """Stands for a function of the test that a call was given."""

    def __init__(self, runner, number):
        self._runner, self._number = runner, number

    def __call__(self, *given, **named):
        return self._runner.call_back(self._number, given, named)


class Runner:
    """The program's objects that the test holds by number (``held``), what stands for the test's
    functions (``functions``), and, during a call, what its lists, dictionaries and sets are here
    (``shared``), by the test's numbers."""

    def __init__(self, channel):
        self.channel, self.held, self.functions, self.shared = channel, [], {}, {}
        self.numbers = {}  # id -> number of what is shared
        self.turn = _thread.RLock()  # a program's threads may all call the test
        # A module that can be imported, as every program is one: dataclasses, pickle and typing look
        # their module up.
        module = type(sys)(NAME)
        sys.modules[NAME] = module
        self.namespace = module.__dict__
        self.namespace["__builtins__"] = builtins

    # -- values ------------------------------------------------------------------------------------

    def encode(self, value):
        return wire.encode(value, self.handle, self.known)

    def handle(self, value):
        if type(value) is Callback:
            return {"same": value._number}
        self.held.append(value)
        return {"handle": len(self.held) - 1}

    def known(self, value):
        number = self.numbers.get(id(value))
        return None if number is None else (number, True)

    def decode(self, form):
        return wire.decode(form, self.other)

    def other(self, tag, inner):
        if tag == "handle":
            return self.held[inner]
        if tag == "same":
            return self.functions[inner] if inner in self.functions else self.shared[inner]
        if tag == "builtin":
            return getattr(builtins, inner)
        if tag == "callback":
            self.functions[inner] = Callback(self, inner)
            return self.functions[inner]
        number, form = inner  # of "new"
        ((kind, inside),) = form.items()
        made = self.shared[number] = wire.make_empty(kind, inside)
        self.numbers[id(made)] = number
        return wire.fill(made, inside, self.other)

    def changed(self, before):
        """[number, form] of each list, set and dictionary of the test that is not what it was."""
        return [
            [number, wire.contents(self.shared[number], self.handle, self.known)]
            for number, items in before
            if not _alike(items, _items(self.shared[number]))
        ]

    # -- requests ----------------------------------------------------------------------------------

    def answer(self, request):
        """The reply to a request of the test."""
        kind, arguments = request[0], request[1:]
        if kind == "exec":
            if "random" in arguments[0]:  # the same verdict in every run
                import random

                random.seed(0)
            exec(compile(arguments[0], "<program>", "exec"), self.namespace)  # noqa: S102 - its purpose
            return {"value": None}
        if kind == "name":
            return {"value": self.encode(self.namespace[arguments[0]])}
        target = self.held[arguments[0]]
        if kind == "call":
            return self.call(target, *arguments[1:])
        if kind == "get":
            found = getattr(target, arguments[1])
        elif kind == "set":
            found = setattr(target, arguments[1], self.decode(arguments[2]))
        elif kind == "item":
            found = target[self.decode(arguments[1])]
        elif kind == "length":
            found = len(target)
        elif kind == "truth":
            found = bool(target)
        elif kind == "list":
            found = list(target)
        else:
            raise ValueError(kind)
        return {"value": self.encode(found)}

    def call(self, target, given, named):
        """Call a function of the program; what it does to the arguments the test is told too."""
        outer = self.shared, self.numbers  # of a call that waits for a function of the test
        self.shared, self.numbers = dict(self.shared), dict(self.numbers)
        try:
            given = list(map(self.decode, given))
            named = {key: self.decode(item) for key, item in named}
            before = [(number, _items(item)) for number, item in self.shared.items()]
            found = target(*given, **named)
            reply = {"value": self.encode(found)}
            if changed := self.changed(before):
                reply["changed"] = changed
            return reply
        finally:
            self.shared, self.numbers = outer

    def call_back(self, number, given, named):
        """The result of a function of the test."""
        with self.turn:
            pairs = [[key, self.encode(item)] for key, item in named.items()]
            wire.send(self.channel, {"callback": [number, list(map(self.encode, given)), pairs]})
            reply = self.serve()
        if "raised" in reply:
            kind = getattr(builtins, reply["raised"], None)
            wanted = isinstance(kind, type) and issubclass(kind, Exception)
            raise (kind if wanted else Exception)(reply["text"])
        return self.decode(reply["result"])

    def serve(self):
        """Answer requests until the test ends, or says what a function of its own has given."""
        while True:
            request = wire.receive(self.channel)
            if isinstance(request, dict):
                return request
            try:
                wire.send(self.channel, self.answer(request))
            except wire.Closed:
                raise
            except BaseException as error:  # SystemExit and KeyboardInterrupt of the program too
                try:
                    wire.send(self.channel, wire.describe(error))
                except MemoryError:
                    self.held.clear()
                    self.namespace.clear()
                    reply = {"raised": "MemoryError", "errno": None, "text": ""}
                    wire.send(self.channel, reply)


def _items(container):
    """What a container holds, in its order: objects, not copies."""
    if isinstance(container, dict):
        return [*container.keys(), *container.values()]
    plain = wire.kind_of(container) in ("bytearray", "array")
    return bytes(container) if plain else list(container)


def _alike(before, now):
    if isinstance(now, bytes):
        return before == now
    return len(before) == len(now) and all(map(_is, before, now))


def _is(first, second):
    return first is second


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    confine(wire.receive(channel))
    try:
        Runner(channel).serve()
    except wire.Closed:
        return


main()
