"""What of a study has been scored so far: the cells that are complete, and the seeds that they fill."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Spec = Mapping[str, Any]
Scored = tuple[str, str, str]  # recipe, model, benchmark


def scored(paths: Iterable[Path]) -> dict[Scored, Path]:
    """Each scores.json of ``results/<recipe>/evaluate/<model>/<benchmark>/`` by what it is of."""
    return {(path.parts[-5], path.parts[-3], path.parts[-2]): path for path in map(Path, paths)}


def wanted(spec: Spec, cell: Mapping[str, Any]) -> list[Scored]:
    """What has to be scored of a cell, at its end and before."""
    found = [(cell["recipe"], cell["model"], benchmark) for benchmark in spec["measures"].values()]
    for step in cell["steps"]:
        for measure in spec["checkpoint_measures"]:
            found.append((cell["recipe"], f"pretrained-step-{step}", spec["measures"][measure]))
    return found


def reduced(spec: Spec, paths: Sequence[Path]) -> dict[str, Any]:
    """The study as far as it has been scored: its finished cells, of each base the seeds of which all
    cells are finished, and the bases that have such a seed; ``planned`` counts all cells."""
    there = scored(paths)
    cells = [cell for cell in spec["cells"] if all(key in there for key in wanted(spec, cell))]
    names = {cell["recipe"] for cell in cells}
    bases = []
    for base in spec["bases"]:
        mine = [cell for cell in spec["cells"] if cell["base"] == base["name"]]
        shared = [cell for cell in mine if cell["model"] == "start"]
        seeds = [
            seed
            for seed in base["seeds"]
            if all(c["recipe"] in names for c in [*shared, *(x for x in mine if x["seed"] == seed)])
        ]
        if seeds:
            bases.append({**base, "seeds": seeds})
    return {**spec, "cells": cells, "bases": bases, "planned": len(spec["cells"])}
