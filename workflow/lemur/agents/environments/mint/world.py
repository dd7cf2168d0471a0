"""One episode of MINT: a Python session, proposals that are judged, and turns that are counted.

Of ALFWorld the cells command a game, which ends the episode once it is over, as the original has it
also where it is over without being won; what is proposed there is never right.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Protocol

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.alfworld import protocol as household
from lemur.agents.environments.alfworld.process import Game
from lemur.agents.environments.mint import protocol
from lemur.agents.environments.mint.judge import Correct
from lemur.agents.environments.mint.protocol import Action, Counts
from lemur.agents.sessions.python import Command, PythonSession

SOLVED, WRONG_TWICE, OUT_OF_TURNS = "solved", "wrong twice", "out of turns"


class Begin(Protocol):
    """Makes a session, whose cells may command a game."""

    def __call__(self, *, command: Command | None = None) -> PythonSession: ...


class World(Environment):
    """``begin`` makes a session, ``start`` a game's process; ``check`` judges a proposal as the
    original does."""

    def __init__(
        self,
        turns: int,
        proposals: int,
        begin: Begin,
        check: Callable[[Task, str], Correct],
        start: Callable[[Task], Game],
    ):
        self.turns, self.proposals = turns, proposals
        self.begin, self.check, self.start = begin, check, start
        self.session: PythonSession | None = None
        self.game: Game | None = None
        self.won = self.done = False
        self.task: Task | None = None
        self.counts = Counts()

    def reset(self, task: Task) -> str:
        """There is nothing to see before the first turn, but for a game's room and its task."""
        self.close()
        self.task, self.counts = task, Counts()
        self.won = self.done = False
        if "game" not in task.data:
            return ""
        self.game = self.start(task)
        return household.begins(str(self.game.first.get("observation", "")))

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
        solved = self.done or correct is not None and correct.paper
        end = self._end(solved)
        info |= {"counts": asdict(self.counts)}
        if self.game is not None:
            info |= {"won": self.won, "done": self.done}
        if correct is not None:
            info["correct"] = asdict(correct)
        if end is not None:
            info["end"] = end
        heard = protocol.observation(said, self.counts, self.turns, self.proposals)
        return Step(heard, float(solved), end is not None, info)

    def close(self) -> None:
        """End the session and the game."""
        if self.session is not None:
            self.session.close()
        if self.game is not None:
            self.game.close()
        self.session = self.game = None

    def _session(self) -> PythonSession:
        if self.session is None:
            self.session = self.begin(command=self._command if self.game is not None else None)
        return self.session

    def _command(self, text: str) -> tuple[str, bool]:
        """What the game says to a command; nothing happens once it is over."""
        assert self.game is not None
        if self.done:
            return household.NOTHING, True
        found = self.game.ask({"command": text[: household.LONGEST]})
        self.won, self.done = found.get("won") is True, found.get("done") is True
        return household.shown(str(found.get("observation", ""))), self.done

    def _propose(self, parsed: Action) -> tuple[str, Correct | None]:
        if parsed.text is None:
            return protocol.NO_TAG, None
        assert self.task is not None
        if self.game is not None:
            return protocol.WRONG, Correct(False, False)
        correct = self.check(self.task, parsed.text)
        return protocol.WRONG, correct

    def _end(self, solved: bool) -> str | None:
        if solved:
            return SOLVED
        if self.counts.proposed >= self.proposals:
            return WRONG_TWICE
        return OUT_OF_TURNS if self.counts.total >= self.turns else None
