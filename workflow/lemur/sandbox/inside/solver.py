"""Holds a program of DS-1000: runs it on what its test sends (``tester``). Nothing here is trusted."""

import contextlib
import importlib
import os
import pickle
import sys

sys.path.insert(0, "/judge")
sys.path.insert(1, "/site")
import randomness
import values
import wire
from confine import confine

LIMIT = 128 << 20  # bytes of one message
FOLDER = "/tmp/work"  # noqa: S108 - the sandbox's own


def run(request):
    """The wanted variables after the program, as data."""
    for name, text in request["files"].items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(values.unpack(text))
    variables, states = pickle.loads(values.unpack(request["given"]))  # noqa: S301 - the test's own
    randomness.restore(states)
    exec(request["code"], variables)  # noqa: S102 - its purpose
    wanted = [name for name in request["wanted"] if name in variables]
    return values.encode({name: variables[name] for name in wanted})


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    first = wire.receive(channel)
    confine(first["confine"])
    os.mkdir(FOLDER)
    os.chdir(FOLDER)
    for name in first["modules"]:  # while the test makes its input
        with contextlib.suppress(Exception):  # its own import will say so
            importlib.import_module(name)
    while True:
        try:
            request = wire.receive(channel, LIMIT)
        except wire.Closed:
            return
        try:
            wire.send(channel, {"variables": run(request)}, LIMIT)
        except wire.Closed:
            return
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the program too
            wire.send(channel, wire.describe(error))


main()
