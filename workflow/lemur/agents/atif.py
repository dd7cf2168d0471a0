"""A player's episodes as ATIF trajectories (Agent Trajectory Interchange Format 1.7), a line each.

The format is Harbor's (https://www.harborframework.com/docs/agents/trajectory-format). Its models need a
newer Python than this project's oldest, so that a line is written here and held against Harbor's own
schema by a test.
"""

import json
from pathlib import Path
from typing import Any

from lemur.agents import playing
from lemur.agents.environment import Suite, Task
from lemur.agents.episode import Turn
from lemur.agents.judged import GOLD, Opened
from lemur.agents.scoring import Judged
from lemur.core.files import replacing

VERSION = "ATIF-v1.7"
SOURCES = {"system": "system", "user": "user", "assistant": "agent"}


# An object of the format, which its own schema holds together.
AtifObject = dict[str, Any]


def _step(number: int, turn: Turn, known: bool) -> AtifObject:
    """A turn: what was said and what the world answered. Known solutions are said by no model."""
    said: AtifObject = {"step_id": number, "source": "agent", "message": turn.answer}
    if known:
        said["llm_call_count"] = 0
    else:
        said |= {"llm_call_count": 1, "metrics": {"completion_tokens": turn.tokens}}
    extra = {"action": turn.info.get("action"), "reward": turn.reward, "finish": turn.finish}
    return {**said, "observation": {"results": [{"content": turn.observation}]}, "extra": extra}


def trajectory(suite: Suite, task: Task, judged: Judged, name: str, model: str) -> AtifObject:
    """One episode; ``name`` is what the recipe calls the environment."""
    episode, verdict = judged.episode, judged.verdict
    steps: list[AtifObject] = []
    for message in suite.messages(task, episode.start, []):
        step = {
            "step_id": len(steps) + 1,
            "source": SOURCES[message["role"]],
            "message": message["content"],
        }
        # What a model is shown as said before was not said by it.
        steps.append({**step, "is_copied_context": True} if step["source"] == "agent" else step)
    for turn in episode.turns:
        steps.append(_step(len(steps) + 1, turn, model == GOLD))
    return {
        "schema_version": VERSION,
        "session_id": f"{name}/{model}",
        "trajectory_id": f"{name}/{model}/{episode.task}",
        "agent": {"name": "lemur", "version": str(playing.VERSION), "model_name": model},
        "steps": steps,
        "final_metrics": {"total_completion_tokens": episode.tokens, "total_steps": len(steps)},
        "extra": {
            "end": episode.end,
            "strict": None if verdict.left_out else verdict.strict,
            "paper": None if verdict.left_out else verdict.paper,
            "why": verdict.why,
            "left_out": verdict.left_out,
            "known_solutions": model == GOLD,
        },
    }


def write(opened: Opened, out: Path) -> None:
    """One JSON object a line, in ASCII: what a model says may be no text that UTF-8 can hold."""
    made = [
        trajectory(opened.suite, task, judged, opened.name, opened.given.model)
        for task, judged in opened.episodes
        if judged.episode.turns  # a trajectory holds at least what somebody did
    ]
    with replacing(out) as temporary:
        temporary.write_text(
            "".join(f"{json.dumps(trajectory, sort_keys=True)}\n" for trajectory in made)
        )
