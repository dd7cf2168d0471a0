"""The paper's tables of agents: tools, self-debugging, feedback and environments, ours beside.

Of each model on record what is counted again, beside it what the paper prints and how that is known;
then what this recipe's own models reached, as far as they played.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents import capabilities, outcomes
from lemur.agents.capabilities import Ended, Pair, Row
from lemur.agents.judged import Result
from lemur.agents.live_axes import PARTS, live_labels
from lemur.agents.rates import Rate
from lemur.evaluation import intervals
from lemur.figures import agent, tables
from lemur.figures.live_agents import players, read_results
from lemur.figures.paired import Difference

# Table to its caption and the axes of the radar that it shows.
TABLES = {
    "tool_table": ("Tools: MINT's reasoning with a Python session", ("Tool augmentation",)),
    "self_debugging_table": ("Self-debugging with feedback of an environment", ("Self-debugging",)),
    "environment_table": (
        "Exploring environments",
        ("Exploring physical environment", "Exploring digital environment"),
    ),
}
FEEDBACK = "feedback_table"
# Group to MINT's category, its sets and the radar's axis that prints it.
CATEGORIES = {
    "Reasoning": ("reasoning", "NL feedback on reasoning"),
    "Code": ("code_generation", "NL feedback on coding"),
    "ALFWorld": ("decision_making", None),
}
RECORDED, LIVE = "recounted from records, or as printed", "this recipe's models"
NOTE = (
    "Success in percent as the original counts, its faults kept; intervals are 95%, Wilson's of pooled "
    "episodes. Printed: the paper's label, with its mark: counted (the records give it, or another number "
    "beside it), transcribed (the mean of printed parts), inferred (a mean whose parts nobody has "
    "published as such). Ended, turns, cells and tokens are of the counted episodes, the last three as means "
    "of an episode; no tag: turns ran out and no answer had held one; context full: the prompt had grown longer "
    "than the model reads. A dash: no records, not printed, or not played."
)


def _range(interval: tuple[float, float] | None) -> str | None:
    return None if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}"


def _reasons(ended: Ended | None) -> str | None:
    if ended is None:
        return None
    order = sorted(ended.reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{count} {reason}" for reason, count in order)


def _cells(row: Row, named: Mapping[str, str], parts: Sequence[str]) -> list[Any]:
    ended = row.ended
    means = [None] * 3 if ended is None else [ended.turns, ended.cells, ended.tokens]
    return [
        named.get(row.model, row.model), *(row.values.get(name) for name in parts), row.value,
        _range(row.interval), row.episodes or None, row.printed, row.mark, row.note or None,
        _reasons(ended), *means,
    ]  # fmt: skip


def _table(
    name: str, spec: Mapping[str, Any], source: Path, counted: Path, results: Sequence[Result]
) -> tables.Table:
    caption, axes = TABLES[name]
    recorded, printed = outcomes.read(counted), agent.parts(source)
    labels = {(label.axis, label.model): label for label in agent.read_labels(source, counted)}
    live = live_labels(results)
    parts = list(dict.fromkeys(part.name for axis in axes for part in PARTS[axis][1]))
    groups = []
    for axis in axes:
        how = PARTS[axis][0]
        theirs = capabilities.recorded_rows(axis, recorded, labels, printed)
        ours = capabilities.live_rows(axis, live)
        for source_of_rows, rows in ((RECORDED, theirs), (LIVE, ours)):
            if rows:
                heading = f"{axis} ({how}): {source_of_rows}"
                groups.append((heading, [_cells(row, players(spec), parts) for row in rows]))
    heads = [
        tables.Column("Model"),
        *(tables.Column(part, 1) for part in parts),
        tables.Column("Axis, %", 2),
        tables.Column("95% interval"),
        tables.Column("Episodes", 0),
        tables.Column("Printed", 2),
        tables.Column("Mark"),
        tables.Column("Rests on"),
        tables.Column("Ended"),
        tables.Column("Turns", 1),
        tables.Column("Cells", 1),
        tables.Column("Tokens", 0),
    ]
    return tables.Table(f"{caption} (recipe {spec['recipe']})", heads, groups, [NOTE])


def _difference(pair: Pair) -> str | None:
    if not (shared := pair.shared):
        return None
    both = [pair.taught[task] for task in shared], [pair.without[task] for task in shared]
    whole = len(shared) == len(pair.taught) == len(pair.without)
    found = intervals.paired_shares(*both)
    return Difference(*found, len(shared), whole, intervals.mcnemar(*both)).words()


def _feedback(
    spec: Mapping[str, Any], source: Path, counted: Path, results: Sequence[Result]
) -> tables.Table:
    """Without and with feedback, in pairs of the same tasks."""
    recorded, named = outcomes.read(counted), players(spec)
    labels = {(label.axis, label.model): label for label in agent.read_labels(source, counted)}
    groups = []
    for heading, (category, axis) in CATEGORIES.items():
        sets = sorted({record.task for record in recorded if record.category == category})
        rows = []
        for pairs in (capabilities.recorded_pairs(category, recorded), capabilities.live_pairs(sets, results)):  # fmt: skip
            for pair in pairs:
                label = labels.get((axis, pair.model)) if axis else None
                before, after = (
                    Rate(sum(side.values()), len(side)) for side in (pair.without, pair.taught)
                )
                first, second = pair.ended
                rows.append(
                    [
                        named.get(pair.model, pair.model), before.percent, _range(before.interval),
                        after.percent, _range(after.interval), _difference(pair), after.total,
                        label.printed if label else None, label.mark if label else None,
                        label.note if label else None, _reasons(first), _reasons(second),
                        first.turns, second.turns, first.tokens, second.tokens,
                    ]
                )  # fmt: skip
        groups.append((f"{heading} ({', '.join(sets)})", rows))
    heads = [
        tables.Column("Model"),
        tables.Column("No feedback, %", 2),
        tables.Column("95% interval"),
        tables.Column("Feedback, %", 2),
        tables.Column("95% interval with feedback"),
        tables.Column("Difference, same tasks"),
        tables.Column("Episodes", 0),
        tables.Column("Printed with feedback", 2),
        tables.Column("Mark"),
        tables.Column("Rests on"),
        tables.Column("Ended without"),
        tables.Column("Ended with"),
        tables.Column("Turns without", 1),
        tables.Column("Turns with", 1),
        tables.Column("Tokens without", 0),
        tables.Column("Tokens with", 0),
    ]
    note = (
        "Records' feedback is GPT-4's, of this recipe's models their teacher's. Difference: percentage points, "
        "Newcombe's 95% interval of paired shares and McNemar's test."
    )
    caption = f"Feedback in words: MINT without and with it (recipe {spec['recipe']})"
    return tables.Table(caption, heads, groups, [note, NOTE])


def write(
    name: str, spec: Mapping[str, Any], source: Path, counted: Path, paths: Sequence[Path], out: Path
) -> None:  # fmt: skip
    """The table ``name`` in four formats, beside ``out`` (.html)."""
    results = read_results(spec, paths)
    if name == FEEDBACK:
        tables.write(_feedback(spec, source, counted, results), out)
    else:
        tables.write(_table(name, spec, source, counted, results), out)
