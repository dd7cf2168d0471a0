"""WebArena: tasks on a shop, its back office, a forum, a code host, a map and an encyclopedia.

The sites are not part of this project: whoever has them names their addresses in a site file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lemur.agents.browser import protocol
from lemur.agents.browser.process import Browsers, missing
from lemur.agents.browser.world import Manner
from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.webarena import judge as judging
from lemur.agents.environments.webarena import sites, tasks, world
from lemur.agents.environments.webarena.asking import open_judge
from lemur.agents.episode import Episode, Turn


class WebArena(Suite):
    """``data`` holds the tasks' file; ``variant``: as Lemur's fork has them, or the original;
    ``codegen``: actions are calls of functions, as in the fork, or the original's brackets; ``sites``
    is the path of a site file.

    ``steps`` bounds the answers, ``shown`` the tokens of a page, counted by ``tokenizer`` (the path of
    a tokenizer.json) or else by pieces of words. ``judge`` is a model behind a server that judges
    answers, ``{model, server}``; without one the tasks that need it are named and left out.
    """

    name, skill = "webarena", "digital environment"

    def __init__(
        self,
        data: Path | str,
        variant: str = "lemur",
        codegen: bool = True,
        sites: str | None = None,
        steps: int = protocol.STEPS,
        shown: int = protocol.SHOWN,
        tokenizer: str | None = None,
        judge: Mapping[str, str] | None = None,
    ):
        self._tasks = tasks.read_tasks(Path(data), variant)
        self.sites = _read_sites(sites)
        self.ask = open_judge(judge)
        form = protocol.Form(codegen)
        self.prompt = protocol.read_original(Path(data), form) or protocol.write_prompt(form)
        self.manner = Manner(steps, shown, protocol.read_tokenizer(tokenizer), form)
        self.browsers = Browsers(self.sites.urls)

    def tasks(self) -> Sequence[Task]:
        """In their file's order."""
        return self._tasks

    def sampling(self) -> Sampling:
        """The original's: temperature 1.0, top_p 0.9."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """Instructions, two examples, the current page and the previous action."""
        return protocol.messages(self.prompt, start, turns)

    def open(self) -> world.World:
        """A world that takes a browser with ``reset``."""
        return world.World(self.browsers, self.manner, self.sites)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """All evaluators."""
        return judging.judge(task.data, episode, self.ask)

    def close(self) -> None:
        """End the browsers."""
        self.browsers.close()

    def unplayable(self, task: Task) -> str | None:
        """A site without an address or a login, a judge that is not there, no browser."""
        if tasks.judged_by_model(task.data["eval"]) and self.ask is None:
            return judging.NO_JUDGE
        pages, login = str(task.data["eval"].get("program_html")), world.login_sites(task)
        asks_shop = "func:shopping_" in pages
        wanted = [*task.data["sites"], *sites.names_in(str(task.data["start_url"]))]
        wanted += [*sites.names_in(pages), *login, *(["shopping"] if asks_shop else [])]
        return (
            self.sites.missing(wanted)
            or self.sites.logged_out(login)
            or (self.sites.closed("shopping") if asks_shop else None)
            or missing()
        )


def _read_sites(path: str | None) -> sites.Sites:
    return sites.read_sites(path)


SUITE = WebArena
