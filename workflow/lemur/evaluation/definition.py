"""How a benchmark's problems are asked and its answers are scored: what ``<task>.yaml`` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lemur.config.load import read_yaml
from lemur.core import contracts
from lemur.core.errors import UserError

# A task, or a part of one, in lm-eval's own form.
TaskConfig = dict[str, Any]


@dataclass(frozen=True)
class Scoring:
    """Which of lm-eval's metrics says that an answer is right."""

    key: str
    """The metric's name: exact_match or acc."""
    filter: str
    """The filter of the task whose answers it is of."""
    compare: Literal["exactly", "loosely"] = "exactly"
    """loosely: in place of the metric, a comparison that passes over case and punctuation."""


@dataclass(frozen=True)
class Definition:
    """A task of a benchmark. Either ``task`` or ``stock`` is there."""

    formats: Mapping[str, TaskConfig]
    """What differs in each format of the prompt: completion, chatml."""
    task: TaskConfig | None = None
    """The task."""
    stock: tuple[str, ...] = ()
    """Globs of lm-eval's own files of tasks."""
    each: str | None = None
    """The field by whose values the problems are a task each, with stop texts of its own."""
    changes: TaskConfig = field(default_factory=dict)
    """What is asked otherwise than in ``stock``."""
    changes_for: Mapping[str, TaskConfig] = field(default_factory=dict)
    """The same for one data set, by its name."""
    member: str = ""
    """The file of the download that holds the problems."""
    score: Scoring | None = None
    """How answers are scored that are compared."""
    beside: Mapping[str, Scoring] = field(default_factory=dict)
    """Other rules on the same answers, by name."""
    average: Literal["problems", "tasks"] = "problems"
    """What weighs alike in the score."""
    metric: str = "pass@1"
    """What the score of answers that are programs is called."""
    coded: str | None = None
    """The field of a problem whose bits and bytes are counted."""
    longest_prompt: int | None = None
    """Tokens of a prompt, above which it has fewer solved examples."""
    begin: bool = True
    """Whether a prompt gets the tokenizer's own beginning token."""
    plain: bool = False
    """Whether prompts are no chat in any format."""
    multiturn: bool = False
    """Whether solved examples are turns of a chat."""
    conversations: bool = False
    """Whether what is asked is a list of messages as JSON."""
    description_in_user: bool = False
    """Whether what lm-eval makes a system message begins the user's first instead."""


def read_definition(path: Path) -> Definition:
    """A task's file. Raises UserError, one line, for one that says something else."""
    found = contracts.read(Definition, read_yaml(path), str(path))
    if (found.task is None) == (not found.stock):
        raise UserError(
            f"{path}: 'task' (its definition) or 'stock' (lm-eval's files), one of them"
        )
    return found
