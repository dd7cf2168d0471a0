"""Actions of solved episodes, each with what the agent had read before it: what a study's primary
measure, bits per byte of actions, is scored on (``bits_per_byte_actions``)."""

import contextlib
import json
from pathlib import Path
from typing import Any

from lemur.agents import scoring
from lemur.agents.playing import open_suite, read_settings
from lemur.errors import UserError
from lemur.files import replacing


def pairs(spec: Any, episodes: Path, data: Path, context_bytes: int) -> list[dict[str, str]]:
    """``id``, ``context`` and ``action`` of every turn of the episodes that are solved by the strict
    rule, in their order. A context is the end of what was read, ``context_bytes`` at most. What an
    earlier action of any episode said in the same words is left out: it says nothing more."""
    given = read_settings(spec)
    judged, _ = scoring.judge(spec, episodes, data)
    found: list[dict[str, str]] = []
    said: set[str] = set()
    with contextlib.closing(open_suite(given, data)) as suite:
        tasks = {task.id: task for task in suite.tasks()}
        for one in judged:
            episode = one.episode
            if one.verdict.left_out is not None or one.verdict.strict != 1:
                continue
            for number, turn in enumerate(episode.turns):
                if not turn.answer or turn.answer in said:
                    continue
                said.add(turn.answer)
                read = suite.messages(tasks[episode.task], episode.start, episode.turns[:number])
                text = "".join(f"{message['content']}\n" for message in read)
                cut = text.encode()[-context_bytes:].decode(errors="ignore")
                name = f"{given.environment}/{episode.task}/{number}"
                found.append({"id": name, "context": cut, "action": turn.answer})
    return found


def write(spec: Any, episodes: Path, data: Path, context_bytes: int, out: Path) -> int:
    """Write ``out``, JSON lines; returns how many. ``UserError`` where no episode is solved."""
    found = pairs(spec, episodes, data, context_bytes)
    if not found:
        raise UserError(
            f"{episodes}: no episode is solved, so that there is no action to learn from"
        )
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for line in found:
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
    return len(found)
