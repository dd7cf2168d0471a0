"""RoboCodeGen (Liang et al. 2022, arXiv 2209.07753): functions for robots, judged by their tests."""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.robocodegen import protocol
from lemur.agents.environments.robocodegen import tasks as problems
from lemur.agents.environments.robocodegen.judge import ENVIRONMENT, Found, check, packages
from lemur.agents.environments.robocodegen.world import Attempt, World, judged, root
from lemur.agents.episode import Episode, Turn
from lemur.core.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent


class RoboCodeGen(Suite):
    """``data`` holds ``derived/robocodegen.json``; ``prompt`` names its solved functions.

    ``turns``: tries at a problem. The notebook gives one. With more, the error's text comes back;
    the paper's form over several turns is not published, so that this is assumed (five turns).
    ``helpers`` bounds the functions that are asked for because a try calls them.
    """

    name, skill = "robocodegen", "self-debugging with environment feedback"

    def __init__(
        self, data: Path | str, prompt: str = "hierarchical", turns: int = 1, helpers: int = 8
    ):
        self.data = problems.read(Path(data))
        self.solved = problems.choose(self.data.prompts, prompt)
        self.turns, self.helpers = turns, helpers

    def tasks(self) -> Sequence[Task]:
        """In the notebook's order."""
        return self.data.tasks

    def sampling(self) -> Sampling:
        """As in the notebook: greedy, 512 tokens."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """Solved functions and the line that asks for the next one."""
        return protocol.messages(self.solved, root(task), turns)

    def open(self) -> World:
        """A world that holds texts alone until a try is complete."""
        return World(self.turns, self.helpers, self._check)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """Every complete try is judged again; the best counts, as it ends an episode."""
        attempt, best = Attempt(root(task), self.helpers), Found(False, False, "nothing was judged")
        for turn in episode.turns:
            if attempt.add(turn.answer) is not None:
                continue
            found = judged(attempt, task, self._check)
            best = found if found.paper or not best.paper else best
            attempt = Attempt(root(task), self.helpers)
        return Verdict(float(best.paper), float(best.strict), best.why or best.error)

    def gold(self, task: Task) -> Sequence[str]:
        """The notebook's reference, and the helpers that it calls."""
        reference = task.data["reference"].strip()
        if reference.startswith("lambda"):
            reference = f"{task.id} = {reference}"
        elif reference.startswith("see "):
            reference = self.data.api
        return [reference]

    def unplayable(self, task: Task) -> str | None:
        """Functions run in the sandbox, with numpy and shapely, or not at all."""
        found = probe()
        if isinstance(found, Absent):
            return found.reason
        if packages() is None:
            return f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"
        return None

    def _check(self, task: Task, programs: Sequence[str]) -> Found:
        found = probe()
        if isinstance(found, Absent):
            raise UserError(f"RoboCodeGen runs a model's code: {found.reason}")
        return check(found, self.data.outlines, task, programs)


SUITE = RoboCodeGen
