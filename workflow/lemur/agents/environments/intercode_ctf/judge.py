"""Whether the flag was submitted."""

from lemur.agents.environment import Verdict
from lemur.agents.episode import Episode


def accepted(action: str, gold: str) -> bool:
    """The original's check: the word after the first blank, in any case."""
    words = action.split(" ")
    return len(words) > 1 and words[1].lower() == gold.lower()


def right(action: str, flag: str) -> bool:
    """Whether what is submitted is the flag as it is written."""
    return action.removeprefix("submit").strip() == flag


def judge(episode: Episode) -> Verdict:
    """Success is an accepted flag in some turn; strictly, the flag that the task truly has."""
    paper = float(any(turn.reward == 1 for turn in episode.turns))
    tried = [turn for turn in episode.turns if "right" in turn.info]
    strict = float(any(turn.info["right"] for turn in tried))
    why = "" if strict else "another flag" if tried else "no flag submitted"
    return Verdict(paper, strict, why)
