"""The comparison as lines for a terminal."""

from collections.abc import Sequence

from lemur.core.text_table import aligned
from lemur.cost.hours import hours
from lemur.cost.recipe import planned
from lemur.cost.summary import duration
from lemur.diff.side import Side
from lemur.diff.stages import Change, changes
from lemur.figures.paired import difference
from lemur.report.differences import ABSENT, compared

MOST = 120  # values shown; a change of corpus is hundreds
LONGEST = 60  # characters of a value


def lines(first: Side, second: Side) -> list[str]:
    """Values that differ, stages that make something else, hours by the plan, paired differences."""
    rows = compared(first.resolved, second.resolved, LONGEST)
    changed, same = changes(first.resolved, second.resolved)
    parts = [
        *_values(first, second, rows),
        "",
        *_stages(second, changed, same),
        "",
        *_hours(first, second),
        "",
        *_scores(first, second, {change.stage for change in changed}),
    ]
    return [line.rstrip() for line in parts]


def _values(first: Side, second: Side, rows: Sequence[tuple[str, str, str]]) -> list[str]:
    if not rows:
        return [f"{first.name} and {second.name} have the same values"]
    rows = _whole(rows)
    shown = [f"{len(rows)} values differ ({first.name} \N{RIGHTWARDS ARROW} {second.name}):"]
    for key, mine, theirs in rows[:MOST]:
        shown.append(f"  {key}: {mine} \N{RIGHTWARDS ARROW} {theirs}")
    return [*shown, *([f"  and {len(rows) - MOST} more"] if len(rows) > MOST else [])]


def _whole(rows: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """A source that only one side has is one line, not one for each of its values."""
    # A named entry of a list has its own name as a value.
    alone = {
        key.removesuffix(".name"): (mine, theirs)
        for key, mine, theirs in rows
        if key.endswith(".name") and key.count(".") == 3 and ABSENT in (mine, theirs)
    }
    found: dict[str, tuple[str, str, str]] = {}
    for key, mine, theirs in rows:
        entry = next((name for name in alone if key.startswith(f"{name}.")), None)
        if entry is None:
            found[key] = (key, mine, theirs)
        else:
            there = [value if value == ABSENT else "there" for value in alone[entry]]
            found[entry] = (entry, *there)
    return list(found.values())


def _stages(second: Side, changed: Sequence[Change], same: Sequence[str]) -> list[str]:
    if not changed:
        return ["no stage makes anything else"]
    shown = [f"{second.name} may make something else in:"]
    for change in changed:
        jobs = ", ".join(change.jobs[:4])
        more = f" and {len(change.jobs) - 4} more" if len(change.jobs) > 4 else ""
        own = f"its settings{f' ({jobs}{more})' if jobs else ''}" if change.own else ""
        before = f"after {', '.join(change.because)}" if change.because else ""
        shown.append(f"  {change.stage}: {'; '.join(filter(None, (own, before)))}")
    return [*shown, f"the same: {', '.join(same) or 'nothing'}"]


def _hours(first: Side, second: Side) -> list[str]:
    plans = [hours(planned(side.resolved)) for side in (first, second)]
    rows = [
        [stage, *(duration(getattr(plan, stage)) for plan in plans)]
        for stage in ("pretrain", "sft", "evaluate")
    ]
    devices = [f"{side.name} ({plan.device})" for side, plan in zip((first, second), plans, strict=True)]  # fmt: skip
    return ["time of one device by the plan:", *aligned(("stage", *devices), rows)]


def _scores(first: Side, second: Side, changed: set[str]) -> list[str]:
    missing = [side.name for side in (first, second) if not side.scores]
    if missing:
        return [
            f"no scores of {' and '.join(missing)} are in results/: nothing to compare in pairs"
        ]
    rows = []
    # Held-out documents are known by their number: others of the same number are others.
    other_documents = "heldout" in changed
    skipped = 0
    for key in first.scores.keys() & second.scores.keys():
        benchmark, model = key
        bits = second.scores[key].is_bits
        if bits and other_documents:
            skipped += 1
            continue
        mine, other = second.scores[key], first.scores[key]
        apart = difference(mine, other)
        if apart is not None:
            scale, digits = (1, 3) if bits else (100, 1)
            values = [f"{score.value * scale:.{digits}f}" for score in (other, mine)]
            rows.append([benchmark, model, *values, apart.words(scale, digits), str(apart.n)])
    shown = [f"{skipped} scores of held-out documents: the two runs hold out other ones"] if skipped else []  # fmt: skip
    if not rows:
        return [*shown, "no score of both is of the same problems"]
    head = ("benchmark", "model", first.name, second.name, "difference on the same problems", "n")
    return ["scores, the second less the first with its 95% interval:", *aligned(head, sorted(rows)), *shown]  # fmt: skip
