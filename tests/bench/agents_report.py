"""The page of make bench-agents."""

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

from bench.ratios import Pace, Ratio, described, processor, ratio

SETS = ("gsm8k", "mbpp")
KEPT, ANEW, ALONE = "kept keys and values", "each turn encoded anew", "one episode at a time, anew"
GOALS = {
    "Python cell": 10.0,
    "SQL query": 5.0,
    "shell command": 50.0,
    "game command": 20.0,
}  # ms of a step
# Over the other two, in episodes an hour.
WANTED = {ANEW: 3.0, ALONE: 2.0}
PACE = Pace(least=3, most=6, within=0.1)

Rows = Mapping[tuple[str, str], Sequence[dict[str, Any]]]  # by set and side, a row a turn


def sides(limit: int) -> dict[str, tuple[int, bool]]:
    """By side: how many episodes go on at once, and whether keys and values are kept."""
    return {KEPT: (limit, True), ANEW: (limit, False), ALONE: (1, False)}


def over(rows: Rows, name: str, side: str) -> Ratio:
    """Episodes an hour with kept keys and values over those of another side."""
    theirs = [row["seconds"] for row in rows[name, side]]
    return ratio(theirs, [row["seconds"] for row in rows[name, KEPT]], PACE.within)


def judged(rows: Rows) -> list[Ratio]:
    """The ratios whose intervals decide when the turns end."""
    return [over(rows, name, side) for name in SETS for side in WANTED]


def page(
    rows: Rows,
    worlds: Mapping[str, tuple[float, float] | str],
    same: Callable[[Any, Any], int],
    args: Any,
) -> str:
    """The page of all turns' rows and of the worlds' steps."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("transformers", "torch"))
    lines = [
        "# Agents: speed",
        "",
        f"`make bench-agents` on {processor()}, {versions}. {args.model.parent.name}, bf16, the first "
        f"{args.limit} tasks of each of MINT's sets, five turns at most, {args.new} new tokens a turn, "
        f"greedy; loading not counted. MINT itself plays one episode at a time; where it asks a server, "
        f"the same engine stands here. Rows are of the turn with the median time. "
        f"{described(judged(rows), PACE)}",
        "",
        "| set | way | episodes at once | episodes an hour | seconds | tokens of prompts encoded | reused | "
        "tokens said | turns | episodes as with kept ones |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (name, side), measured in rows.items():
        row = sorted(measured, key=lambda one: one["seconds"])[(len(measured) - 1) // 2]
        made = row["episodes"]
        said = sum(episode.tokens for episode in made)
        turns = sum(len(episode.turns) for episode in made)
        alike = same(rows[name, KEPT][0]["episodes"], made)
        lines.append(
            f"| {name} | {side} | {sides(args.limit)[side][0]} | "
            f"{3600 * len(made) / row['seconds']:.0f} | {row['seconds']:.1f} | {row['encoded']:,} | "
            f"{row['reused']:,} | {said:,} | {turns} | {alike} of {len(made)} |"
        )
    lines += [
        "",
        "| ratio of episodes an hour | goal | " + " | ".join(SETS) + " |",
        "|---|---:|---:|---:|",
    ]
    for side, goal in WANTED.items():
        found = [over(rows, name, side) for name in SETS]
        cells = " | ".join(f"{one}, {one.verdict(goal)}" for one in found)
        lines.append(f"| {KEPT} to {side} | {goal:.0f} | {cells} |")
    lines += [
        "",
        "## Worlds",
        "",
        f"Median wall time of a step beside the model's, for which {args.pause} seconds stand before each: a "
        "cell that computes next to nothing, a query with its judgement (SQLite), a command in a root of "
        "its own, whose sandbox is started while the model thinks.",
        "",
        "| step | ms | goal |",
        "|---|---:|---:|",
    ]
    for name, found in worlds.items():
        if isinstance(found, str):
            lines.append(f"| {name} | {found} | {GOALS[name]:.0f} |")
        else:
            took, goal = found
            lines.append(
                f"| {name} | {took:.1f}, {'reached' if took <= goal else 'missed'} | {goal:.0f} |"
            )
    return "\n".join(lines) + "\n"
