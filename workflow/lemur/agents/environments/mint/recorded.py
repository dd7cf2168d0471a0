"""The authors' recorded episodes: how they are read, and why observations differ today.

``data/outputs/<model>/F=<feedback>/.../<category>/<set>/results.jsonl``, a line an episode.
"""

import ast
import hashlib
import itertools
import json
import re
from pathlib import Path

from lemur.agents.environments.mint import protocol
from lemur.agents.environments.mint.tasks import SETS
from lemur.agents.recorded import Recorded, Run
from lemur.core.errors import UserError
from lemur.data.row import Row

FEEDBACK = "\n\nExpert feedback:\n"
# Cells that show what one search answered and nothing else: as the cell's value, printed, or printed
# from a name.
_ASKED = r"wikipedia_search\((?:query=)?(?P<quote>['\"])(?P<query>(?:(?!(?P=quote))[^\\\n])*)(?P=quote)\)"
_VALUE = re.compile(_ASKED)
_PRINTED = re.compile(rf"print\({_ASKED}\)")
_NAMED = re.compile(rf"(?P<name>\w+) = {_ASKED}\s+print\((?P=name)\)")
_COMMENT = re.compile(r"^\s*#.*$\n?", re.MULTILINE)
_OUT = re.compile(r"Out\[\d+\]: (?P<quote>['\"])")
_COUNTDOWN = re.compile(r"\nYou have \d+ steps left and .*", re.DOTALL)
_PATH = re.compile(r"(?:/[\w.+-]+)*/(?:site|dist)-packages/|/site/")
_ENDING = "...\n[Output Truncated]"
# What Python 3.9, which the records were made with, says in other words than later ones.
_WORDS = (
    # A cell that is none: the newer parser finds another place and other words for it.
    (
        re.compile(r"Cell In\[\d+\], line \d+\n(?: .*\n)+(?:Syntax|Indentation)Error: .*"),
        "SyntaxError",
    ),
    (re.compile(r"SyntaxError: .*"), "SyntaxError"),
    (
        re.compile(r"integer argument expected, got float"),
        "'float' object cannot be interpreted as an integer",
    ),
    (re.compile(r"^ *\^+ *$\n", re.MULTILINE), ""),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x"),
    (
        re.compile(r"cannot access local variable '(\w+)' where it is not associated with a value"),
        r"local variable '\1' referenced before assignment",
    ),
    (re.compile(r"File <hidden_filepath>:\d+"), "File <hidden_filepath>"),
)


def find_runs(folder: Path) -> list[Run]:
    """Every file of records below ``folder``, in the order of their paths. A search whose answer one
    file does not have is answered from the others."""
    found = []
    for path in sorted(folder.rglob("results.jsonl")):
        name = path.parent.name
        if name in SETS:
            parts = path.parts
            feedback = not any(part == "F=None" for part in parts)
            start = next((n for n, part in enumerate(parts) if part.startswith("F=")), 1)
            label = f"{parts[start - 1]} {name}{' with feedback' if feedback else ''}"
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.append((label, name, feedback, tuple(_read(path, name)), digest))
    own = [_searches(records) for _, _, _, records, _ in found]
    every: dict[str, str] = {}
    for answers in own:
        for query, answer in answers.items():
            every.setdefault(query, answer)
    runs = []
    for (label, name, feedback, records, digest), answers in zip(found, own, strict=True):
        said = "\n".join(answer for record in records for answer in record.answers)
        known = {query: answer for query, answer in every.items() if query in said} | answers
        settings = {"sets": [name], "feedback": feedback, "searches": known}
        runs.append(Run(label, settings, records, digest))
    return runs


def _read(path: Path, name: str) -> list[Recorded]:
    records = []
    for number, line in enumerate(path.read_bytes().rstrip(b"\n").split(b"\n"), 1):
        try:
            value = json.loads(line)
            records.append(_record(value, name))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}, line {number}: not a recorded episode ({error})") from None
    return records


def _record(value: Row, name: str) -> Recorded:
    state, history = value["state"], value["state"]["history"]
    heard = [message["content"] for message in history[1:] if message["role"] == "user"]
    said: list[str] = []
    for before, message in itertools.pairwise(history):
        if message["role"] == "assistant":
            said.append(_said(message["content"]))
        elif before["role"] == "user":  # an answer that says nothing is no message
            said.append("")
    pairs = [text.partition(FEEDBACK) for text in heard]
    counts = state["agent_action_count"]
    return Recorded(
        task=f"{name}/{value['task']['task_id']}",
        answers=tuple(said),
        observations=tuple(first + "\n" * bool(middle) for first, middle, _ in pairs),
        feedback=tuple(last.removesuffix("\n") for _, _, last in pairs),
        solved=bool(state["success"]),
        counters={
            "proposed": counts["propose_solution"],
            "executed": counts["use_tool"],
            "invalid": counts["invalid_action"],
        },
        prompt=history[0]["content"],
    )


def _said(content: str) -> str:
    """What the model said, without what the environment put around it."""
    return content.removesuffix("\n").removeprefix("Assistant:\n")


def _searches(records: tuple[Recorded, ...]) -> dict[str, str]:
    """What the search tool answered, from cells that show one answer and nothing else."""
    found: dict[str, str] = {}
    for record in records:
        for answer, heard in zip(record.answers, record.observations, strict=False):
            action = protocol.parse(answer)
            cell = _COMMENT.sub("", action.text or "").strip() if action.kind == "execute" else ""
            said = _COUNTDOWN.sub("", heard.removeprefix("Observation:\n"))
            if "Traceback" in said:
                continue
            if asked := _PRINTED.fullmatch(cell) or _NAMED.fullmatch(cell):
                found.setdefault(asked["query"], said)
            elif (asked := _VALUE.fullmatch(cell)) and (value := _value(said)) is not None:
                found.setdefault(asked["query"], value)
    return found


def _value(said: str) -> str | None:
    """The text that a cell's value is, as far as it was shown; None where it is no text."""
    begun = _OUT.match(said)
    if begun is None:
        return None
    shown, cut, _ = said[begun.end() :].partition(_ENDING)
    shown = shown if cut else shown.rstrip().removesuffix(begun["quote"])
    for less in range(5):  # an escape may have been cut in its middle
        try:
            text = ast.literal_eval(f"{begun['quote']}{shown[: len(shown) - less]}{begun['quote']}")
        except (ValueError, SyntaxError):
            continue
        # What follows is unknown; that something does is known.
        return text + " " * (protocol.PRINTED if cut else 0)
    return None


def _own_frames(text: str) -> str:
    """A traceback without the frames of libraries: their lines change from release to release, and what
    the model did wrong stands in its own cell's frame and in the last line."""
    if "Traceback (most recent call last)" not in text:
        return text
    return "\n\n".join(part for part in text.split("\n\n") if not part.startswith("File "))


def normalise(observation: str) -> str:
    """An observation without paths of a machine, addresses and the words of one Python."""
    text = _PATH.sub("<site>/", observation).rstrip()
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    cut, found, _ = text.partition(_ENDING)
    if found:  # where it was cut depends on the length of paths
        text = _own_frames(cut)[:1200]
    return _own_frames(text)


def explain(recorded: str, now: str) -> str:
    """Why two normalised observations differ, in a few words."""
    both = recorded + now
    if protocol.SILENT in recorded and "ModuleNotFoundError" in now or "No module named" in now:
        return "a package that the session does not have"
    if "wikipedia" in both.lower() or "Page:" in recorded:
        return "the search tool: no recorded answer"
    if re.search(r"URLError|HTTPError|ConnectionError|requests|socket", both):
        return "no network"
    if "Timed out after" in both or "TimeoutError" in both:
        return "the time limit of a cell"
    if "<site>/" in recorded and "<site>/" in now:
        return "another release of a library in a traceback"
    if (
        "has no attribute" in recorded
        and "AttributeError: module" in recorded
        and "Error" not in now
    ):
        return "a function that a newer Python or library has"
    if re.search(r"random|shuffle|seed|time\.|datetime", both):
        return "random numbers or the time"
    if "Traceback (most recent call last)" in recorded and "Traceback (most recent" in now:
        return "another traceback"
    return "another output"
