"""Every cell and measure of a study as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from lemur.core.contracts import read_file
from lemur.mixture.realised import Realised
from lemur.study.analysis_spec import AnalysisSpec
from lemur.study.results import Results, earlier

COLUMNS = ("cell", "base", "parameters", "seed", "arm", "code_share", "tokens", "code_epochs", "text_epochs", "measure", "bits_per_byte", "documents", "bytes")  # fmt: skip


def epochs(realised: Sequence[Path]) -> dict[str, dict[str, float]]:
    """The most epochs of a source, by cell and kind, from the realised.json of each cell's mixture."""
    found: dict[str, dict[str, float]] = {}
    for path in map(Path, realised):
        seen = found.setdefault(path.parts[-3], {})
        for source in read_file(Realised, path).sources:
            seen[source.kind] = max(seen.get(source.kind, 0.0), source.epochs)
    return found


def cells_csv(
    spec: AnalysisSpec, results: Results, seen_epochs: Mapping[str, Mapping[str, float]]
) -> str:
    """Every cell and measure, a row each."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for cell in spec.cells:
        seen = seen_epochs.get(cell.recipe, {})
        for measure in spec.order:
            at = [(cell.recipe, cell.tokens)]
            if measure in spec.checkpoint_measures:
                at += [(earlier(cell.recipe, step), step * spec.batch) for step in cell.steps]
            for name, tokens in at:
                bits, sizes = results.row(name, measure), results.sizes(measure)
                rows.writerow(
                    [
                        cell.recipe, cell.base, round(1e6 * spec.millions[cell.base]), cell.seed,
                        cell.arm, "" if cell.share is None else f"{cell.share:.6f}", tokens,
                        *(f"{seen[kind]:.4f}" if kind in seen else "" for kind in ("code", "text")),
                        measure, f"{bits.sum() / sizes.sum():.6f}", len(bits), int(sizes.sum()),
                    ]
                )  # fmt: skip
    return text.getvalue()
