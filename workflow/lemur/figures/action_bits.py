"""Bits per byte of the actions of solved episodes, by the skill that they need: a measure that a small
model moves on too, where its success rates are all near nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents.live_axes import PARTS
from lemur.core.errors import UserError
from lemur.evaluation import intervals
from lemur.evaluation.score import read_scores
from lemur.figures import tables
from lemur.figures.paired import Name, bits_difference, coded

EVERY = "all actions"


def skill(document: str) -> str:
    """The axis of the paper's radar that an action belongs to, by its id (``mint/gsm8k/0/1``); of an
    environment beyond the paper its name."""
    environment, _, rest = document.partition("/")
    place = environment, rest.partition("/")[0]
    for axis, (_, parts) in PARTS.items():
        for part in parts:
            if not part.feedback and {place, (environment, None)} & set(part.places):
                return axis
    return environment


def _row(
    label: str,
    mine: Mapping[Name, tuple[float, int]],
    start: Mapping[Name, tuple[float, int]] | None,
) -> list[Any]:
    bits, sizes = zip(*mine.values(), strict=True)
    low, high = intervals.bootstrap_ratio(bits, sizes)
    apart = bits_difference(mine, start) if start is not None else None
    return [
        label, sum(bits) / sum(sizes), f"{low:.3f} to {high:.3f}", len(mine), sum(sizes),
        apart.words(1, 3) if apart else None,
    ]  # fmt: skip


def table(spec: Mapping[str, Any], paths: Sequence[Path]) -> tables.Table:
    """Skills as groups, all actions first, and in each the models of ``spec["models"]``."""
    listed = {entry["name"]: entry["label"] for entry in spec["models"]}
    found = {
        score.model: coded(score.path) for score in read_scores(paths) if score.value is not None
    }
    for model in found:
        if model not in listed:
            raise UserError(f"scores.json of '{model}', which --spec's models do not name")
    skills = dict.fromkeys(skill(name[1]) for mine in found.values() for name in mine)
    groups = []
    for heading in (EVERY, *sorted(skills)):
        rows, start = [], None
        for model in (name for name in listed if name in found):
            mine = {
                name: value
                for name, value in found[model].items()
                if heading in (EVERY, skill(name[1]))
            }
            rows.append(_row(listed[model], mine, start))
            start = mine if start is None else start
        groups.append((heading, rows))
    first = next(iter(listed.values()))
    heads = [
        tables.Column("Model"),
        tables.Column("Bits per byte", 3),
        tables.Column("95% interval"),
        tables.Column("Actions", 0),
        tables.Column("Bytes", 0),
        tables.Column(f"Minus {first}, same actions"),
    ]
    note = (
        "How many bits a model needs for an action of a solved episode, given the end of what the agent had "
        "read, by the action's UTF-8 bytes; lower is better. Intervals are 95%, by the bootstrap over actions. "
        "Skills are the axes of the paper's radar. That actions are likelier does not show that tasks are solved."
    )
    caption = f"Actions of solved episodes: bits per byte by skill (recipe {spec['recipe']})"
    return tables.Table(caption, heads, groups, [note])


def write(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """The table in four formats, beside ``out`` (.html)."""
    tables.write(table(spec, paths), out)
