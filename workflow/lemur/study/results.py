"""The scores of a study's cells, document by document."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lemur.core.errors import UserError
from lemur.figures.paired import Name, coded
from lemur.study.analysis_spec import AnalysisSpec, CellSpec
from lemur.study.finished import scored, wanted
from lemur.study.statistics import Bits
from lemur.study.tokens import MAIN


class Results:
    """Bits of every document, by cell and measure; cells of a base and arm as arrays."""

    def __init__(self, spec: AnalysisSpec, scores: Sequence[Path]):
        self.spec = spec
        paths = scored(scores)
        short = {benchmark: measure for measure, benchmark in spec.measures.items()}
        # By the cell's name, after an earlier step by that and the step.
        self.coded: dict[tuple[str, str], dict[Name, tuple[float, int]]] = {}
        for cell in spec.cells:
            for recipe, model, benchmark in wanted(spec, cell):
                if (recipe, model, benchmark) not in paths:
                    raise UserError(f"--scores: none of cell {recipe}, model {model}, on {benchmark}")  # fmt: skip
                step = dict(cell.models).get(model)
                name = recipe if step is None else earlier(recipe, step)
                self.coded[name, short[benchmark]] = coded(paths[recipe, model, benchmark])
        self.documents = {measure: self._documents(measure) for measure in spec.measures}

    def _documents(self, measure: str) -> list[Name]:
        """Names of a measure's documents, which must be the same for every cell."""
        names: list[Name] | None = None
        for (cell, of_measure), documents in self.coded.items():
            if of_measure == measure:
                names = sorted(documents) if names is None else names
                if sorted(documents) != names:
                    raise UserError(f"{cell}: {measure}: other documents than other cells have: score it again")  # fmt: skip
        if not names:
            raise UserError(f"{measure}: no document was scored")
        return names

    def seeds(self, base: str) -> tuple[int, ...]:
        return next(item.seeds for item in self.spec.bases if item.name == base)

    def cell(self, base: str, seed: int, arm: str, share: float | None) -> CellSpec:
        """The cell at a share; of a base that no seed has its own of, the one that there is."""
        for item in self.spec.cells:
            same = (item.base, item.arm, item.share) == (base, arm, share)
            if same and (item.seed == seed or share is None and item.model == "start"):
                return item
        raise UserError(f"--spec: no cell of base {base}, seed {seed}, arm {arm}, share {share}")

    def row(self, name: str, measure: str) -> np.ndarray:
        """Bits of a cell's documents; ``name`` is its recipe, or :func:`earlier` of that."""
        found = self.coded[name, measure]
        return np.array([found[document][0] for document in self.documents[measure]])

    def sizes(self, measure: str) -> np.ndarray:
        found = next(value for (_, name), value in self.coded.items() if name == measure)
        return np.array([found[name][1] for name in self.documents[measure]], float)

    def bits(self, base: str, measure: str, arm: str, shares: Sequence[float]) -> Bits:
        """[seeds, shares, documents]."""
        cells = [[self.cell(base, seed, arm, share) for share in shares] for seed in self.seeds(base)]  # fmt: skip
        coded_bits = np.array([[self.row(cell.recipe, measure) for cell in row] for row in cells])
        return Bits(coded_bits, self.sizes(measure))

    def start(self, base: str, measure: str) -> np.ndarray:
        """Bits of the base itself [seeds, documents]."""
        return np.array([self.row(self.cell(base, seed, MAIN, None).recipe, measure) for seed in self.seeds(base)])  # fmt: skip

    def early(self, base: str, measure: str, shares: Sequence[float]) -> tuple[list[int], np.ndarray]:  # fmt: skip
        """Tokens after which the main cells were scored, their end among them, and the bits per byte
        then [points of tokens, shares], means over seeds."""
        rows = [[self.cell(base, seed, MAIN, share) for share in shares] for seed in self.seeds(base)]  # fmt: skip
        first = rows[0][0]
        values = [
            [[self.row(earlier(cell.recipe, step), measure).sum() for cell in row] for row in rows]
            for step in first.steps
        ]
        values.append([[self.row(cell.recipe, measure).sum() for cell in row] for row in rows])
        tokens = [step * self.spec.batch for step in first.steps] + [first.tokens]
        return tokens, np.array(values).mean(1) / self.sizes(measure).sum()


def earlier(recipe: str, step: int) -> str:
    """What a cell is called after an earlier step."""
    return f"{recipe} after step {step}"
