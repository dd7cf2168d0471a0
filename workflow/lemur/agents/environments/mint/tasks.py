"""MINT's problems (``data/processed/<set>/test_prompts.json``) and the texts that go with them.

ALFWorld's are the games of ``environments/alfworld``, whose prompt is the game's own beginning.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.agents.environment import Task
from lemur.agents.environments.alfworld import tasks as alfworld
from lemur.core.errors import UserError, nearest
from lemur.data.row import Row

REASONING, CODE, DECISION = "reasoning", "code_generation", "decision_making"
# Sets in the paper's order, with their category.
SETS = {
    "gsm8k": REASONING,
    "math": REASONING,
    "theoremqa": REASONING,
    "hotpotqa": REASONING,
    "mmlu": REASONING,
    "humaneval": CODE,
    "mbpp": CODE,
    "alfworld": DECISION,
}
# The functions of the games: parameters, the game's command, what they do, and an example.
COMMANDS = {
    "put": (("object", "receptacle"), "put {object} in/on {receptacle}",
            "Put an object in/on a receptacle.", '"mug 1", "desk 2"'),
    "goto": (("receptacle",), "go to {receptacle}", "Go to a location of the receptacle.", '"drawer 1"'),
    "take_from": (("object", "receptacle"), "take {object} from {receptacle}",
                  "Take an object from a receptacle.", '"mug 1", "shelf 2"'),
    "open_receptacle": (("receptacle",), "open {receptacle}", "Open a receptacle.", '"fridge 1"'),
    "toggle": (("object_or_receptacle",), "toggle {object_or_receptacle}",
               "Toggle an object or receptacle.", '"light 2"'),
    "close_receptacle": (("receptacle",), "close {receptacle}", "Close a receptacle.", '"microwave 1"'),
    "clean": (("object", "receptacle"), "clean {object} with {receptacle}",
              "Clean an object with a receptacle.", '"cloth 1", "sinkbasin 1"'),
    "heat": (("object", "receptacle"), "heat {object} with {receptacle}",
             "Heat an object with a receptacle.", '"egg 1", "microwave 1"'),
    "cool": (("object", "receptacle"), "cool {object} with {receptacle}",
             "Cool an object with a receptacle.", '"bottle 1", "fridge 1"'),
    "use": (("receptacle",), "use {receptacle}", "Use a receptacle.", '"lamp 1"'),
    "look": ((), "look", "Look around. It will return what you see in the room.", ""),
}  # fmt: skip
# What a model is told of its tools; a category without tools has an empty text.
TOOLS = {
    REASONING: (
        "Tool function available (already imported in <execute> environment):\n"
        "[1] wikipedia_search(query: str) -> str\n"
        "The Wikipedia Search tool provides access to a vast collection of articles covering a wide "
        "range of topics.\n"
        "Can query specific keywords or topics to retrieve accurate and comprehensive information.\n"
        "\n"
    ),
    CODE: "",
    DECISION: "Tool function available (already imported in <execute> environment):\n"
    + "".join(
        f"[{number}] {name}({', '.join(f'{parameter}: str' for parameter in parameters)}) -> str\n"
        f"{does}\nFor example: {name}({example})\n\n"
        for number, (name, (parameters, _, does, example)) in enumerate(COMMANDS.items(), 1)
    ),
}
HOUSEHOLD = "Interact with a household to solve a task. \n"
THEOREM = "Answer the following question with a number, a list of numbers or True or False. "


@dataclass(frozen=True)
class Texts:
    """The authors' templates and solved examples, as they stand in their repository."""

    template: str
    teacher: str
    examples: dict[tuple[str, bool], str]  # by (folder of the example, whether with feedback)


def read_texts(data: Path, sets: Sequence[str]) -> Texts:
    """The texts for ``sets``. ``UserError`` where a file is missing."""
    templates = data / "mint/prompt/templates"
    examples = {}
    for folder in dict.fromkeys(folder for name in sets for folder in example_folders(name)):
        for feedback, name in ((False, "with_tool.txt"), (True, "with_tool_and_feedback.txt")):
            path = data / "mint/tasks/in_context_examples" / folder / name
            examples[folder, feedback] = _read(path)
    return Texts(
        _read(templates / "template_with_tool.txt"),
        _read(templates / "template_feedback_agent.txt"),
        examples,
    )


def example_folders(name: str) -> list[str]:
    """Where the solved examples of a set lie: of games there is one for each kind."""
    if SETS[name] == DECISION:
        return [f"{name}/{kind}" for kind in alfworld.KINDS.values()]
    return [REASONING if SETS[name] == REASONING else name]


def example_folder(task: Task) -> str:
    """Where the solved example of a problem lies."""
    name = task.data["set"]
    return f"{name}/{task.data['kind']}" if SETS[name] == DECISION else example_folders(name)[0]


def read_tasks(data: Path, sets: Sequence[str], games: Path | None = None) -> list[Task]:
    """The problems of ``sets``, in their files' order; ``id`` is set and number ("gsm8k/0"), or set
    and game. ``games`` holds those, where ``data`` does not."""
    found = []
    for name in sets:
        if name not in SETS:
            raise UserError(f"MINT: set '{name}'{nearest(name, SETS)}")
        if SETS[name] == DECISION:
            found += [_game(name, task) for task in alfworld.read_tasks(games or data)]
            continue
        path = data / "data/processed" / name / "test_prompts.json"
        for number, line in enumerate(_read(path).rstrip("\n").split("\n"), 1):
            found.append(_task(name, f"{path}, line {number}", line))
    repeated = {task.id for task in found if sum(other.id == task.id for other in found) > 1}
    if repeated:
        raise UserError(f"MINT: the problem {min(repeated)} stands twice")
    return found


def _task(name: str, where: str, line: str) -> Task:
    try:
        value: Row = json.loads(line)
        number, prompt, reference = value["id"], value["prompt"], value["reference"]
    except (ValueError, TypeError) as error:
        raise UserError(f"{where}: not a problem of MINT ({error})") from None
    except KeyError as error:
        raise UserError(f"{where}: a problem without {error}; it has {', '.join(value)}") from None
    if not isinstance(prompt, str) or not isinstance(number, int | str):
        raise UserError(f"{where}: id and prompt must be texts")
    data = {
        "set": name,
        "prompt": _shown(name, prompt),
        "asked": prompt,
        "reference": reference,
        "answer_type": value.get("answer_type"),
        # Of code: the function that the tests call, where the data name it, and the reference solution
        # after the head that it is the rest of.
        "entry": value.get("entry_point"),
        "code": value.get("code") or f"{prompt.rstrip()}\n{value.get('canonical_solution', '')}",
    }
    return Task(f"{name}/{number}", data)


def _game(name: str, task: Task) -> Task:
    """A game as a problem; its prompt is complete with what the game says first."""
    solved = Path(task.data["game"]).with_name("gt_traj.txt")
    data = {
        "set": name,
        "prompt": HOUSEHOLD,
        # What a teacher may be told; an archive of the games has it, the pinned files do not.
        "reference": solved.read_text(encoding="utf-8") if solved.is_file() else None,
        **task.data,
    }
    return Task(f"{name}/{task.id}", data)


def _shown(name: str, prompt: str) -> str:
    """A problem as the model reads it."""
    if name == "humaneval":
        return f"Complete the following code:\n\n{prompt}"
    if name == "mbpp":
        return prompt.replace('"""', "").strip()
    if name == "theoremqa":
        return THEOREM + prompt.strip()
    return prompt if name == "mmlu" else prompt.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: MINT's data are not whole") from None
