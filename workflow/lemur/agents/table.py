"""Success rates of agents for a terminal: a row an environment and player, then what was left out."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lemur.agents import scores
from lemur.core.text_table import aligned

HEAD = (
    "environment",
    "player",
    "strict",
    "95% interval",
    "as the original",
    "episodes",
    "turns",
    "ends",
)


def print_table(paths: Iterable[Path], opened: Path | None = None) -> str:
    """The table of ``scores.json`` files; rates are percent of the episodes that could be played.

    ``opened`` is the page that leads to every episode, where there is one.
    """
    rows, notes = [], []
    for path in paths:
        score = scores.read(path)
        place, played = [path.parent.name, score.model], score.played
        name, reached = ", ".join(place), played.reached
        if reached is None:
            rows.append([*place, *["-"] * 3, "0", "-", "-"])
            notes.append(f"{name}: {played.reason}")
        else:
            low, high = reached.strict.interval
            rows.append([
                *place, f"{reached.strict.value:.1f}", f"{low:.1f} to {high:.1f}",
                f"{reached.paper.value:.1f}", str(played.n), f"{reached.turns:.1f}",
                ", ".join(f"{end} {n}" for end, n in reached.ends.items()),
            ])  # fmt: skip
            if reached.worlds:
                notes.append(f"{name}: answered by {', '.join(reached.worlds)}")
            for why, count in reached.why.items():
                notes.append(f"{name}: {count} differ from the original's count: {why}")
        for why, count in Counter(played.left_out.values()).most_common():
            notes.append(f"{name}: {count} left out: {why}")
    if opened is not None:
        notes.append(f"every episode opens from {opened}")
    return "\n".join([*aligned(HEAD, rows), *notes])
