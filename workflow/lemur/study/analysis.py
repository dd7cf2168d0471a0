"""From the scores of all cells to analysis.json, cells.csv, table.md and verdict.txt."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.core.files import write_json, write_text
from lemur.figures.paired import coded
from lemur.mixture.realised import Realised
from lemur.study import law as laws
from lemur.study import verdict
from lemur.study.finished import reduced, scored, wanted
from lemur.study.statistics import Bits, Estimate, estimate, resampled
from lemur.study.table import table
from lemur.study.tokens import MAIN

Spec = Mapping[str, Any]
COLUMNS = ("cell", "base", "parameters", "seed", "arm", "code_share", "tokens", "code_epochs", "text_epochs", "measure", "bits_per_byte", "documents", "bytes")  # fmt: skip


class Results:
    """Bits of every document, by cell and measure; cells of a base and arm as arrays."""

    def __init__(self, spec: Spec, scores: Sequence[Path]):
        self.spec = spec
        paths = scored(scores)
        short = {benchmark: measure for measure, benchmark in spec["measures"].items()}
        # By the cell's name, after an earlier step by that and the step.
        self.coded: dict[tuple[str, str], dict[Any, tuple[float, int]]] = {}
        for cell in spec["cells"]:
            for recipe, model, benchmark in wanted(spec, cell):
                if (recipe, model, benchmark) not in paths:
                    raise UserError(f"--scores: none of cell {recipe}, model {model}, on {benchmark}")  # fmt: skip
                name = (
                    recipe if model == cell["model"] else earlier(recipe, int(model.split("-")[-1]))
                )
                self.coded[name, short[benchmark]] = coded(paths[recipe, model, benchmark])
        self.documents = {measure: self._documents(measure) for measure in spec["measures"]}

    def _documents(self, measure: str) -> list[Any]:
        """Names of a measure's documents, which must be the same for every cell."""
        names: list[Any] | None = None
        for (cell, of_measure), documents in self.coded.items():
            if of_measure == measure:
                names = sorted(documents) if names is None else names
                if sorted(documents) != names:
                    raise UserError(f"{cell}: {measure}: other documents than other cells have: score it again")  # fmt: skip
        if not names:
            raise UserError(f"{measure}: no document was scored")
        return names

    def seeds(self, base: str) -> list[int]:
        return next(item["seeds"] for item in self.spec["bases"] if item["name"] == base)

    def cell(self, base: str, seed: int, arm: str, share: float | None) -> str:
        """The name of a cell; of a base that no seed has its own of, the one that there is."""
        for item in self.spec["cells"]:
            same = (item["base"], item["arm"], item["share"]) == (base, arm, share)
            if same and (item["seed"] == seed or share is None and item["model"] == "start"):
                return item["recipe"]
        raise UserError(f"--spec: no cell of base {base}, seed {seed}, arm {arm}, share {share}")

    def row(self, cell: str, measure: str) -> np.ndarray:
        found = self.coded[cell, measure]
        return np.array([found[name][0] for name in self.documents[measure]])

    def sizes(self, measure: str) -> np.ndarray:
        found = next(value for (_, name), value in self.coded.items() if name == measure)
        return np.array([found[name][1] for name in self.documents[measure]], float)

    def bits(self, base: str, measure: str, arm: str, shares: Sequence[float]) -> Bits:
        """[seeds, shares, documents]."""
        cells = [[self.cell(base, seed, arm, share) for share in shares] for seed in self.seeds(base)]  # fmt: skip
        coded_bits = np.array([[self.row(name, measure) for name in row] for row in cells])
        return Bits(coded_bits, self.sizes(measure))

    def start(self, base: str, measure: str) -> np.ndarray:
        """Bits of the base itself [seeds, documents]."""
        return np.array([self.row(self.cell(base, seed, MAIN, None), measure) for seed in self.seeds(base)])  # fmt: skip

    def early(self, base: str, measure: str, shares: Sequence[float]) -> tuple[list[int], np.ndarray]:  # fmt: skip
        """Tokens after which the main cells were scored, their end among them, and the bits per byte
        then [points of tokens, shares], means over seeds."""
        batch = self.spec["batch"]
        rows = [[self._cell(self.cell(base, seed, MAIN, share)) for share in shares] for seed in self.seeds(base)]  # fmt: skip
        steps, tokens = rows[0][0]["steps"], rows[0][0]["tokens"]
        total = self.sizes(measure).sum()
        values = [
            [
                [self.row(earlier(cell["recipe"], step), measure).sum() for cell in row]
                for row in rows
            ]
            for step in steps
        ]
        values.append([[self.row(cell["recipe"], measure).sum() for cell in row] for row in rows])
        return [step * batch for step in steps] + [tokens], np.array(values).mean(1) / total

    def _cell(self, name: str) -> Spec:
        return next(cell for cell in self.spec["cells"] if cell["recipe"] == name)


def earlier(recipe: str, step: int) -> str:
    """What a cell is called after an earlier step."""
    return f"{recipe} after step {step}"


def _json(found: Estimate) -> dict[str, list[float]]:
    return {key: [float(x) for x in value] for key, value in asdict(found).items()}


def run(
    spec: Spec, scores: Sequence[Path], realised: Sequence[Path], out: Path, *, so_far: bool = False
) -> None:
    """Write ``out`` (analysis.json) and the three files beside it. ``so_far``: of a study that still
    runs, from the cells that are finished; cells.csv and verdict.txt alone where no seed is."""
    if so_far:
        spec = reduced(spec, scores)
        if not spec["cells"]:
            raise UserError(
                f"study {spec['study']}: none of its {spec['planned']} cells is finished"
            )
    results = Results(spec, scores)
    epochs = {path.parts[-3]: _epochs(read_file(Realised, path)) for path in map(Path, realised)}
    write_text(out.parent / "cells.csv", cells_csv(spec, results, epochs))
    partly = [f"{len(spec['cells'])} of {spec['planned']} cells are finished."] if so_far else []
    if not spec["bases"]:
        lines = [*partly, "No base has a seed of which all cells are: nothing is compared yet."]
        write_text(out.parent / "verdict.txt", "\n".join(lines) + "\n")
        return
    found = analysed(spec, results)
    write_json(out, found)
    write_text(out.parent / "table.md", table(spec, found))
    lines = [*partly, found["verdict"], ""]
    lines += [f"{hypothesis['name']} ({hypothesis['claim']}): {hypothesis['outcome']}: {hypothesis['why']}." for hypothesis in found["hypotheses"]]  # fmt: skip
    lines += ["", "What this does not show:"]
    lines += [f"- missing: {name}: {why}" for name, why in spec["missing"].items()]
    lines += [f"- cut for the hours given: {words}" for words in spec["cut"]]
    lines += [f"- {words}" for words in spec["limits"]]
    write_text(out.parent / "verdict.txt", "\n".join(lines) + "\n")


def analysed(spec: Spec, results: Results) -> dict[str, Any]:
    """Everything that the figure, the table and the verdict are made of, as JSON data."""
    settings = spec["statistics"]
    how = (settings["confidence"], settings["resamples"], settings["seed"])
    shares, number = spec["shares"], spec["shares"].index(spec["reference"])
    bases: dict[str, Any] = {}
    kept: dict[tuple[str, str], tuple[Bits, Estimate, laws.Best]] = {}
    for base in spec["bases"]:
        measures = {}
        for measure in spec["measures"]:
            bits = results.bits(base["name"], measure, MAIN, shares)
            against = estimate(bits.less(bits.bits[:, number]), *how)
            forgotten = estimate(bits.less(results.start(base["name"], measure)), *how)
            fitted, best = _law(bits, shares, base["millions"], how)
            kept[base["name"], measure] = (bits, forgotten, best)
            measures[measure] = {
                "values": bits.values.mean(0).tolist(),
                "of_seeds": bits.values.tolist(),
                "base": float((results.start(base["name"], measure).sum(1) / bits.sizes.sum()).mean()),
                "documents": len(bits.sizes),
                "bytes": int(bits.sizes.sum()),
                "against_reference": _json(against),
                "against_base": _json(forgotten),
                "law": fitted,
                "controls": _controls(spec, results, base["name"], measure, how),
                "over_tokens": _over_tokens(spec, results, base["name"], measure, shares),
            }  # fmt: skip
        bases[base["name"]] = {
            "millions": base["millions"],
            "seeds": len(base["seeds"]),
            "measures": measures,
        }
    outcomes = _outcomes(spec, kept, how)
    largest = _decides(spec)["name"]
    best = kept[largest, spec["primary"]][2]
    lack = f"{len(spec['missing'])} measures or controls are missing" if spec["missing"] else None
    return {
        "study": spec["study"],
        "description": spec["description"],
        "shares": shares,
        "reference": spec["reference"],
        "primary": spec["primary"],
        "equal": settings["equal"],
        "seeds": len(_decides(spec)["seeds"]),
        "bases": bases,
        "over_sizes": _over_sizes(spec, kept),
        "published": spec["published"],
        "hypotheses": [asdict(outcome) for outcome in outcomes],
        "verdict": verdict.sentence(spec["study"], largest, spec["primary"], best, outcomes, lack),
    }


def _law(bits: Bits, shares: Sequence[float], millions: float, how: tuple[float, int, int]) -> tuple[dict[str, Any], laws.Best]:  # fmt: skip
    points, values = laws.points_of(shares, millions), bits.values.mean(0)
    choice = laws.choose(points, values[None])
    law = laws.LAWS[choice.law[0]]
    best = laws.best_share(points, values, resampled(bits, how[1], how[2]), how[0])
    along = laws.points_of(laws.between(points), millions)
    line = laws.fit(law, points, values[None]).predict(along)[0]
    return {
        "name": law.name,
        "source": law.source,
        "left_out_error": {name: float(error[0]) for name, error in choice.errors.items()},
        "left_out": choice.predicted[0].tolist(),
        "line": line.tolist(),
        "best": asdict(best),
    }, best


def _over_sizes(spec: Spec, kept: Mapping[tuple[str, str], tuple[Bits, Estimate, laws.Best]]) -> dict[str, Any] | None:  # fmt: skip
    """Error of the law over sizes on a size that it was fitted without; None below three sizes."""
    if len(spec["bases"]) < 3:
        return None
    found = {}
    for measure in spec["measures"]:
        points = np.concatenate(
            [laws.points_of(spec["shares"], b["millions"]) for b in spec["bases"]]
        )
        values = np.concatenate([kept[b["name"], measure][0].values.mean(0) for b in spec["bases"]])
        predicted = laws.left_out(laws.OVER_SIZES, points, values[None], points[:, 1])[0]
        found[measure] = {
            "measured": values.tolist(),
            "left_out": predicted.tolist(),
            "left_out_error": float(np.abs(predicted - values).mean()),
        }  # fmt: skip
    return {"name": laws.OVER_SIZES.name, "source": laws.OVER_SIZES.source, "measures": found}


def _controls(spec: Spec, results: Results, base: str, measure: str, how: tuple[float, int, int]) -> list[dict[str, Any]]:  # fmt: skip
    """Each control against the main cell of the same share."""
    rows = []
    for arm in spec["arms"]:
        bits = results.bits(base, measure, arm["name"], arm["shares"])
        shared = [share for share in arm["shares"] if share in spec["shares"]]
        if shared != arm["shares"]:
            continue  # compared with the line of the figure alone
        found = estimate(bits.less(results.bits(base, measure, MAIN, shared).bits), *how)
        rows.append({"arm": arm["name"], "shares": arm["shares"], "against_main": _json(found)})
    return rows


def _outcomes(
    spec: Spec,
    kept: Mapping[tuple[str, str], tuple[Bits, Estimate, laws.Best]],
    how: tuple[float, int, int],
) -> list[verdict.Outcome]:
    settings, decides = spec["statistics"], _decides(spec)
    largest = decides["name"]
    short = verdict.enough(len(decides["seeds"]), settings["seeds"])
    fewest = min(len(base["seeds"]) for base in spec["bases"])
    found = []
    for claim in spec["hypotheses"]:
        _, forgotten, best = kept[largest, claim["measure"]]
        if claim["test"] == "best-share-below":
            outcome = verdict.best_share_below(best, claim["share"], short)
        elif claim["test"] == "worse-than-base":
            number = spec["shares"].index(claim["share"])
            outcome = verdict.worse_than_base(forgotten, number, claim["by"], short)
        else:
            apart = {
                base["name"]: _pairs(kept[base["name"], claim["measure"]][0], how)
                for base in spec["bases"]
            }
            outcome = verdict.same_ranking(
                apart, settings["equal"], verdict.enough(fewest, settings["seeds"])
            )
        found.append(verdict.Outcome(claim["name"], claim["claim"], *outcome))
    return found


def _decides(spec: Spec) -> Spec:
    """The base that hypotheses are decided at: the largest that has as many seeds as the design asks
    for; the largest where none has."""
    enough = [b for b in spec["bases"] if len(b["seeds"]) >= spec["statistics"]["seeds"]]
    return (enough or spec["bases"])[-1]


def _over_tokens(spec: Spec, results: Results, base: str, measure: str, shares: Sequence[float]) -> dict[str, Any] | None:  # fmt: skip
    """The law over tokens and share, and how it errs on a number of tokens that it was fitted
    without; None where cells were scored at their end alone."""
    if measure not in spec["checkpoint_measures"]:
        return None
    tokens, values = results.early(base, measure, shares)
    points = np.concatenate([laws.points_of(shares, count / 1e6) for count in tokens])
    found: dict[str, Any] = {"tokens": tokens, "values": values.tolist()}
    if len(tokens) >= 3:
        law = laws.OVER_TOKENS
        predicted = laws.left_out(law, points, values.reshape(1, -1), points[:, 1])[0]
        error = np.abs(predicted - values.ravel()).mean()
        found |= {"name": law.name, "source": law.source, "left_out_error": float(error)}
    return found


def _pairs(bits: Bits, how: tuple[float, int, int]) -> dict[tuple[int, int], tuple[float, float]]:
    """The simultaneous band of the difference of every pair of shares."""
    pairs = list(combinations(range(bits.bits.shape[1]), 2))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    found = estimate(Bits(bits.bits[:, first] - bits.bits[:, second], bits.sizes), *how)
    bands = zip(found.band_low.tolist(), found.band_high.tolist(), strict=True)
    return dict(zip(pairs, bands, strict=True))


def _epochs(realised: Realised) -> dict[str, float]:
    """The most epochs of a source, by kind."""
    found: dict[str, float] = {}
    for source in realised.sources:
        found[source.kind] = max(found.get(source.kind, 0.0), source.epochs)
    return found


def cells_csv(spec: Spec, results: Results, epochs: Mapping[str, Mapping[str, float]]) -> str:
    """Every cell and measure, a row each."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    millions = spec["millions"]
    for cell in spec["cells"]:
        seen = epochs.get(cell["recipe"], {})
        for measure in spec["measures"]:
            at = [(cell["recipe"], cell["tokens"])]
            if measure in spec["checkpoint_measures"]:
                at += [
                    (earlier(cell["recipe"], step), step * spec["batch"]) for step in cell["steps"]
                ]
            for name, tokens in at:
                bits, sizes = results.row(name, measure), results.sizes(measure)
                rows.writerow(
                    [
                        cell["recipe"], cell["base"], round(1e6 * millions[cell["base"]]), cell["seed"],
                        cell["arm"], "" if cell["share"] is None else f"{cell['share']:.6f}", tokens,
                        *(f"{seen[kind]:.4f}" if kind in seen else "" for kind in ("code", "text")),
                        measure, f"{bits.sum() / sizes.sum():.6f}", len(bits), int(sizes.sum()),
                    ]
                )  # fmt: skip
    return text.getvalue()
