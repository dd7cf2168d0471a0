"""One problem: functions are collected until nothing is missing, then they are judged."""

from collections.abc import Callable, Sequence

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.robocodegen import protocol
from lemur.agents.environments.robocodegen.judge import Found
from lemur.agents.environments.robocodegen.protocol import Wanted

SOLVED, OUT_OF_TURNS = "solved", "out of turns"
PASSES = "The function passes its tests."
TOO_MANY = "RecursionError: the function calls too many functions that are not defined"
Check = Callable[[Task, Sequence[str]], Found]


def root(task: Task) -> Wanted:
    """The function that the problem asks for."""
    return Wanted(task.data["name"], task.data["signature"])


class Attempt:
    """The functions of one try: the problem's own, then those that it needs, each followed by what
    that one needs itself. ``error``: why the try cannot be judged by its tests, if so."""

    def __init__(self, wanted: Wanted, helpers: int):
        self.missing, self.helpers = [wanted], helpers
        self.programs: list[str] = []
        self.asked = {wanted.name}
        self.error: str | None = None

    def add(self, answer: str) -> Wanted | None:
        """Take an answer; the function to be asked for next, None where the try is complete."""
        wanted = self.missing.pop(0)
        code = protocol.program(answer)
        self.error = protocol.refused(code)
        if self.error is None:
            needed = [
                call for call in protocol.calls(code, wanted.name) if call.name not in self.asked
            ]
            self.asked |= {function.name for function in needed}
            self.missing = needed + self.missing
            self.programs.append(code)
            if len(self.asked) - 1 > self.helpers:
                self.error = TOO_MANY
        if self.error is not None or not self.missing:
            return None
        return self.missing[0]


class World(Environment):
    """``check`` judges the functions of a try, in sandboxes that end with it."""

    def __init__(self, turns: int, helpers: int, check: Check):
        self.turns, self.helpers, self.check = turns, helpers, check

    def reset(self, task: Task) -> str:
        """There is nothing to see before the first answer."""
        self.task, self.tries = task, 0
        self.attempt = Attempt(root(task), self.helpers)
        return ""

    def step(self, action: str) -> Step:
        """Take a function; where all are there, judge them."""
        info = {"action": protocol.program(action)}
        wanted = self.attempt.add(action)
        if wanted is not None:
            asks = [wanted.name, wanted.signature]
            return Step(protocol.query(wanted.signature), info={**info, "asks": asks})
        found = judged(self.attempt, self.task, self.check)
        self.tries += 1
        if found.paper:
            return Step(PASSES, 1.0, True, {**info, "end": SOLVED})
        self.attempt = Attempt(root(self.task), self.helpers)
        done = self.tries >= self.turns
        info |= {"error": found.error} | ({"end": OUT_OF_TURNS} if done else {})
        return Step(protocol.again(root(self.task), found.error), 0.0, done, info)

    def close(self) -> None:
        """Nothing lives from answer to answer."""


def judged(attempt: Attempt, task: Task, check: Check) -> Found:
    """The outcome of a complete try."""
    if attempt.error is not None:
        return Found(False, False, attempt.error)
    return check(task, attempt.programs)
