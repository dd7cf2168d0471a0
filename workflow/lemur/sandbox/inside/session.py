"""An interpreter that an agent uses over several turns: cells in, what they print out.

What a cell prints goes back to the model that wrote it and to nobody else, so that nothing here is
kept from the cell; a verdict is never made in this process. IPython is imported ahead, before the
process is told what it is for.
"""

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


class Session:
    """``told``: seconds of a cell, recorded answers of the search tool, and what it says else."""

    def __init__(self, told):
        self.seconds, self.searched = told["seconds"], []
        answers, otherwise = told["answers"], told["otherwise"]

        def wikipedia_search(query):
            self.searched.append(str(query)[:300])
            return answers.get(str(query), otherwise)

        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "NoColor"
        names = {"wikipedia_search": wikipedia_search} if told["search"] else {}
        self.shell = InteractiveShell.instance(config=config, user_ns=names)

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
        session = Session(wire.receive(channel))
        wire.send(channel, {"ready": True})
        while True:
            wire.send(channel, session.run(wire.receive(channel)["cell"]))
    except wire.Closed:
        return


main()
