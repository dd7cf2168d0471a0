"""How MINT asks and reads: one prompt with a solved example, two tags, turns that are counted.

Texts and rules as in https://github.com/xingyaoww/mint-bench (``envs/general_env.py``, and
``agents/openai_feedback_agent.py`` for the teacher); each was checked against the authors' recorded
episodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lemur.agents.environment import Message, Sampling, Task
from lemur.agents.environments.mint.tasks import SETS, TOOLS, Texts, example_folder
from lemur.agents.episode import Turn

STOPS = ("\nObservation:", "\nExpert feedback:", "\nTask:", "\n---")
SAMPLING = Sampling(512, 0.0, 1.0, STOPS)
TEACHING = Sampling(1024, 0.0, 1.0, ("\nObservation:", "\nTask:", "\nAssistant:"))
PRINTED = 2000  # characters of an observation
SILENT = "[Executed Successfully with No Output]"
WRONG = "Your answer is wrong."
UNDISCLOSED = "Correct solution (please DO NOT disclose the correct solution to the assistant): "
NO_TAG = (
    "I don't understand your input. \n"
    "If you want to execute code, please use <execute> YOUR_CODE_HERE </execute>.\n"
    "If you want to give me an answer, please use <solution> YOUR_SOLUTION_HERE </solution>.\n"
    "For example: The answer to the question is <solution> 42 </solution>. \n"
)


@dataclass(frozen=True)
class Action:
    """What an answer does: ``kind`` is "solution", "execute" or "none"; ``text`` what is proposed or
    run, None where a tag was opened and nothing stands between it and its end."""

    kind: str
    text: str | None


@dataclass(frozen=True)
class Counts:
    """Turns by what they did; each counts against the limit of turns."""

    proposed: int = 0
    executed: int = 0
    invalid: int = 0

    @property
    def total(self) -> int:
        """All counted turns."""
        return self.proposed + self.executed + self.invalid


def parse(answer: str) -> Action:
    """An answer with ``<solution>`` anywhere proposes, any other executes; several tags of a kind
    are joined by line ends."""
    if "<solution>" in answer:
        return Action("solution", _between("solution", answer))
    text = _between("execute", answer)
    return Action("none" if text is None else "execute", text)


def _between(tag: str, answer: str) -> str | None:
    """The parts of an answer inside a tag, joined by newlines; None where there is none.

    A pattern would look through the rest of an answer once for every tag that is never closed.
    """
    found, start = [], answer.find(f"<{tag}>")
    while start >= 0 and (end := answer.find(f"</{tag}>", start)) >= 0:
        found.append(answer[start + len(tag) + 2 : end].strip())
        start = answer.find(f"<{tag}>", end)
    return "\n".join(found) or None


def shown(printed: str) -> str:
    """What a cell printed, as the model is told it."""
    text = printed or SILENT
    if len(text) > PRINTED:
        text = text[:PRINTED] + "...\n[Output Truncated]"
    return text.strip()


def observation(said: str, counts: Counts, turns: int, proposals: int) -> str:
    """An observation with the line that counts down."""
    left = turns - counts.total
    text = (
        f"Observation:\n{said}\nYou have {left} steps left and "
        f"{proposals - counts.proposed} chances to propose solution left.\n"
    )
    if left <= 1:
        text += "You should take the last step to propose a solution.\n"
    return text


def said_by_model(answer: str) -> str:
    """An answer as it stands in the conversation."""
    begun = answer.lstrip().startswith("Assistant:")
    return f"{'' if begun else 'Assistant:' + chr(10)}{answer}\n"


def problem(task: Task, start: str) -> str:
    """The problem as it is told; of a game ``start`` is a part of it."""
    return f"Task:\n{task.data['prompt']}{start}"


def first_prompt(
    texts: Texts, task: Task, start: str, turns: int, proposals: int, feedback: bool
) -> str:
    """The instructions, the tools, a solved example and the problem."""
    name = task.data["set"]
    return texts.template.format(
        max_total_steps=turns,
        max_propose_solution=proposals,
        tool_desc=TOOLS[SETS[name]],
        in_context_example=texts.examples[example_folder(task), feedback],
        task_prompt=problem(task, start),
    )


def conversation(first: str, turns: Sequence[Turn]) -> list[Message]:
    """The messages before the next turn. An answer that says nothing is no message, as in the
    original: two of the user's follow each other then."""
    found: list[Message] = [{"role": "user", "content": first}]
    for turn in turns:
        if turn.answer:
            found.append({"role": "assistant", "content": said_by_model(turn.answer)})
        heard = turn.observation
        if feedback := turn.info.get("feedback"):
            heard += f"\nExpert feedback:\n{feedback}\n"
        found.append({"role": "user", "content": heard})
    return found


def teacher_prompt(
    texts: Texts, task: Task, start: str, turns: Sequence[Turn], reference: object
) -> list[Message]:
    """What a teacher reads to give feedback on the last turn: a solved example with feedback, the
    tools, and what was said. ``reference``: the solution where the teacher is told it; one that is
    false or 0 is never told, as in the original."""
    name = task.data["set"]
    example = texts.examples[example_folder(task), True]
    said = [message["content"] for message in conversation("", turns)[1:]]
    solution = str(reference).strip() if reference else "NOT GIVEN"
    prompt = texts.teacher.format(
        in_context_example=example[max(example.find("Task:"), 0) :],
        tool_desc=TOOLS[SETS[name]],
        trajectory="\n".join([f"{problem(task, start)}\n", *said]),
        correct_solution=f"{UNDISCLOSED}{solution}\n",
    )
    return [{"role": "user", "content": prompt}]


def binary(feedback: str) -> str:
    """What is left of a teacher's answer where no more than its verdict is passed on: one of two
    sentences, by the first sentence that it says; nothing where that has neither word."""
    first, full_stop, _ = feedback.partition(".")
    said = [word for word in ("GOOD", "BAD") if full_stop and word in first]
    return f"This is {said[0]}." if said else ""
