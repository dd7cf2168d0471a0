"""An interpreter that an agent uses over several turns: cells in, what they print out.

What a cell prints goes back to the model that wrote it and to nobody else, so that nothing here is
kept from the cell; a verdict is never made in this process. IPython is imported ahead, before the
process is told what it is for.
"""

import importlib.util
import os
import re
import signal
import sys

sys.path.insert(0, "/judge")
sys.path.insert(1, "/site")

import wire
from confine import confine
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.io import capture_output
from traitlets.config import Config

PRINTED = 1 << 18  # characters of a cell that are kept
OWN_PATH = re.compile(r"File (?:/judge|/site)/\S*?:(\d+)")


class NumbersAsRecorded:
    """Makes numpy 2 print a number as ``3``, not as ``np.int64(3)``, as soon as a cell imports it.

    MINT's records are of numpy 1, which Python 3.13 and newer cannot have: what a model is told must not
    depend on the machine's Python."""

    def find_spec(self, name, path=None, target=None):
        """The module itself, found as ever, with its printing set once it is there."""
        if name != "numpy":
            return None
        sys.meta_path.remove(self)
        found = importlib.util.find_spec(name)
        if found is None or found.loader is None:
            return found
        begin = found.loader.exec_module

        def exec_module(module):
            begin(module)
            if int(module.__version__.partition(".")[0]) >= 2:
                module.set_printoptions(legacy="1.25")

        found.loader.exec_module = exec_module
        return found


class Printed:
    """Standard output of a cell: what comes after ``PRINTED`` characters is counted alone."""

    encoding = "utf-8"

    def __init__(self):
        self.parts, self.size = [], 0

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.size < PRINTED:
            self.parts.append(text[: PRINTED - self.size])
        self.size += len(text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False


def make_command(name, parameters, text, ask):
    """An object that is called like a function: gives what the game says to the command ``text``, a
    format of its parameters. Complaints of wrong arguments read as the original's, whose tools are
    such objects."""
    signature = "".join(f", {parameter}" for parameter in parameters)
    values = "".join(f"{parameter}={parameter}, " for parameter in parameters)
    source = f"def __call__(self{signature}):\n    return ask(text.format({values}))"
    names = {"ask": ask, "text": text}
    exec(compile(source, "<tool>", "exec"), names)  # noqa: S102 - this file's own text
    return type(name, (), {"__call__": names["__call__"]})()


class Session:
    """``told``: seconds of a cell, recorded answers of the search tool, what it says else, and the
    commands of a game by name, each with its parameters and its text; ``channel`` leads to the game."""

    def __init__(self, passed, channel):
        self.seconds, self.searched, self.channel = passed["seconds"], [], channel
        self.over = None  # what the game says once it is over
        answers, otherwise = passed["answers"], passed["otherwise"]

        def wikipedia_search(query):
            self.searched.append(str(query)[:300])
            return answers.get(str(query), otherwise)

        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "NoColor"
        names = {"wikipedia_search": wikipedia_search} if passed["search"] else {}
        for name, (parameters, text) in passed["commands"].items():
            names[name] = make_command(name, parameters, text, self.command)
        self.shell = InteractiveShell.instance(config=config, user_ns=names)

    def command(self, text):
        """What the game says. Its time is not the cell's, whose alarm waits so long."""
        if self.over is not None:
            return self.over
        left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
        try:
            wire.send(self.channel, {"command": text})
            reply = wire.receive(self.channel)
        finally:
            signal.setitimer(signal.ITIMER_REAL, left)
        if reply["over"]:
            self.over = reply["said"]
        return reply["said"]

    def run(self, code):
        """What a cell prints; a cell that takes too long is interrupted."""
        printed, self.searched, seconds = Printed(), [], self.seconds

        def interrupt(number, frame):
            raise TimeoutError(f"Timed out after {seconds} seconds.")

        before = sys.stdout
        signal.signal(signal.SIGALRM, interrupt)
        try:
            with capture_output():
                sys.stdout = printed
                signal.alarm(seconds)
                try:
                    self.shell.run_cell(code, store_history=True)
                finally:
                    signal.alarm(0)
        except BaseException as error:  # the alarm between two lines of this function, SystemExit
            printed.write(f"{type(error).__name__}: {error}")
        finally:
            signal.alarm(0)
            sys.stdout = before
        text = OWN_PATH.sub(r"File <hidden_filepath>:\1", "".join(printed.parts))
        return {"output": text, "searched": self.searched}


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    confine(wire.receive(channel))
    os.environ["TERM"] = "dumb"
    try:
        sys.meta_path.insert(0, NumbersAsRecorded())
        session = Session(wire.receive(channel), channel)
        wire.send(channel, {"ready": True})
        while True:
            wire.send(channel, session.run(wire.receive(channel)["cell"]))
    except wire.Closed:
        return


main()
