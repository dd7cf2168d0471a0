"""MINT (Wang et al. 2023, arXiv 2309.10691): problems solved over turns with a Python session.

Of ALFWorld the session commands a game; the same games with ReAct's prompt are an environment of
their own, whose processes play them here too.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.alfworld import process
from lemur.agents.environments.alfworld.judge import judge as judge_game
from lemur.agents.environments.mint import protocol, recorded
from lemur.agents.environments.mint.judge import Correct, check
from lemur.agents.environments.mint.tasks import (
    CODE,
    COMMANDS,
    DECISION,
    SETS,
    read_tasks,
    read_texts,
)
from lemur.agents.environments.mint.world import World
from lemur.agents.episode import Episode, Turn
from lemur.agents.sessions.python import Command, PythonSession, Tools
from lemur.core.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent, Sandbox

UNREACHED = "Wikipedia cannot be reached from here."
COMMANDED = {name: (parameters, text) for name, (parameters, text, *_) in COMMANDS.items()}
LEFT = 50  # commands that a game takes before it says that it is done


class Mint(Suite):
    """``data`` holds the authors' repository; ``sets`` are those of ``SETS``.

    ``turns`` and ``proposals`` are the paper's limits, ``seconds`` those of a cell; ``feedback``:
    whether a teacher speaks after each turn that does not end the episode, ``binary`` whether no more
    than its verdict is passed on, ``with_solution`` whether it knows the reference; ``searches`` are
    recorded answers of the search tool; ``games`` holds ALFWorld's games, where ``data`` does not.
    """

    name, skill = "mint", "tools, code and reasoning over turns"

    def __init__(
        self,
        data: Path | str,
        sets: Sequence[str] = tuple(SETS),
        turns: int = 5,
        proposals: int = 2,
        seconds: int = 30,
        feedback: bool = False,
        binary: bool = False,
        with_solution: bool = False,
        searches: dict[str, str] | None = None,
        games: Path | str | None = None,
    ):
        self.data, self.sets = Path(data), tuple(sets)
        self.turns, self.proposals, self.seconds = turns, proposals, seconds
        self.feedback, self.binary, self.with_solution = feedback, binary, with_solution
        self.searches = searches or {}
        self._tasks = read_tasks(self.data, self.sets, None if games is None else Path(games))
        self.line = process.command()
        self._texts = read_texts(self.data, self.sets)

    def tasks(self) -> Sequence[Task]:
        """Set by set, in the files' order."""
        return self._tasks

    def sampling(self) -> Sampling:
        """As in the paper: greedy, 512 tokens."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """The instructions with a solved example, then what was said."""
        limits = self.turns, self.proposals
        first = protocol.first_prompt(self._texts, task, start, *limits, self.feedback)
        return protocol.conversation(first, turns)

    def consult(
        self, task: Task, start: str, turns: Sequence[Turn]
    ) -> tuple[list[Message], Sampling] | None:
        """What the teacher reads after a turn, where there is one."""
        if not self.feedback:
            return None
        reference = task.data["reference"] if self.with_solution else None
        if self.with_solution and reference is None:
            raise UserError(f"MINT: with_solution: the data have no solution of {task.id}")
        asked = protocol.teacher_prompt(self._texts, task, start, turns, reference)
        return asked, protocol.TEACHING

    def passed_on(self, feedback: str) -> str:
        """The teacher's words, or its verdict alone."""
        return protocol.binary(feedback) if self.binary else feedback.rstrip()

    def open(self) -> World:
        """A world without a session yet: many episodes never run a cell."""
        return World(self.turns, self.proposals, self._session, self._check, self._start)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """Both scores, from the proposals alone; of a game from what it said."""
        if SETS[task.data["set"]] == DECISION:
            return judge_game(episode)
        proposals = [protocol.parse(turn.answer) for turn in episode.turns]
        found = [
            self._check(task, action.text)
            for action in proposals
            if action.kind == "solution" and action.text is not None
        ]
        paper, strict = (
            any(verdict.paper for verdict in found),
            any(verdict.strict for verdict in found),
        )
        why = next((verdict.why for verdict in found if verdict.paper != verdict.strict), "")
        return Verdict(float(paper), float(strict), why if paper != strict else "")

    def gold(self, task: Task) -> Sequence[str]:
        """The reference as a proposal; of code the reference solution; of a game the planner's
        commands, for which it is started once."""
        if SETS[task.data["set"]] == DECISION:
            return [as_cell(process.plan(self.line, task.data["game"], LEFT))]
        reference = task.data["reference"]
        if SETS[task.data["set"]] == CODE:
            code = task.data["code"].replace("\r\n", "\n")
            return [f"<execute>\n{code}\n</execute>", f"<solution>\n{code}\n</solution>"]
        if task.data["answer_type"] in ("option", "Option"):
            reference = f"({reference})"
        return [f"The answer is <solution> {reference} </solution>."]

    def normalised(self, observation: str) -> str:
        """Without paths, addresses and the words of one Python."""
        return recorded.normalise(observation)

    def explain(self, before: str, now: str) -> str:
        """Why a recorded observation is another one today."""
        return recorded.explain(before, now)

    def unplayable(self, task: Task) -> str | None:
        """Cells and programs run in the sandbox or not at all; games want a library of their own."""
        found = probe()
        if isinstance(found, Absent):
            return found.reason
        return process.BUILD if "game" in task.data and self.line is None else None

    def _sandbox(self) -> Sandbox:
        found = probe()
        if isinstance(found, Absent):
            raise UserError(f"MINT runs a model's code: {found.reason}")
        return found

    def _session(self, tools: bool = True, command: Command | None = None) -> PythonSession:
        given = Tools(True, self.searches, UNREACHED) if tools else Tools()
        if command is not None:
            given = Tools(commands=COMMANDED)
        return PythonSession(self._sandbox(), self.seconds, given, command)

    def _start(self, task: Task) -> process.Game:
        return process.begin(self.line, task.data["game"], LEFT)

    def _check(self, task: Task, proposal: str) -> Correct:
        return check(task, proposal, self._sandbox(), self._evaluate)

    def _evaluate(self, cell: str) -> str:
        session = self._session(tools=False)
        try:
            return session.run(cell).output
        finally:
            session.close()


def as_cell(commands: Sequence[str]) -> str:
    """An answer whose cell gives a game these commands, by the functions that MINT has for them."""
    lines = []
    for command in commands:
        for name, (parameters, text) in COMMANDED.items():
            pattern = re.sub(r"\\\{(\w+)\\\}", "(.+)", re.escape(text))
            # What newer games call by another word.
            pattern = pattern.replace("put", "(?:put|move)").replace("in/on", "(?:in/on|to)")
            if found := re.fullmatch(pattern, command):
                assert len(found.groups()) == len(parameters)
                lines.append(f"print({name}({', '.join(map(repr, found.groups()))}))")
                break
    return "<execute>\n" + "\n".join(lines) + "\n</execute>"


SUITE = Mint
RECORDS = recorded.find_runs
