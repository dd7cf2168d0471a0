"""Actions of solved episodes, each with what the agent had read before it: what bits per byte of actions
is scored on (``bits_per_byte_actions``). The episodes were played here, or recorded by somebody else."""

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lemur.agents import environments, scoring
from lemur.agents.environment import Suite
from lemur.agents.episode import Episode, Turn
from lemur.agents.play_spec import folder_of, open_suite, read_spec
from lemur.agents.recorded import Recorded
from lemur.core.errors import UserError
from lemur.core.files import replacing

Line = dict[str, str]  # id, context and action


def pairs(
    spec: Any, episodes: Path | None, data: Path, context_bytes: int, records: Path | None = None
) -> list[Line]:
    """``id``, ``context`` and ``action`` of every turn of the episodes that are solved by the strict
    rule, in their order. A context is the end of what was read, ``context_bytes`` at most. What an
    earlier action of any episode said in the same words is left out: it says nothing more.

    ``records`` is a folder of recorded episodes, which are taken in place of ``episodes``; the spec's
    ``limit`` is then of those of each file.
    """
    environment = read_spec(spec).environment
    solved = _played(spec, episodes, data) if records is None else _recorded(spec, records, data)
    found: list[Line] = []
    said: set[str] = set()
    for suite, episode in solved:
        task = next(task for task in suite.tasks() if task.id == episode.task)
        for number, turn in enumerate(episode.turns):
            if not turn.answer or turn.answer in said:
                continue
            said.add(turn.answer)
            read = suite.messages(task, episode.start, episode.turns[:number])
            text = "".join(f"{message['content']}\n" for message in read)
            cut = text.encode()[-context_bytes:].decode(errors="ignore")
            name = f"{environment}/{episode.task}/{number}"
            found.append({"id": name, "context": cut, "action": turn.answer})
    return found


def _played(spec: Any, episodes: Path | None, data: Path) -> Iterator[tuple[Suite, Episode]]:
    if episodes is None:
        raise UserError("neither episodes nor records are named")
    judged, _ = scoring.judge(spec, episodes, data)
    with contextlib.closing(open_suite(read_spec(spec), data)) as suite:
        for attempt in judged:
            if attempt.verdict.left_out is None and attempt.verdict.strict == 1:
                yield suite, attempt.episode


def _recorded(spec: Any, records: Path, data: Path) -> Iterator[tuple[Suite, Episode]]:
    """Recorded episodes whose proposals are judged again; nothing is executed."""
    given = read_spec(spec)
    for run in environments.find_records(given.environment, records):
        settings = {"data": folder_of(data), **given.settings, **run.settings}
        with contextlib.closing(environments.load(given.environment, settings)) as suite:
            yield from itertools.islice(_solved(suite, run.records), given.limit)


def _solved(suite: Suite, records: Iterable[Recorded]) -> Iterator[tuple[Suite, Episode]]:
    tasks = {task.id: task for task in suite.tasks()}
    for record in records:
        if not record.solved or record.task not in tasks:
            continue
        heard = itertools.zip_longest(record.answers, record.observations, fillvalue="")
        turns = tuple(Turn("", answer, 0, "", observed) for answer, observed in heard)
        episode = Episode(record.task, "", turns, "solved")
        if suite.judge(tasks[record.task], episode).strict == 1:
            yield suite, episode


def write(
    spec: Any, episodes: Path | None, data: Path, context_bytes: int, out: Path,
    records: Path | None = None,
) -> int:  # fmt: skip
    """Write ``out``, JSON lines; returns how many. ``UserError`` where no episode is solved."""
    found = pairs(spec, episodes, data, context_bytes, records)
    if not found:
        raise UserError(
            f"{records or episodes}: no episode is solved, so that there is no action to learn from"
        )
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for line in found:
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
    return len(found)
