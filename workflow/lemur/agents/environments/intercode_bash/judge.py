"""How close an action's output and files are to those of the gold command."""

import math
from dataclasses import dataclass

from lemur.agents.environment import Verdict
from lemur.agents.episode import Episode
from lemur.agents.intercode import state
from lemur.agents.intercode.similarity import similarity
from lemur.agents.intercode.state import State


@dataclass(frozen=True)
class End:
    """What a command came to. ``output``: None where the original has none (it was malformed)."""

    output: str | None
    files: State


def _parsed(shown: str) -> list[tuple[str, str]] | None:
    """(path, code) as the original reads ``git status``; None where it fails on a blank."""
    words = shown.split()
    if len(words) % 2:
        return None
    return [(words[at + 1], words[at]) for at in range(0, len(words), 2)]


def reward(before: State, agent: End, gold: End) -> float:
    """The original's reward, from 0.01 to 1: files that differ, contents of new files, output.

    Kept as they are: modified files are not compared; new files without a dot in their path are
    compared by ``md5deep``, which its image lacks, so that they always agree; names with blanks.
    """
    changes = [_parsed(state.status(before, each.files)) for each in (agent, gold)]
    if changes[0] is None or changes[1] is None:
        return 0.0
    differing = len(set(changes[0]) ^ set(changes[1]))
    total = 0.01 + round(0.33 * (1 - math.erf(differing)), 2)
    new = [path for path, code in set(changes[0]) & set(changes[1]) if code in ("A", "??", "C")]
    part = 0.33
    if new:
        same = sum(_agrees(path, agent.files, gold.files) for path in new)
        part = round(0.33 * (same / len(new)), 2)
    total += part
    if agent.output is None or gold.output is None:
        alike = float(agent.output == gold.output)
    else:
        alike = similarity(agent.output, gold.output)
    return total + round(0.33 * alike, 2)


def _agrees(path: str, first: State, second: State) -> bool:
    if "." not in path or path.endswith("/") or path.startswith('"'):
        return True  # md5sum and md5deep say the same error on both sides
    return state.resolved(first, path).data == state.resolved(second, path).data


def agrees(before: State, agent: End, gold: End) -> str:
    """Why an action is not the gold's equal: its output line by line, and every file, also modified
    ones; "" where it is."""
    if gold.output is None:
        return "the gold command is malformed"
    if "command not found" in gold.output:
        return "the gold command fails here: " + gold.output.strip().splitlines()[-1]
    if agent.output is None or _lines(agent.output) != _lines(gold.output):
        return "another output"
    now, wanted = state.tracked(agent.files), state.tracked(gold.files)
    if now.keys() != wanted.keys():
        return "other files: " + ", ".join(sorted(now.keys() ^ wanted.keys())[:3])
    changed = sorted(path for path in now if state.differs(now[path], wanted[path]))
    return "other contents: " + ", ".join(changed[:3]) if changed else ""


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def judge(episode: Episode) -> Verdict:
    """Success is a reward of 1 in some turn; strictly, an equal of the gold in some turn."""
    paper = float(any(turn.reward == 1 for turn in episode.turns))
    whys = [turn.info.get("differs", "") for turn in episode.turns if "differs" in turn.info]
    strict = float("" in whys)
    why = "" if strict else next(iter(reversed(whys)), "nothing was executed")
    return Verdict(paper, strict, why)
