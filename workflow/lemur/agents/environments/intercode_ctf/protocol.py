"""InterCode-CTF's messages: template ``ctf`` with its three solved tasks."""

import functools
from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message
from lemur.agents.episode import Turn
from lemur.agents.intercode import protocol

WRONG, SKIPPED, NO_OUTPUT = "Submitted flag is incorrect. Keep trying!", "skipped", "No output"


@functools.cache
def system() -> str:
    """The system message, as princeton-nlp/intercode (MIT) has it in ``experiments/utils``."""
    return (Path(__file__).parent / "prompt.txt").read_text("utf-8")


def messages(query: str, turns: Sequence[Turn], limit: int | None) -> list[Message]:
    """What a model reads before its next turn. Rewards are not told."""
    made: list[Message] = [{"role": "system", "content": system()}]
    made.append({"role": "user", "content": f"Task: {query}"})
    for turn in turns:
        said = turn.observation
        made.append({"role": "assistant", "content": turn.info["action"]})
        shown = said if said == NO_OUTPUT else f"Output: {said}"
        made.append({"role": "user", "content": shown})
    return protocol.window(made, limit)


def parse(answer: str) -> str:
    """The action of an answer: the first line after ``Action:`` where it has one, else all of it."""
    before, found, after = answer.partition("Action:")
    return after.strip().partition("\n")[0].strip() if found else before.strip()
