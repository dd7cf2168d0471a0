"""The table of a recipe's agents: every success rate with what it rests on and its episodes."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents.judged import Result, read_result
from lemur.agents.scores import Success
from lemur.core.errors import UserError, nearest
from lemur.core.readable import readable
from lemur.evaluation import intervals
from lemur.figures import tables
from lemur.figures.compared import OPENED
from lemur.figures.paired import Difference

# What a row leads to, beside its scores, and by which word.
FILES = (("episodes", "pages/index.html"), ("records", "episodes.jsonl"),
         ("verdicts", "verdicts.jsonl"))  # fmt: skip
MOST, LONGEST = 6, 160  # reasons that a cell lists, characters of one
KNOWN = "Known solutions (no model): what can be reached on this machine"


def players(spec: Mapping[str, Any]) -> dict[str, str]:
    """What each player is called, by name, from the list ``spec["players"]`` of {name, label}."""
    listed = spec.get("players") if isinstance(spec, Mapping) else None
    if not isinstance(listed, list):
        raise UserError("--spec: players: a list of {name, label}, in the order of the rows")
    return {entry["name"]: entry["label"] for entry in listed}


def read_results(spec: Mapping[str, Any], paths: Sequence[Path]) -> list[Result]:
    """Results in the order of the players and then of ``paths``; one that ``spec`` does not name is
    a ``UserError``."""
    order = list(players(spec))
    found = [read_result(path) for path in paths]
    for result in found:
        if result.model not in order:
            raise UserError(
                f"{result.path}: player '{result.model}' is none of --spec's{nearest(result.model, order)}"
            )
    return sorted(found, key=lambda result: order.index(result.model))


def name_environment(result: Result) -> str:
    """Its name in the recipe, and which engine answered where an environment has several."""
    worlds = result.scores.reached.worlds if result.scores.reached else ()
    return f"{result.name} ({', '.join(worlds)})" if worlds else result.name


def difference(mine: Result, other: Result | None) -> Difference | None:
    """Strict success of one model less another's, on the tasks that both played; None without any.

    The interval is Newcombe's for paired shares, the test McNemar's.
    """
    if other is None:
        return None
    ours, theirs = mine.solved("strict"), other.solved("strict")
    shared = [task for task in ours if task in theirs]
    if not shared:
        return None
    pairs = [ours[task] for task in shared], [theirs[task] for task in shared]
    whole = len(shared) == len(ours) == len(theirs)
    found = intervals.paired_shares(*pairs)
    return Difference(*found, len(shared), whole, intervals.mcnemar(*pairs))


def _listed(counts: Mapping[str, int]) -> str | None:
    """``2 x solved; 1 x out of turns``: the most frequent ones, since reasons may be as many as episodes."""
    order = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{count} x {_line(what)}" for what, count in order[:MOST]]
    if order[MOST:]:
        shown.append(f"{len(order) - MOST} more kinds")
    return "; ".join(shown) or None


def _line(text: str) -> str:
    """A reason, which a world may have worded, as one short line."""
    shown = " ".join(readable(text).split())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _rate(success: Success) -> list[Any]:
    low, high = success.interval
    return [success.value, f"{low:.1f} to {high:.1f}"]


def _row(result: Result, other: Result | None, out: Path) -> list[Any]:
    """One environment of one player; ``other`` is the first model in the same environment."""
    scores, reached = result.scores, result.scores.reached
    left_out = _listed(Counter(scores.left_out.values()))
    folder = os.path.relpath(result.path.resolve().parent, out.resolve().parent)
    links = tuple(tables.Link(word, f"{folder}/{name}") for word, name in FILES)
    if reached is None:
        nothing = [None] * 4
        return [name_environment(result), *nothing, 0, None, None, scores.reason, None, None,
                left_out, links]  # fmt: skip
    apart = difference(result, other)
    why = _listed(reached.why)
    return [
        name_environment(result),
        *_rate(reached.strict),
        *_rate(reached.paper),
        scores.n,
        f"{reached.differs_on}: {why}" if why else "none",
        apart.words() if apart else None,
        _listed(reached.ends),
        reached.turns,
        reached.tokens,
        left_out,
        links,
    ]


def table(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> tables.Table:
    """Models as groups, in the recipe's order, and the known solutions as the last one, apart."""
    named, found = players(spec), read_results(spec, paths)
    models = list(dict.fromkeys(result.model for result in found if not result.known_solutions))
    first = {result.name: result for result in found if models and result.model == models[0]}
    groups = []
    for model in models:
        rows = [
            _row(result, None if model == models[0] else first.get(result.name), out)
            for result in found
            if result.model == model
        ]
        groups.append((named[model], rows))
    known = [_row(result, None, out) for result in found if result.known_solutions]
    groups += [(KNOWN, known)] if known else []
    start = named[models[0]] if models else "the first model"
    return tables.Table(
        caption=f"Agents: success over turns (recipe {spec['recipe']})",
        columns=[
            tables.Column("Environment"),
            tables.Column("Strict, %", 1),
            tables.Column("Strict, 95% interval"),
            tables.Column("As the original, %", 1),
            tables.Column("As the original, 95% interval"),
            tables.Column("n", 0),
            tables.Column("Differ"),
            tables.Column(f"Against {start}, same tasks"),
            tables.Column("Ended"),
            tables.Column("Turns", 1),
            tables.Column("Tokens", 0),
            tables.Column("Left out"),
            tables.Column(OPENED),
        ],
        groups=groups,
        notes=[
            "Success in percent of the n episodes that could be played here, with Wilson's 95% interval. "
            "As the original: by the environment's own rule, its faults kept, which is what published "
            "numbers are; strict: without them; differ: the number of episodes on which the two are not "
            "one, and why. Against: strict, percentage points on the tasks that both played, Newcombe's 95% "
            "interval and McNemar's test. Turns and tokens are means of an episode. What was left out "
            "counts in no rate. Known solutions are said by no model: they show what an environment "
            "lets anybody reach on this machine."
        ],
    )


def write(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """The table in four formats, beside ``out`` (.html)."""
    tables.write(table(spec, paths, out), out)
