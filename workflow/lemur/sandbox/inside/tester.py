"""Holds a problem of DS-1000: runs its test, with the program elsewhere.

The test runs the program by ``exec(code, variables)``. Here that name stands for a request to the
process of the program (``solver``), which gets the code, the variables and the state of the random
numbers, and answers with variables as data (``values``). What the test finds equal to its reference
and is nothing (``absent``) does not pass. The test, the expected answers and the
libraries that compare the two stay here, where no line of the program ever runs.
"""

import contextlib
import importlib
import os
import pickle
import shutil
import sys
import tempfile

sys.path.insert(0, "/judge")
sys.path.insert(1, "/site")
import absent
import forks
import randomness
import values
import wire

LIMIT = 128 << 20  # bytes of one message
FILES = 8 << 20  # bytes of the files that a test leaves for its program


def load(message):
    """Import what the next test needs, once for all that need it."""
    for name in wire.loads(message.decode()):
        with contextlib.suppress(Exception):  # its own import will say so
            importlib.import_module(name)


class Program:
    """Stands for the program, by its channel. ``inseparable``: what the test did that takes the
    program in its own process."""

    def __init__(self, channel, wanted):
        self.channel, self.wanted, self.sent = channel, wanted, {}
        self.inseparable = None

    def execute(self, code, variables=None, *others):
        """What the test calls ``exec``."""
        apart = type(variables) is not dict or any(other is not variables for other in others)
        if not isinstance(code, str) or apart:
            raise self.cannot("the test does not run it as exec(code, variables)")
        kept = {name: variable for name, variable in variables.items() if name != "__builtins__"}
        try:
            given = pickle.dumps((kept, randomness.states()))
        except Exception as error:
            raise self.cannot(f"its input cannot be sent to it: {error}") from None
        request = {"code": code, "given": values.pack(given), "wanted": self.wanted}
        request["files"] = {name: values.pack(data) for name, data in self.files()}
        wire.send(self.channel, request, LIMIT)
        reply = wire.receive(self.channel, LIMIT)
        if not isinstance(reply, dict) or "variables" not in reply:
            raise forks.Raised(reply)
        try:
            found = values.decode(reply["variables"])
        except values.Malformed as error:
            raise forks.Raised({"raised": "Malformed", "text": str(error)}) from None
        if type(found) is not dict or not found.keys() <= set(self.wanted):
            raise forks.Raised({"raised": "Malformed", "text": "not the variables asked for"})
        variables.update(found)

    def files(self):
        """Name and bytes of the files that the test has written since the last time."""
        found = {}
        for entry in os.scandir("."):
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as file:
                    found[entry.name] = file.read(FILES + 1)
        if sum(map(len, found.values())) > FILES:
            raise self.cannot("the test leaves it large files")
        changed = [pair for pair in found.items() if self.sent.get(pair[0]) != pair[1]]
        self.sent = found
        return changed

    def evaluate(self, *_):
        """What the test calls ``eval``."""
        raise self.cannot("the test evaluates a text")

    def cannot(self, why):
        """An error to raise, kept in case that the test hides it."""
        self.inseparable = {"raised": "Inseparable", "text": str(why)[:300]}
        return forks.Raised(self.inseparable)


def judge(job, channel):
    """``(verdict, told)`` of a program."""
    wire.send(channel, {"confine": job["confine_program"], "modules": job["modules"]})
    program = Program(channel, job["wanted"])
    folder = tempfile.mkdtemp()
    os.chdir(folder)

    def test():
        names = {"__name__": "__main__", "exec": program.execute, "eval": program.evaluate}
        exec(compile(job["context"], "context.py", "exec"), names)  # noqa: S102 - pinned
        if callable(compare := names.get("exec_test")):
            names["exec_test"] = absent.guarded(compare)
        randomness.seed()
        names["test_execution"](job["program"])
        if "test_string(" in job["context"]:
            names["test_string"](job["program"])

    try:
        verdict, outcome = forks.outcome(test)
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    if program.inseparable:
        return "error", program.inseparable
    if verdict == "failed" and not outcome["text"]:
        outcome = {"text": "AssertionError"}
    return verdict, outcome


forks.serve(judge, load)
