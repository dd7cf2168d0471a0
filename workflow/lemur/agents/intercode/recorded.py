"""InterCode's own logs: a JSON file a run, task by task with its turns.

As https://github.com/princeton-nlp/intercode (``experiments/eval_n_turn.py``) writes them: ``{number:
{"environment", "dataset", "task_id", "turn_history": {"actions", "observations", "rewards"}, "summary":
{"max_reward", "turns_max"}}}``. An action on which its own parser failed stands there as "blocked" with
no observation, and ends the episode.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lemur.agents.recorded import Recorded, Run
from lemur.core.errors import UserError


class Source(NamedTuple):
    """Where an entry of a log is from: which ``environment`` (its older logs lack it), which file of
    tasks (``dataset``), and the task's ``number`` in that file."""

    environment: str
    dataset: str
    number: str


@dataclass(frozen=True)
class Format:
    """What is an environment's own in these logs.

    ``name_task`` gives the task's id, None where the entry is another environment's; ``say`` makes of a
    recorded action an answer that is read as that action; ``observes`` is whether what was logged after an
    action with such a reward is what that action brought about.
    """

    name_task: Callable[[Source], str | None]
    say: Callable[[str], str]
    observes: Callable[[str, float], bool] = lambda action, reward: True


def find_runs(folder: Path, format: Format) -> list[Run]:
    """Every log below ``folder`` that holds episodes of an environment, in the order of their paths.
    What it was played with of ``turns`` becomes a setting.

    Raises:
        UserError: a file is no JSON, or an entry of a log is damaged.
    """
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: not a log of InterCode ({error})") from None
        if not _is_log(value):
            continue
        records, turns = [], set()
        for key, entry in value.items():
            try:
                if (record := _record(key, entry, format)) is not None:
                    records.append(record)
                    turns.add(entry.get("summary", {}).get("turns_max"))
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise UserError(f"{path}, task {key}: not a recorded episode ({error})") from None
        if records:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            label = path.relative_to(folder).with_suffix("").as_posix()
            most = max((each for each in turns if isinstance(each, int) and each > 0), default=None)
            settings = {} if most is None else {"turns": most}
            found.append(Run(label, settings, tuple(records), digest))
    return found


def _is_log(value: Any) -> bool:
    entries = value.values() if isinstance(value, dict) else ()
    return any(isinstance(entry, dict) and "turn_history" in entry for entry in entries)


def _record(key: str, entry: Mapping[str, Any], format: Format) -> Recorded | None:
    named = str(entry.get("environment", "")), str(entry.get("dataset", ""))
    task = format.name_task(Source(*named, str(entry.get("task_id", key))))
    if task is None:
        return None
    turns = entry["turn_history"]
    rewards = [float(reward) for reward in turns["rewards"]]
    best = float(entry.get("summary", {}).get("max_reward", max(rewards, default=0.0)))
    observations = list(map(str, turns["observations"]))
    actions = list(map(str, turns["actions"]))[: len(observations)]
    if actions and not format.observes(actions[-1], rewards[len(actions) - 1]):
        observations.pop()
    return Recorded(
        task=task,
        answers=tuple(map(format.say, actions)),
        observations=tuple(observations),
        feedback=(),
        solved=best == 1,
    )


# What a recorded observation of a shell holds, what today's holds, and why they differ.
_CAUSES = (
    ("", "command not found", "a program that is not installed here"),
    ("__pycache__", "", "what an earlier episode of the recording had left behind"),
    ("syntax error: unexpected end of file", "", "another version of bash words it otherwise"),
    ("", "No such file or directory", "a file that the data lack"),
    ("% Received", "", "there is no network"),
)


def explain(before: str, now: str) -> str:
    """Why a shell's recorded observation is another one today."""
    if before.rstrip() == now.rstrip():
        return "docker ends its own message with a carriage return"
    for recorded, today, cause in _CAUSES:
        if (recorded in before) and (today in now) and (not today or today not in before):
            return cause
    return "another output"
