"""The world of one episode in a browser: an answer's action, what is seen after it, and when it ends."""

from abc import abstractmethod
from dataclasses import dataclass, replace

from tokenizers import Tokenizer

from lemur.agents.browser import protocol
from lemur.agents.browser.actions import Action
from lemur.agents.browser.messages import Begin
from lemur.agents.browser.process import Browsers, EpisodeBrowser
from lemur.agents.environment import Environment, Info, Step, Task

STOPPED = "stopped"


@dataclass(frozen=True)
class Manner:
    """``steps`` bounds the answers, ``shown`` the tokens of a page, as ``tokenizer`` counts them;
    ``form``: how actions are written."""

    steps: int
    shown: int
    tokenizer: Tokenizer | None
    form: protocol.Form = protocol.Form()


class PageWorld(Environment):
    """What environments in a browser share; each says how a page begins and what it is worth."""

    def __init__(self, browsers: Browsers, manner: Manner):
        self.browsers, self.manner = browsers, manner
        self.episode: EpisodeBrowser | None = None

    def reset(self, task: Task) -> str:
        """Take a browser and begin the task in it."""
        self.close()
        self.task, self.stops = task, protocol.Stops(self.manner.steps)
        self.episode = EpisodeBrowser(self.browsers, self.settings(task))
        self.objective = self.begin(task, self.episode)
        self.page = self.episode.observe()
        return self.seen()

    def step(self, action: str) -> Step:
        """Take the action of an answer, if it holds one."""
        assert self.episode is not None
        parsed = self.manner.form.parse(action)
        info = self.manner.form.record(parsed, self.page.lines)
        over = self.stops.add(parsed)
        reward = 0.0
        if parsed is not None and parsed.kind == "stop":
            info |= {"end": STOPPED, "answer": parsed.text}
        elif parsed is not None:
            self.page = self.episode.act(self.inward(parsed))
            info["failed"] = self.page.failed
            reward = self.look(self.episode, info)
        if "end" not in info and over is not None:
            info |= {"end": over, "answer": protocol.EARLY + over}
        seen = self.seen()
        if "end" in info:
            self.finish(self.episode, info)
        return Step(seen, reward, "end" in info, info)

    def seen(self) -> str:
        """What the model is told of the page."""
        tree = protocol.cut(self.page.tree, self.manner.shown, self.manner.tokenizer)
        return protocol.shown(self.page, self.outward(self.page.url), self.objective, tree)

    def close(self) -> None:
        """Close the episode's context."""
        if self.episode is not None:
            self.episode.close()
        self.episode = None

    @abstractmethod
    def settings(self, task: Task) -> Begin:
        """What the tabs are given. ``WorldFailed`` where they cannot be had."""

    @abstractmethod
    def begin(self, task: Task, episode: EpisodeBrowser) -> str:
        """Load the task's first page; its objective. ``WorldFailed`` where it does not load."""

    def look(self, episode: EpisodeBrowser, info: Info) -> float:
        """The reward after an action; may set ``info["end"]``."""
        return 0.0

    def finish(self, episode: EpisodeBrowser, info: Info) -> None:
        """Keep what a judge needs of the last state."""

    def outward(self, url: str) -> str:
        """An address as the model is told of it."""
        return url

    def inward(self, action: Action) -> Action:
        """An action with addresses as the browser finds them."""
        return replace(action)
