"""InterCode's own logs: a JSON file a run, task by task with its turns.

As https://github.com/princeton-nlp/intercode (``experiments/``) writes them: ``{number: {"task_id",
"dataset", "turn_history": {"actions", "observations", "rewards"}, "summary": {"max_reward"}}}``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lemur.agents.recorded import Recorded, Run
from lemur.core.errors import UserError


def find_runs(
    folder: Path,
    name_task: Callable[[str, str], str | None],
    say: Callable[[str], str],
) -> list[Run]:
    """Every log below ``folder``, in the order of their paths.

    ``name_task(dataset, number)`` gives the task's id, None where it is another environment's;
    ``say`` makes of a recorded action an answer that is read as that action.
    """
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: not a log of InterCode ({error})") from None
        if not _is_log(value):
            continue
        records = []
        for key, entry in value.items():
            try:
                if (record := _record(key, entry, name_task, say)) is not None:
                    records.append(record)
            except (KeyError, TypeError, ValueError) as error:
                raise UserError(f"{path}, task {key}: not a recorded episode ({error})") from None
        if records:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            label = path.relative_to(folder).with_suffix("").as_posix()
            found.append(Run(label, {}, tuple(records), digest))
    return found


def _is_log(value: Any) -> bool:
    entries = value.values() if isinstance(value, dict) else ()
    return any(isinstance(entry, dict) and "turn_history" in entry for entry in entries)


def _record(
    key: str,
    entry: Mapping[str, Any],
    name_task: Callable[[str, str], str | None],
    say: Callable[[str], str],
) -> Recorded | None:
    task = name_task(str(entry.get("dataset", "")), str(entry.get("task_id", key)))
    if task is None:
        return None
    turns = entry["turn_history"]
    rewards = [float(reward) for reward in turns["rewards"]]
    best = float(entry.get("summary", {}).get("max_reward", max(rewards, default=0.0)))
    return Recorded(
        task=task,
        answers=tuple(say(str(action)) for action in turns["actions"]),
        observations=tuple(map(str, turns["observations"])),
        feedback=(),
        solved=best == 1,
    )
