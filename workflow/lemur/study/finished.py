"""What of a study has been scored so far: the cells that are complete, and the seeds that they fill."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lemur.study.analysis_spec import AnalysisSpec, CellSpec

Scored = tuple[str, str, str]  # recipe, model, benchmark


def scored(paths: Iterable[Path]) -> dict[Scored, Path]:
    """Each scores.json of ``results/<recipe>/evaluate/<model>/<benchmark>/`` by what it is of."""
    return {(path.parts[-5], path.parts[-3], path.parts[-2]): path for path in map(Path, paths)}


def wanted(spec: AnalysisSpec, cell: CellSpec) -> list[Scored]:
    """What has to be scored of a cell, at its end and before."""
    found = [(cell.recipe, cell.model, benchmark) for benchmark in spec.measures.values()]
    for model, _ in cell.models:
        for measure in spec.checkpoint_measures:
            found.append((cell.recipe, model, spec.measures[measure]))
    return found


def reduced(spec: AnalysisSpec, paths: Sequence[Path]) -> AnalysisSpec:
    """The study as far as it has been scored: its finished cells, of each base the seeds of which all
    cells are finished, and the bases that have such a seed."""
    there = scored(paths)
    cells = tuple(cell for cell in spec.cells if all(key in there for key in wanted(spec, cell)))
    names = {cell.recipe for cell in cells}
    bases = []
    for base in spec.bases:
        mine = [cell for cell in spec.cells if cell.base == base.name]
        shared = [cell for cell in mine if cell.model == "start"]
        seeds = tuple(
            seed
            for seed in base.seeds
            if all(c.recipe in names for c in [*shared, *(x for x in mine if x.seed == seed)])
        )
        if seeds:
            bases.append(replace(base, seeds=seeds))
    return replace(spec, cells=cells, bases=tuple(bases))
