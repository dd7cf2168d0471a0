"""Most memory of each corpus stage as the corpus grows, and the stages' rates at its largest."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from bench import inputs
from bench.corpus_stages import Stages
from bench.measured import Cost


def measure_text(paths: list[Path]) -> float:
    """Million bytes of text in parquet files."""
    return (
        sum(len(text.encode()) for p in paths for text in pq.read_table(p)["text"].to_pylist())
        / 1e6
    )


def summed(costs: dict[str, Cost]) -> Cost:
    return sum(costs.values(), Cost())


def memory(recipe: dict, source: Path, folder: Path, ours: Stages, sizes: list[int]) -> list[str]:
    rows = {kind: inputs.rows_of(source / kind) for kind in inputs.KINDS}
    peaks: dict[str, list[int]] = {}
    for size in sizes:
        scaled = folder / f"scaled-{size}"
        for kind in inputs.KINDS:
            inputs.scaled(rows[kind], size / 2, scaled / kind / "part-0-of-1")
        mine = Stages(recipe, scaled, folder / f"out-{size}", ours.model, ours.benchmarks)
        # Words of changed letters are no English.
        mine.less = ("english", "stop_words")
        alone = mine.whole(1)
        for name, cost in alone.items():
            peaks.setdefault(name, []).append(cost.peak)
        if size == sizes[-1]:
            read = measure_text(sorted(scaled.glob("*/*/files/*.parquet")))
            rates = [read / summed(costs).wall for costs in (alone, mine.whole(2))]
        shutil.rmtree(scaled)
        shutil.rmtree(mine.out)
    lines = [
        "## Memory",
        "",
        "Copies of the same documents, each copy's words renamed by a seeded substitution of "
        "letters, so that none is a duplicate of another; one part a kind. Most memory of any one "
        "process, MB:",
        "",
        "| stage | " + " | ".join(f"{size} MB" for size in sizes) + " | growth |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name, its in peaks.items():
        shown = " | ".join(f"{peak / 1e6:.0f}" for peak in its)
        lines.append(f"| {name} | {shown} | {100 * (its[-1] / its[0] - 1):.0f}% |")
    missed = [
        name for name, its in peaks.items() if its[-1] > 1.2 * its[0] or max(its) > 2_000_000_000
    ]
    told = f"missed by {', '.join(missed)}" if missed else "reached by every stage"
    return [
        *lines,
        "",
        f"Goal, growth of at most 20% and a peak of at most 2 GB: {told}.",
        "",
        f"Their rate, starts included, at {sizes[-1]} MB (without the filters for English and stop "
        f"words, which these words would not pass): {rates[0]:.1f} MB/s with one worker, "
        f"{rates[1]:.1f} MB/s with two, {rates[1] / rates[0]:.2f} times.",
        "",
    ]
