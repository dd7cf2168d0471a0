"""The page of make bench-agents."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from bench.ratios import Pace, Ratio, described, processor, ratio

SETS = ("gsm8k", "mbpp")
KEPT, ANEW = "our engine, kept keys and values", "our engine, each turn encoded anew"
MINT = "vLLM's server, one episode at a time (MINT's way)"
SERVED = "vLLM's server, our driver"
INSPECT = "vLLM's server, Inspect"
# Milliseconds of a step.
GOALS = {"Python cell": 10.0, "SQL query": 5.0, "shell command": 50.0, "game command": 20.0}
# (way, over which other way in episodes an hour, at least how many times).
WANTED = ((KEPT, ANEW, 3.0), (KEPT, MINT, 2.0), (KEPT, INSPECT, 1.0), (SERVED, INSPECT, 1.0))
PACE = Pace(least=3, most=6, within=0.1, seconds=1_500.0)


@dataclass(frozen=True)
class Row:
    """One way's measurement: ``seconds``, each episode's answers, the tokens of all of them; of our engine
    also how many tokens of prompts were ``encoded``, and how many ``reused``."""

    seconds: float
    said: tuple[tuple[str, ...], ...]
    tokens: int
    encoded: int | None = None
    reused: int | None = None


Rows = Mapping[tuple[str, str], Sequence[Row]]  # by set and way, a row a turn


def over(rows: Rows, name: str, way: str, other: str) -> Ratio | None:
    """Episodes an hour of one way over those of another; None where one of them is missing."""
    if (name, way) not in rows or (name, other) not in rows:
        return None
    theirs = [row.seconds for row in rows[name, other]]
    return ratio(theirs, [row.seconds for row in rows[name, way]], PACE.within)


def judged(rows: Rows) -> list[Ratio]:
    """The ratios whose intervals decide when the turns end."""
    found = [over(rows, name, way, other) for name in SETS for way, other, _ in WANTED]
    return [each for each in found if each is not None]


def page(
    rows: Rows,
    worlds: Mapping[str, tuple[float, float] | str],
    missing: Sequence[str],
    args: argparse.Namespace,
) -> str:
    """The page of all turns' rows and of the worlds' steps."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("transformers", "torch"))
    lines = [
        "# Agents: speed",
        "",
        f"`make bench-agents` on {processor()}, {versions}. {args.model.parent.name}, bf16, the first "
        f"{args.limit} tasks of each of MINT's sets, five turns at most, {args.new} new tokens a turn, "
        f"greedy, {args.limit} episodes at once where not one; loading and compiling not counted. vLLM's "
        f"server keeps what prompts have in common within a measurement, and nothing from one to the next; "
        f"Inspect asks it in the same prompts and plays in the same worlds, and writes its log. Rows are of "
        f"the turn with the median time. {described(judged(rows), PACE)}",
        *(f"\n{why}" for why in missing),
        *([f"\n{args.note}"] if args.note else []),
        "",
        "| set | way | episodes an hour | seconds | tokens of prompts encoded | reused | tokens said | turns | "
        "episodes as with kept ones |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (name, way), measured in rows.items():
        row = sorted(measured, key=lambda each: each.seconds)[(len(measured) - 1) // 2]
        kept = rows[name, KEPT][0].said
        alike = sum(mine == theirs for mine, theirs in zip(row.said, kept, strict=True))
        counts = ["" if count is None else f"{count:,}" for count in (row.encoded, row.reused)]
        lines.append(
            f"| {name} | {way} | {3600 * len(row.said) / row.seconds:.0f} | {row.seconds:.1f} | "
            f"{' | '.join(counts)} | {row.tokens:,} | {sum(map(len, row.said))} | "
            f"{alike} of {len(kept)} |"
        )
    lines += [
        "",
        "| ratio of episodes an hour | goal | " + " | ".join(SETS) + " |",
        "|---|---:|---:|---:|",
    ]
    for way, other, goal in WANTED:
        found = [over(rows, name, way, other) for name in SETS]
        cells = " | ".join(
            "not measured" if each is None else f"{each}, {each.verdict(goal)}" for each in found
        )
        lines.append(f"| {way}, to {other} | {goal:.0f} | {cells} |")
    lines += [
        "",
        "## Worlds",
        "",
        f"Wall time of a step beside the model's, for which {args.pause} seconds stand before each: a "
        "cell that computes next to nothing, a query with its judgement (SQLite), a command in a root of "
        "its own, whose sandbox is started while the model thinks, `look` in a game. The median, and the "
        "fastest, which says what a step takes where nothing else runs.",
        "",
        "| step | median ms | fastest ms | goal |",
        "|---|---:|---:|---:|",
    ]
    for name, found in worlds.items():
        goal = f"{GOALS[name]:.0f}"
        if isinstance(found, str):
            lines.append(f"| {name} | {found} | | {goal} |")
        else:
            median, fastest = found
            verdict = "reached" if median <= GOALS[name] else "missed"
            lines.append(f"| {name} | {median:.1f}, {verdict} | {fastest:.1f} | {goal} |")
    return "\n".join(lines) + "\n"
