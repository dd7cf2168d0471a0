"""ReAct's prompt (Yao et al. 2023, arXiv 2210.03629) for ALFWorld, and how an answer is read.

The examples are those of MINT's repository: ReAct's, with "Think:", "Action:" and "Observation:" at
the beginning of their lines, so that an answer holds thoughts and one action, and ends before an
observation. That is why it may be longer than ReAct's 100 tokens.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lemur.agents.environment import Message, Sampling, Task
from lemur.agents.episode import Turn

SAMPLING = Sampling(256, stops=("\nObservation:",))
HEAD = "Interact with a household to solve a task. Here are two examples.\n"
HERE = "\nHere is the task.\n"
SHOWN = 2000  # characters of an observation
LONGEST = 300  # characters of a command that the game is asked: the longest of any game has some 60
THOUGHT = "OK."
NOTHING = "Nothing happens."
ARRIVED = "You arrive at loc "
ACTION = re.compile(r"^[ \t]*(?:Action:|>)[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)
THINKS = re.compile(r"\s*(?:think|thought):", re.IGNORECASE)


@dataclass(frozen=True)
class Action:
    """``kind``: command, thought or none; ``text`` of a command."""

    kind: str
    text: str = ""


def parse(answer: str) -> Action:
    """The first action of an answer: what comes after it, forged observations too, is passed over.
    Without one: a thought alone, else its first line as a command."""
    found = ACTION.search(answer)
    if found is None:
        lines = [line.strip() for line in answer.splitlines() if line.strip()]
        if not lines:
            return Action("none")
        if THINKS.match(lines[0]):
            return Action("thought")
        text = lines[0]
    else:
        text = found.group(1)
    text = " ".join(text.split())
    return Action("command", text) if text and len(text) <= LONGEST else Action("none")


def begins(observation: str) -> str:
    """A game's first observation without its greeting."""
    return "\n".join(observation.split("\n\n")[1:])


def shown(observation: str) -> str:
    """An observation as the model reads it."""
    if observation.startswith(ARRIVED):
        observation = observation[observation.find(". ") + 2 :]
    return observation[:SHOWN]


def messages(
    examples: Mapping[str, str], task: Task, start: str, turns: Sequence[Turn]
) -> list[Message]:
    """Two examples of the same kind and the task, then what was said and seen."""
    solved = "".join(examples[f"react_{task.data['kind']}_{number}"] for number in (1, 0))
    made: list[Message] = [{"role": "user", "content": HEAD + solved + HERE + start}]
    for turn in turns:
        made.append({"role": "assistant", "content": turn.answer})
        made.append({"role": "user", "content": f"Observation: {turn.observation}"})
    return made
