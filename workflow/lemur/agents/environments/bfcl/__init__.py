"""BFCL v4, multi-turn (Patil et al. 2025): functions called over several questions of a user.

Beyond the paper. The state of the backends after each turn is compared with the reference's.
"""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.bfcl import protocol, tasks
from lemur.agents.environments.bfcl.world import BUILD, FINISHED, Backends, World, names, packages
from lemur.agents.episode import Episode, Turn
from lemur.core.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent


class BFCL(Suite):
    """``data`` is the folder ``bfcl_eval/data`` of the wheel, or where the wheel is unpacked; by
    default its environment's. ``steps`` bounds the answers with calls in a turn."""

    name, skill = "bfcl", "function calls over turns"

    def __init__(
        self,
        data: Path | str | None = None,
        categories: Sequence[str] = tasks.CATEGORIES,
        steps: int = protocol.STEPS,
    ):
        site = packages()
        if data is None and site is None:
            raise UserError(f"BFCL: {BUILD}")
        place = Path(data) if data is not None else site
        assert place is not None
        inner = place / "bfcl_eval" / "data"
        folder = inner if inner.is_dir() else place
        self.steps = steps
        self._tasks = tasks.read(folder, categories)

    def tasks(self) -> Sequence[Task]:
        """Category by category."""
        return self._tasks

    def sampling(self) -> Sampling:
        """Nearly greedy, as BFCL asks."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """The functions, questions, answers and results."""
        return protocol.messages(task, turns)

    def open(self) -> World:
        """A world whose process starts with ``reset``."""
        return World(self._backends, self.steps)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """BFCL's own checker. *strict* asks besides that nothing is called in a turn in which the
        reference calls nothing, for which BFCL has a check that it does not use."""
        if episode.end != FINISHED:
            return Verdict(0.0, 0.0, episode.end)
        turns: list[list[list[str]]] = [[] for _ in task.data["gold"]]
        number, known = 0, names(task)
        for turn in episode.turns:
            calls = protocol.parse(turn.answer, known)
            if calls:
                turns[number].append(calls)
            else:
                number += 1
        backends = self._backends()
        try:
            backends.begin(task.data["entry"])
            found = backends.ask({"turns": turns, "gold": task.data["gold"]})
        finally:
            backends.close()
        paper = found.get("valid") is True
        strict = paper and found.get("idle") is True
        why = str(found.get("why") or found.get("error") or "")[:500]
        return Verdict(
            float(paper), float(strict), "calls where none are due" if paper > strict else why
        )

    def gold(self, task: Task) -> Sequence[str]:
        """The reference's calls, and an answer without calls after each turn."""
        functions = [*task.data["functions"], *sum(task.data["later"].values(), [])]
        found = []
        for calls in task.data["gold"]:
            if calls:
                found.append(f"[{', '.join(tasks.by_name(call, functions) for call in calls)}]")
            found.append("That is all.")
        return found

    def unplayable(self, task: Task) -> str | None:
        """The backends run in the sandbox or not at all."""
        found = probe()
        if isinstance(found, Absent):
            return found.reason
        return None if packages() is not None else BUILD

    def _backends(self) -> Backends:
        found = probe()
        if isinstance(found, Absent):
            raise UserError(f"BFCL runs what a model calls: {found.reason}")
        return Backends(found)


SUITE = BFCL
