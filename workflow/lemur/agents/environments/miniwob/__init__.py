"""MiniWoB++: small web pages, each a problem made from a seed, in a real browser.

Beyond the paper: WebArena's actions and prompt where its seven sites are not at hand.
"""

from collections.abc import Sequence

from lemur.agents.browser import protocol
from lemur.agents.browser.process import Browsers, missing
from lemur.agents.browser.world import Manner
from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.miniwob import games, policy
from lemur.agents.environments.miniwob.world import World
from lemur.agents.episode import Episode, Turn

GAMES = (
    "click-button", "click-link", "enter-text", "focus-text", "focus-text-2", "click-checkboxes",
    "click-option", "click-test", "choose-list", "enter-password", "login-user",
)  # fmt: skip
MOST = 12  # answers of a known way


class MiniWoB(Suite):
    """``games`` with the seeds from ``seed`` on, ``episodes`` of each; None takes all games.

    ``steps`` bounds the answers, ``shown`` the tokens of a page, counted by ``tokenizer`` (the path of
    a tokenizer.json) or else by pieces of words.
    """

    name, skill = "miniwob", "digital environment"

    def __init__(
        self,
        games: Sequence[str] | None = GAMES,
        episodes: int = 20,
        seed: int = 0,
        steps: int = protocol.STEPS,
        shown: int = protocol.SHOWN,
        tokenizer: str | None = None,
    ):
        self.manner = Manner(steps, shown, protocol.read_tokenizer(tokenizer))
        self.prompt = protocol.write_prompt(self.manner.form)
        self.browsers = Browsers(())
        self._tasks = _tasks(games, episodes, seed)

    def tasks(self) -> Sequence[Task]:
        """All games of a seed before the next seed."""
        return self._tasks

    def sampling(self) -> Sampling:
        """WebArena's."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """Instructions, two examples, the current page and the previous action."""
        return protocol.messages(self.prompt, start, turns)

    def open(self) -> World:
        """A world that takes a browser with ``reset``."""
        return World(self.browsers, self.manner, games.find_pages())

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """*paper*: the page gave anything, which the literature counts as a success; *strict*: it gave
        all that it can. Both without the discount for time that passes."""
        strict = episode.reward
        why = "a part of the reward counts as success" if 0 < strict < 1 else ""
        return Verdict(float(strict > 0), strict, why or ("" if strict else episode.end))

    def gold(self, task: Task) -> Sequence[str] | None:
        """A known way of the game, for which it is played once; None where none is known."""
        if task.data["game"] not in policy.WAYS:
            return None
        world, answers = self.open(), []
        try:
            seen, done = world.reset(task), False
            while not done and len(answers) < MOST:
                said = policy.answer(task.data["game"], seen, len(answers))
                if said is None:
                    break
                step = world.step(said)
                answers.append(said)
                seen, done = step.observation, step.done
        finally:
            world.close()
        return answers

    def close(self) -> None:
        """End the browsers."""
        self.browsers.close()

    def unplayable(self, task: Task) -> str | None:
        """Games that want more than clicks and keys are named."""
        return games.unplayable(task.data["game"]) or missing()


def _tasks(chosen: Sequence[str] | None, episodes: int, seed: int) -> list[Task]:
    return games.tasks(games.find_pages(), chosen, episodes, seed)


SUITE = MiniWoB
