"""Success rates of agents for a terminal: a row an environment and player, then what was left out."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lemur.core.files import read_json
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
        score: dict[str, Any] = read_json(path)
        name = f"{path.parent.name}, {score['model']}"
        if not score["judged"]:
            rows.append([path.parent.name, score["model"], *["-"] * 3, "0", "-", "-"])
            notes.append(f"{name}: {score['reason']}")
        else:
            low, high = score["strict"]["interval"]
            rows.append([
                path.parent.name, score["model"], f"{score['strict']['value']:.1f}",
                f"{low:.1f} to {high:.1f}", f"{score['paper']['value']:.1f}", str(score["n"]),
                f"{score['turns']:.1f}", ", ".join(f"{end} {n}" for end, n in score["ends"].items()),
            ])  # fmt: skip
            if score["worlds"]:
                notes.append(f"{name}: answered by {', '.join(score['worlds'])}")
            for why, count in score["why"].items():
                notes.append(f"{name}: {count} differ from the original's count: {why}")
        for why, count in Counter(score["left_out"].values()).most_common():
            notes.append(f"{name}: {count} left out: {why}")
    if opened is not None:
        notes.append(f"every episode opens from {opened}")
    return "\n".join([*aligned(HEAD, rows), *notes])
