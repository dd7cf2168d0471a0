"""The per-episode outcome table: read, write, count.

How an outcome is counted: an episode is solved when the recorded final state says
``state.success`` is true. That flag is set by MINT's environment when the last proposed solution
passed its checker within the limits of the run (5 turns, 2 proposals); an episode that ended by
its limits or by an error (a prompt longer than the model's context) is in the denominator and not
solved. Why an episode ended, its counted turns, the cells among them and the tokens that the model
said are the record's own as well. Nothing is judged again here.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from lemur.agents.records import Record, Run, Store
from lemur.core.errors import UserError
from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.data.records import json_lines


@dataclass(frozen=True, order=True)
class Outcome:
    """One episode. ``episode`` is the rank of its task id among the ids of that task, from 0.

    ``end`` is one of :data:`ENDS`' words, or "no tag" where the turns ran out and no answer had held
    a tag; ``turns`` are those that count against the limit, ``cells`` those of them that ran code,
    ``tokens`` those that the model said in all turns.
    """

    model: str
    feedback: str
    category: str
    task: str
    episode: int
    solved: int
    end: str
    turns: int
    cells: int
    tokens: int


# Why an episode ended, by the record's word for it: those with "error" are prompts that were longer than the
# model's context.
ENDS = {
    "task_success": "solved",
    "max_propose_steps": "wrong twice",
    "max_steps": "out of turns",
    "error": "context full",
}
NO_TAG = "no tag"
COLUMNS = tuple(field.name for field in fields(Outcome))


@dataclass(frozen=True)
class _Read:
    """What a line of a record says of its episode."""

    solved: bool
    end: str
    turns: int
    cells: int
    tokens: int


def _episodes(path: Path, name: str) -> Iterator[tuple[int | str, _Read]]:
    with open(path, "rb") as file:
        for number, episode in json_lines(file, name):
            where = f"{name}, line {number}"
            try:
                task, state = episode["task"]["task_id"], episode["state"]
                solved, end = state["success"], ENDS[state["terminate_reason"]]
                counts = state["agent_action_count"]
                kinds = [counts[k] for k in ("propose_solution", "use_tool", "invalid_action")]
                tokens = state["token_counter"]["completion_tokens"]
            except (KeyError, TypeError) as error:
                raise UserError(f"{where}: not a recorded episode ({error})") from None
            if not isinstance(solved, bool) or not isinstance(task, int | str):
                raise UserError(f"{where}: state.success is {solved!r}, not a boolean")
            if not all(isinstance(count, int) and count >= 0 for count in (*kinds, tokens)):
                raise UserError(f"{where}: counts of actions and tokens are whole numbers")
            if end == ENDS["max_steps"] and kinds[2] == sum(kinds):
                end = NO_TAG
            yield task, _Read(solved, end, sum(kinds), kinds[1], tokens)


def count_record(path: Path, run: Run, name: str) -> list[Outcome]:
    """The outcomes of one file. Task ids are ranked because models ran some tasks in another order:
    equal ranks are the same problem, so that runs can be compared in pairs.
    """
    found = {}
    for task, read in _episodes(path, name):
        if task in found:
            raise UserError(f"{name}: task id {task!r} stands twice")
        found[task] = read
    kinds = {type(task) for task in found}
    if len(kinds) != 1:
        raise UserError(f"{name}: {'no episodes' if not kinds else 'task ids of two types'}")
    where = (run.model, run.feedback, run.category, run.task)
    return [
        Outcome(
            *where,
            rank,
            int(outcome.solved),
            outcome.end,
            outcome.turns,
            outcome.cells,
            outcome.tokens,
        )
        for rank, outcome in enumerate(found[task] for task in sorted(found))
    ]


def count(records: Sequence[Record], places: Sequence[Path]) -> list[Outcome]:
    """Outcomes of all records, in the table's order; ``places`` are manifests or mirror folders."""
    store, counted, seen = Store(places), [], set()
    with Progress("count", len(records), "records") as progress:
        for record in records:
            if record.run in seen:
                raise UserError(f"record {record.path}: its run stands twice in the list")
            seen.add(record.run)
            counted += count_record(store.find(record), record.run, record.path)
            progress.add()
    return sorted(counted)


def write(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the table as tab-separated text; ``.gz`` compresses it, without a time stamp or name."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(outcome) for outcome in sorted(outcomes))
    data = text.getvalue().encode()
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def read(path: Path) -> list[Outcome]:
    """Read an outcome table (``.tsv`` or ``.tsv.gz``); a malformed one names its line."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not an outcome table ({error})") from None
    rows = list(csv.reader(io.StringIO(text), delimiter="\t"))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise UserError(f"{path}: first line must be {' '.join(COLUMNS)} (tab-separated)")
    outcomes = []
    for number, row in enumerate(rows[1:], 2):
        numbers = [*row[4:6], *row[7:]]
        if (
            len(row) != len(COLUMNS)
            or row[5] not in ("0", "1")
            or row[6] not in (*ENDS.values(), NO_TAG)
            or not all(map(str.isdecimal, numbers))
        ):
            raise UserError(f"{path}, line {number}: not an outcome: {' '.join(row)}")
        outcomes.append(Outcome(*row[:4], int(row[4]), int(row[5]), row[6], *map(int, row[7:])))
    return outcomes
