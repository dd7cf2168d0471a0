"""One episode of MINT: a Python session, proposals that are judged, and turns that are counted."""

from collections.abc import Callable
from dataclasses import asdict, replace

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.mint import protocol
from lemur.agents.environments.mint.judge import Correct
from lemur.agents.environments.mint.protocol import Action, Counts
from lemur.agents.sessions.python import PythonSession

SOLVED, WRONG_TWICE, OUT_OF_TURNS = "solved", "wrong twice", "out of turns"


class World(Environment):
    """``begin`` makes a session; ``check`` judges a proposal as the original does."""

    def __init__(
        self,
        turns: int,
        proposals: int,
        begin: Callable[[], PythonSession],
        check: Callable[[Task, str], Correct],
    ):
        self.turns, self.proposals = turns, proposals
        self.begin, self.check = begin, check
        self.session: PythonSession | None = None
        self.task: Task | None = None
        self.counts = Counts()

    def reset(self, task: Task) -> str:
        """There is nothing to see before the first turn."""
        self.close()
        self.task, self.counts = task, Counts()
        return ""

    def step(self, action: str) -> Step:
        """Run a cell, judge a proposal, or say that neither was found."""
        parsed = protocol.parse(action)
        correct, info = None, {"action": asdict(parsed)}
        if parsed.kind == "solution":
            self.counts = replace(self.counts, proposed=self.counts.proposed + 1)
            said, correct = self._propose(parsed)
        elif parsed.kind == "execute":
            self.counts = replace(self.counts, executed=self.counts.executed + 1)
            cell = self._session().run(parsed.text or "")
            said = protocol.shown(cell.output)
            info |= {"seconds": round(cell.seconds, 3), "searched": list(cell.searched)}
        else:
            self.counts = replace(self.counts, invalid=self.counts.invalid + 1)
            said = protocol.NO_TAG
        solved = correct is not None and correct.paper
        end = self._end(solved)
        info |= {"counts": asdict(self.counts)}
        if correct is not None:
            info["correct"] = asdict(correct)
        if end is not None:
            info["end"] = end
        heard = protocol.observation(said, self.counts, self.turns, self.proposals)
        return Step(heard, float(solved), end is not None, info)

    def close(self) -> None:
        """End the session."""
        if self.session is not None:
            self.session.close()
        self.session = None

    def _session(self) -> PythonSession:
        if self.session is None:
            self.session = self.begin()
        return self.session

    def _propose(self, parsed: Action) -> tuple[str, Correct | None]:
        if parsed.text is None:
            return protocol.NO_TAG, None
        assert self.task is not None
        correct = self.check(self.task, parsed.text)
        return protocol.WRONG, correct

    def _end(self, solved: bool) -> str | None:
        if solved:
            return SOLVED
        if self.counts.proposed >= self.proposals:
            return WRONG_TWICE
        return OUT_OF_TURNS if self.counts.total >= self.turns else None
