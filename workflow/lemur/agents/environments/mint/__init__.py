"""MINT (Wang et al. 2023, arXiv 2309.10691): problems solved over turns with a Python session.

All sets but ALFWorld, which has a world of its own.
"""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.mint import protocol, recorded
from lemur.agents.environments.mint.judge import Correct, check
from lemur.agents.environments.mint.tasks import CODE, SETS, read_tasks, read_texts
from lemur.agents.environments.mint.world import World
from lemur.agents.episode import Episode, Turn
from lemur.agents.sessions.python import PythonSession, Tools
from lemur.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent, Sandbox

UNREACHED = "Wikipedia cannot be reached from here."


class Mint(Suite):
    """``data`` holds the authors' repository; ``sets`` are those of ``SETS``.

    ``turns`` and ``proposals`` are the paper's limits, ``seconds`` those of a cell; ``feedback``:
    whether a teacher speaks after each turn that does not end the episode, ``binary`` whether no more
    than its verdict is passed on, ``with_solution`` whether it knows the reference; ``searches`` are
    recorded answers of the search tool.
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
    ):
        self.data, self.sets = Path(data), tuple(sets)
        self.turns, self.proposals, self.seconds = turns, proposals, seconds
        self.feedback, self.binary, self.with_solution = feedback, binary, with_solution
        self.searches = searches or {}
        self._tasks = read_tasks(self.data, self.sets)
        self._texts = read_texts(self.data, self.sets)

    def tasks(self) -> Sequence[Task]:
        """Set by set, in the files' order."""
        return self._tasks

    def sampling(self) -> Sampling:
        """As in the paper: greedy, 512 tokens."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """The instructions with a solved example, then what was said."""
        first = protocol.first_prompt(self._texts, task, self.turns, self.proposals, self.feedback)
        return protocol.conversation(first, turns)

    def consult(
        self, task: Task, start: str, turns: Sequence[Turn]
    ) -> tuple[list[Message], Sampling] | None:
        """What the teacher reads after a turn, where there is one."""
        if not self.feedback:
            return None
        reference = task.data["reference"] if self.with_solution else None
        return protocol.teacher_prompt(self._texts, task, turns, reference), protocol.TEACHING

    def passed_on(self, feedback: str) -> str:
        """The teacher's words, or its verdict alone."""
        return protocol.binary(feedback) if self.binary else feedback.rstrip()

    def open(self) -> World:
        """A world without a session yet: many episodes never run a cell."""
        return World(self.turns, self.proposals, self._session, self._check)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """Both scores, from the proposals alone."""
        proposals = [protocol.parse(turn.answer) for turn in episode.turns]
        found = [
            self._check(task, action.text)
            for action in proposals
            if action.kind == "solution" and action.text is not None
        ]
        paper, strict = any(one.paper for one in found), any(one.strict for one in found)
        why = next((one.why for one in found if one.paper != one.strict), "")
        return Verdict(float(paper), float(strict), why if paper != strict else "")

    def gold(self, task: Task) -> Sequence[str]:
        """The reference as a proposal; of code the reference solution."""
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
        """Cells and programs run in the sandbox or not at all."""
        found = probe()
        return found.reason if isinstance(found, Absent) else None

    def _sandbox(self) -> Sandbox:
        found = probe()
        if isinstance(found, Absent):
            raise UserError(f"MINT runs a model's code: {found.reason}")
        return found

    def _session(self, tools: bool = True) -> PythonSession:
        search = Tools(True, self.searches, UNREACHED) if tools else Tools()
        return PythonSession(self._sandbox(), self.seconds, search)

    def _check(self, task: Task, proposal: str) -> Correct:
        return check(task, proposal, self._sandbox(), self._evaluate)

    def _evaluate(self, cell: str) -> str:
        session = self._session(tools=False)
        try:
            return session.run(cell).output
        finally:
            session.close()


SUITE = Mint
RECORDS = recorded.find_runs
