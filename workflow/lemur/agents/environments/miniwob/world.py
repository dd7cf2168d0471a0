"""One page of MiniWoB++: it makes its problem from a seed and says what it is worth.

Its files answer in place of a network. Its clock moves by one second with each action, so that the
same actions see the same page however long a model thinks, and its limit of ten seconds is lifted.
"""

from pathlib import Path

from lemur.agents.browser.messages import Begin
from lemur.agents.browser.process import BUILD, Browsers, EpisodeBrowser
from lemur.agents.browser.world import Manner, PageWorld
from lemur.agents.environment import Info, Task, WorldFailed

SITE = "http://miniwob.test"
# The page is marked: one that is left, or loaded anew, would ask another problem.
BEGIN = """(seed) => {
  window.lemurEpisode = true;
  core.EPISODE_MAX_TIME = 86400000;
  Math.seedrandom(seed);
  core.startEpisodeReal();
  for (const name of ['reward-display', 'click-canvas'])
    document.getElementById(name).style.display = 'none';
  const said = core.getUtterance();
  return typeof said === 'string' ? said : said.utterance;
}"""
STATE = """() => window.lemurEpisode !== true ? null
  : {done: WOB_DONE_GLOBAL, reward: WOB_RAW_REWARD_GLOBAL}"""
SOLVED, WRONG, LEFT = "solved", "wrong", "left the page"


class World(PageWorld):
    """``pages``: the games' folder."""

    def __init__(self, browsers: Browsers, manner: Manner, pages: Path | None):
        super().__init__(browsers, manner)
        self.pages = pages

    def settings(self, task: Task) -> Begin:
        """The pages alone, with a clock that stands still."""
        if self.pages is None:
            raise WorldFailed(BUILD)
        return Begin((SITE,), folder=str(self.pages), clock=True, repeats=True)

    def begin(self, task: Task, episode: EpisodeBrowser) -> str:
        """Load the game and have it make its problem; what it asks."""
        loaded = episode.goto(f"{SITE}/miniwob/{task.data['game']}.html")
        found = episode.evaluate(BEGIN, str(task.data["seed"]), first=True)
        if not isinstance(found.value, str):
            why = loaded.failed or found.failed or "it does not say what is asked"
            raise WorldFailed(f"the game '{task.data['game']}' does not begin: {why}")
        return found.value

    def look(self, episode: EpisodeBrowser, info: Info) -> float:
        """What the page says that it is worth, from 0 to 1, once it is over."""
        state = episode.evaluate(STATE, first=True).value
        if state is None:
            info["end"] = LEFT
            return 0.0
        if not state["done"]:
            return 0.0
        reward = max(0.0, min(1.0, float(state["reward"])))
        info |= {"end": SOLVED if reward == 1 else WRONG, "raw_reward": state["reward"]}
        return reward
