"""A study expands to recipes before the DAG is built: its bases and its cells.

Every cell is a recipe like any other, so that the pipeline's own rules train, score, kill and
continue it. Cells of one seed start from the same base and draw their documents in the same order:
what a small share takes of a source, a larger one takes too (``lemur.tokenization.pack``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lemur.config import load, names
from lemur.config.recipe import resolve_raw
from lemur.config.values import Values
from lemur.core import contracts
from lemur.core.errors import UserError, nearest
from lemur.cost.architecture import Architecture, parameters
from lemur.study import design as designs
from lemur.study.analysis_spec import AnalysisSpec, ArmSpec, BaseSpec, CellSpec, HypothesisSpec
from lemur.study.budget import Cost, cost_of, fitted
from lemur.study.design import Base, Design, share_name
from lemur.study.tokens import MAIN, arms, cell_tokens, whole_batches

# Added to a seed for the order of a base's own data: in the cells' order, a cell would be shown again
# what its base began with.
OWN_ORDER = 10_000


# What a cell has another of than other cells, by the dotted key of its recipe.
Changes = dict[str, int | float | str | list[int]]


@dataclass(frozen=True)
class Cell:
    """One model that is scored: a base (``share`` None) or its continuation at a share of code.

    ``recipe`` is the recipe's name; ``model`` what evaluation calls its scored model; ``tokens`` those
    that it is trained on after its base; ``steps`` are those after which it is scored before its end.
    """

    recipe: str
    base: str
    seed: int
    arm: str
    share: Fraction | None
    tokens: int
    model: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Study:
    """A design as it is run. ``common`` is the recipe of what all cells share; ``recipes`` are the
    cells' by name; ``cut`` says in words what a budget took away."""

    design: Design
    cells: tuple[Cell, ...]
    common: Values
    recipes: dict[str, Values]
    cost: Cost
    cut: tuple[str, ...]


def expand(config: Mapping[str, Any]) -> Study | None:
    """The study that a command names, ``None`` where it names none; ``UserError`` in one line.

    ``config``: ``study``, and where given ``set`` (values of every cell's recipe) and ``hours``.
    """
    if "study" not in config:
        if "hours" in config:
            raise UserError("config: hours: goes with study=<name>, which is missing")
        return None
    design = designs.read(str(config["study"]))
    design = replace(design, values={**design.values, **(config.get("set") or {})})
    resolved = {base.name: _resolved(design, base) for base in design.bases}
    common = _recipe(design, resolved, design.name, design.bases[0], design.seeds[0], {})
    _check_measures(design, common)
    cut: tuple[str, ...] = ()
    if "hours" in config:
        design, cut = fitted(design, common, float(config["hours"]))
    cells, recipes = _cells(design, resolved, common)
    return Study(design, tuple(cells), common, recipes, cost_of(design, common), cut)


def _check_measures(design: Design, common: Values) -> None:
    known = {item["name"]: item["metric"] for item in common["evaluate"]["benchmarks"]}
    for name, benchmark in design.measures.items():
        where = f"config/studies/{design.name}.yaml: measures.{name}"
        if benchmark not in known:
            raise UserError(f"{where}: recipe '{design.recipe}' does not score '{benchmark}'{nearest(benchmark, known)}")  # fmt: skip
        if known[benchmark] != "bits per byte":
            raise UserError(f"{where}: '{benchmark}' is scored in {known[benchmark]}, not in bits per byte")  # fmt: skip


def _cells(
    design: Design, resolved: dict[str, Values], common: Values
) -> tuple[list[Cell], dict[str, Values]]:
    cells: list[Cell] = []
    recipes: dict[str, Values] = {}
    batch = common["pretrain"]["global_batch_tokens"]
    peak = common["pretrain"]["optimizer"]["learning_rate"]
    for base in design.bases:
        for seed in base.seeds:
            start = _base_cell(design, base, seed)
            if start.recipe not in recipes:
                cells.append(start)
                recipes[start.recipe] = _recipe(
                    design, resolved, start.recipe, base, seed, _base_values(base, batch)
                ) | {"seed": seed + OWN_ORDER}
            for arm in arms(design):
                for share in arm.shares:
                    tokens = cell_tokens(design, base, arm, share, batch)
                    values: Changes = {
                        "pretrain.tokens": tokens,
                        "mixture.code_share": _exact(share),
                        "pretrain.optimizer.learning_rate": float(peak * arm.learning_rate),
                    }
                    if arm.code_lines != "kept":
                        values["mixture.code_lines"] = arm.code_lines
                    at = tuple(max(1, round(tokens // batch * part)) for part in design.checkpoints)
                    steps = at if arm.name == MAIN else ()
                    if steps:
                        values["pretrain.checkpoint.keep_at"] = list(steps)
                    middle = "" if arm.name == MAIN else f"-{arm.name}"
                    name = f"{design.name}-{base.name}-seed-{seed}{middle}-code-{share_name(share)}"
                    recipe = _recipe(design, resolved, name, base, seed, values)
                    if base.pretraining:
                        recipe["base"]["pretrained_by"] = start.recipe
                    cells.append(
                        Cell(name, base.name, seed, arm.name, share, tokens, "pretrained", steps)
                    )
                    recipes[name] = recipe
    for name in recipes:
        names.plain(name, "cell")
    return cells, recipes


def _base_cell(design: Design, base: Base, seed: int) -> Cell:
    if base.pretraining is None:  # published: the same weights for every seed
        return Cell(f"{design.name}-{base.name}-base", base.name, base.seeds[0], MAIN, None, 0, "start")  # fmt: skip
    return Cell(f"{design.name}-{base.name}-seed-{seed}-base", base.name, seed, MAIN, None, 0, "pretrained")  # fmt: skip


def _base_values(base: Base, batch: int) -> Changes:
    if base.pretraining is None:
        return {}
    return {
        "pretrain.tokens": whole_batches(base.pretraining.tokens, batch),
        "mixture.code_share": _exact(base.pretraining.share),
        "mixture.max_epochs": base.pretraining.max_epochs,
    }


def _exact(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


def _resolved(design: Design, base: Base) -> Values:
    """What all cells of a base have in common, checked once: what differs is the design's own."""
    raw = load.with_values(load.raw_recipe(design.recipe), design.values)
    where = f"config/studies/{design.name}.yaml: recipe {design.recipe} with base {base.name}"
    return resolve_raw({**raw, "base": base.model}, design.name, where)


def _recipe(
    design: Design, resolved: dict[str, Values], name: str, base: Base, seed: int, values: Changes
) -> Values:  # fmt: skip
    """One resolved recipe of the study; a random base gets the seed's own weights."""
    recipe = load.with_values(resolved[base.name], values) | {"name": name, "seed": seed}
    if base.pretraining is not None:
        recipe["base"] = {
            **recipe["base"],
            "name": f"{base.model}-seed-{seed}",
            "from": {"random": {**recipe["base"]["from"]["random"], "seed": seed}},
            "tokenized_as": _tokenized_as(design, resolved, recipe["base"]["tokenizer"]),
        }
    return recipe


def _tokenized_as(design: Design, resolved: dict[str, Values], tokenizer: str) -> str:
    """Token files are kept once for all models that are drawn with one tokenizer."""
    first = next(
        base for base in design.bases if resolved[base.name]["base"].get("tokenizer") == tokenizer
    )
    return f"{first.model}-seed-{design.seeds[0]}"


def analysis_spec(study: Study | None) -> Values:
    """What the analysis of a study is given as ``--spec``, an AnalysisSpec as JSON data; shares as
    numbers. Empty where a command names no study."""
    if study is None:
        return {}
    design, models = study.design, load.catalogue("models")
    millions = {
        base.name: parameters(Architecture.read(models[base.model]["architecture"]))["total"] / 1e6
        for base in design.bases
    }
    spec = AnalysisSpec(
        study=design.name,
        description=design.description,
        cells=tuple(
            CellSpec(**{**vars(cell), "share": _number(cell.share)}) for cell in study.cells
        ),
        bases=tuple(BaseSpec(base.name, millions[base.name], base.seeds) for base in design.bases),
        millions=millions,
        seeds=design.seeds,
        shares=tuple(float(share) for share in design.shares),
        reference=float(design.reference),
        arms=tuple(ArmSpec(arm.name, tuple(map(float, arm.shares))) for arm in design.arms),
        checkpoint_measures=design.checkpoint_measures,
        batch=study.common["pretrain"]["global_batch_tokens"],
        primary=design.primary,
        measures=design.measures,
        order=tuple(sorted(design.measures, key=lambda name: name != design.primary)),
        missing=design.missing,
        limits=design.limits,
        published=design.published,
        statistics=design.statistics,
        hypotheses=tuple(
            HypothesisSpec(**{**vars(hypothesis), "share": float(hypothesis.share)})
            for hypothesis in design.hypotheses
        ),
        cut=study.cut,
    )
    return contracts.plain(spec)


def _number(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
