"""One task: the sites that it begins on, and what is kept of the last state."""

from dataclasses import replace

from lemur.agents.browser.actions import Action
from lemur.agents.browser.messages import Begin
from lemur.agents.browser.process import Browsers, EpisodeBrowser
from lemur.agents.browser.world import Manner, PageWorld
from lemur.agents.environment import Info, Task, WorldFailed
from lemur.agents.environments.webarena import evidence
from lemur.agents.environments.webarena.sites import Sites
from lemur.agents.environments.webarena.tasks import AND


def login_sites(task: Task) -> list[str]:
    """The sites at which the task wants somebody to be logged in, by the name of the original's file
    of cookies (``./.auth/gitlab.reddit_state.json``)."""
    name = str(task.data.get("storage_state") or "").rpartition("/")[2]
    return [site for site in name.removesuffix("_state.json").split(".") if site]


class World(PageWorld):
    """The sites keep what an episode changes on them: whoever sets them up resets them."""

    def __init__(self, browsers: Browsers, manner: Manner, sites: Sites):
        super().__init__(browsers, manner)
        self.sites = sites

    def settings(self, task: Task) -> Begin:
        """All sites, and who is logged in."""
        state = self.sites.state(login_sites(task))
        return Begin(tuple(self.sites.urls), state=state)

    def begin(self, task: Task, episode: EpisodeBrowser) -> str:
        """Open the first pages, each in a tab, and look at the first."""
        for number, url in enumerate(task.data["start_url"].split(AND)):
            if number:
                episode.act(Action("new_tab"))
            if failed := episode.goto(self.sites.fill(url)).failed:
                raise WorldFailed(f"{self.sites.fill(url)} does not load: {failed}")
        episode.act(Action("tab_focus", 0))
        return str(task.data["intent"])

    def finish(self, episode: EpisodeBrowser, info: Info) -> None:
        """Gather what the judges need."""
        info["evidence"] = evidence.gather(self.task.data, self.sites, episode)

    def outward(self, url: str) -> str:
        """The name that a site has in the original."""
        return self.sites.outward(url)

    def inward(self, action: Action) -> Action:
        """The address that a site has here."""
        if action.kind != "goto":
            return action
        return replace(action, text=self.sites.inward(action.text))
