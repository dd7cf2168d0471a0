"""Holds the program: runs it, then answers calls of its functions. Nothing here is trusted."""

import os
import sys

sys.path.insert(0, "/judge")
import wire
from confine import confine


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    settings = wire.receive(channel)
    confine(settings)
    namespace = {"__name__": "__judged__", "__builtins__": __builtins__}
    held = []

    def handle(value):
        held.append(value)
        return len(held) - 1

    def answer(request):
        kind, arguments = request[0], request[1:]
        if kind == "exec":
            exec(compile(arguments[0], "<program>", "exec"), namespace)  # noqa: S102 - its purpose
            return None
        if kind == "name":
            return namespace[arguments[0]]
        target = held[arguments[0]]
        if kind == "call":
            given = [wire.decode(item, held.__getitem__) for item in arguments[1]]
            named = {key: wire.decode(item, held.__getitem__) for key, item in arguments[2]}
            return target(*given, **named)
        if kind == "get":
            return getattr(target, arguments[1])
        if kind == "set":
            return setattr(target, arguments[1], wire.decode(arguments[2], held.__getitem__))
        if kind == "item":
            return target[wire.decode(arguments[1], held.__getitem__)]
        if kind == "length":
            return len(target)
        if kind == "truth":
            return bool(target)
        if kind == "list":
            return list(target)
        raise ValueError(kind)

    while True:
        try:
            request = wire.receive(channel)
        except wire.Closed:
            return
        try:
            reply = {"value": wire.encode(answer(request), handle)}
            wire.send(channel, reply)
        except wire.Closed:
            return
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the program too
            try:
                wire.send(channel, wire.describe(error))
            except MemoryError:
                held.clear()
                namespace.clear()
                wire.send(channel, {"raised": "MemoryError", "errno": None, "text": ""})


main()
