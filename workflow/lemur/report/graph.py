"""The DAG by rule as a drawing: a line a rule in running order, an arc for each dependency.

Arcs at the side of a list stay readable on a telephone and on paper, where boxes and arrows of
twenty rules do not. Dependencies that follow from others are left out (transitive reduction).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lemur.report.run import rule_of
from lemur.trace.chain import Job

ROW = 24  # pixels
LEFT = 96  # room for arcs


@dataclass(frozen=True)
class Node:
    """``label`` at (LEFT + 12, ``y``)."""

    label: str
    y: int


@dataclass(frozen=True)
class Graph:
    """Nodes and the path data of arcs. ``words``: the same as text."""

    nodes: Sequence[Node]
    arcs: Sequence[str]
    width: int
    height: int
    words: str


def edges(jobs: Sequence[Job]) -> dict[str, set[str]]:
    """``{rule: rules it reads from}``, transitively reduced."""
    name = {job.number: rule_of(job) for job in jobs}
    direct: dict[str, set[str]] = {rule_of(job): set() for job in jobs}
    for job in jobs:
        direct[rule_of(job)] |= {name[n] for _, _, n in job.inputs if n and name[n] != rule_of(job)}

    def behind(rule: str, seen: set[str]) -> set[str]:
        for above in direct[rule] - seen:
            seen.add(above)
            behind(above, seen)
        return seen

    reach = {rule: behind(rule, set()) for rule in direct}
    return {
        rule: {read for read in reads if not any(read in reach[other] for other in reads - {read})}
        for rule, reads in direct.items()
    }


def _ordered(reads: dict[str, set[str]]) -> list[str]:
    """Rules so that each stands below what it reads, otherwise in the order of ``reads``."""
    order: dict[str, None] = {}

    def visit(rule: str) -> None:
        if rule not in order:
            for read in sorted(reads[rule], key=list(reads).index):
                visit(read)
            order[rule] = None

    for rule in reads:
        visit(rule)
    return list(order)


def draw(jobs: Sequence[Job]) -> Graph | None:
    """The drawing; None without jobs."""
    if not jobs:
        return None
    reads = edges(jobs)
    order = _ordered(reads)
    counts = {rule: sum(rule_of(job) == rule for job in jobs) for rule in order}
    row = {rule: index for index, rule in enumerate(order)}
    nodes = [
        Node(f"{rule}{f' ({counts[rule]:,} jobs)' if counts[rule] > 1 else ''}", ROW * row[rule] + ROW // 2)
        for rule in order
    ]  # fmt: skip
    arcs = []
    for rule in order:
        for read in sorted(reads[rule], key=lambda name: row[name]):
            top, end = ROW * row[read] + ROW // 2, ROW * row[rule] + ROW // 2
            out = LEFT - min(LEFT - 4, 10 + 9 * (row[rule] - row[read]))
            arcs.append(f"M{LEFT} {top}C{out} {top} {out} {end} {LEFT} {end}")
    words = "; ".join(
        f"{rule} reads {', '.join(sorted(reads[rule]))}" if reads[rule] else f"{rule} reads no job"
        for rule in order
    )
    longest = max(len(node.label) for node in nodes)
    return Graph(nodes, arcs, LEFT + 20 + 8 * longest, ROW * len(nodes), f"{words}.")
