"""Two scores of a recorded game."""

from lemur.agents.environment import Verdict
from lemur.agents.episode import Episode


def judge(episode: Episode) -> Verdict:
    """*paper*: the game said that it is done, which MINT takes for success, and which it also says
    after its last command: a loop of ``look`` solves it. *strict*: the goal is reached."""
    won = any(turn.info.get("won") is True for turn in episode.turns)
    done = any(turn.info.get("done") is True for turn in episode.turns)
    why = "done after its last command without being won" if done and not won else ""
    return Verdict(float(done or won), float(won), why)
