"""A study's design: config/studies/<name>.yaml, committed before it is run, as typed values."""

from dataclasses import dataclass
from fractions import Fraction

from lemur.config import load, names, schema
from lemur.config.values import Values
from lemur.core import contracts
from lemur.core.errors import UserError, nearest
from lemur.study.study_file import (
    ArmEntry,
    BaseEntry,
    HypothesisEntry,
    Least,
    Number,
    Statistics,
    StudyFile,
)

TESTS = ("best-share-below", "worse-than-base", "same-ranking")


@dataclass(frozen=True)
class Pretraining:
    """How a base of one's own is made from random weights: its share of code, its tokens, and how
    often a source may be repeated for them."""

    share: Fraction
    tokens: int
    max_epochs: float = 1


@dataclass(frozen=True)
class Base:
    """What cells start from: ``model`` of config/models.yaml, pretrained here first where
    ``pretraining`` says so. ``tokens_per_second`` is the measured rate of training, None for the
    rate that the plan assumes of the device. ``seeds`` are those of the study, or fewer of them."""

    name: str
    model: str
    pretraining: Pretraining | None
    tokens_per_second: float | None
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Arm:
    """Cells that differ from the main ones in one more thing.

    ``learning_rate``: the peak rate is that many times the recipe's. ``text``: "share" keeps the
    tokens of a cell constant; "fixed" keeps its text constant, as much as the main cell of the
    smallest of the arm's shares has, and adds code until the share is reached. ``code_lines``:
    "shuffled" trains on code whose lines are in no order.
    """

    name: str
    shares: tuple[Fraction, ...]
    learning_rate: Fraction = Fraction(1)
    text: str = "share"
    code_lines: str = "kept"


@dataclass(frozen=True)
class Hypothesis:
    """A claim and the test that decides it (lemur.study.verdict): ``measure`` is one of the design's,
    ``share`` of code, ``by`` in bits per byte."""

    name: str
    claim: str
    test: str
    measure: str
    share: Fraction
    by: float


@dataclass(frozen=True)
class Design:
    """One study. ``checkpoints`` are parts of a main cell's tokens after which it is scored too, on
    ``checkpoint_measures``. ``tokens`` of a cell are a number, or a fraction of the tokens of its base;
    ``measures`` maps a short name to a benchmark whose score is in bits per byte; ``missing`` are
    measures that the study lacks, with the reason, as its report names them."""

    name: str
    description: str
    recipe: str
    values: Values
    bases: tuple[Base, ...]
    seeds: tuple[int, ...]
    tokens: int | Fraction
    shares: tuple[Fraction, ...]
    reference: Fraction
    arms: tuple[Arm, ...]
    checkpoints: tuple[Fraction, ...]
    checkpoint_measures: tuple[str, ...]
    primary: str
    measures: dict[str, str]
    missing: dict[str, str]
    limits: tuple[str, ...]
    published: dict[str, tuple[float, ...]]
    statistics: Statistics
    hypotheses: tuple[Hypothesis, ...]
    least: Least


def read(name: str) -> Design:
    """The study of that name, validated; ``UserError`` in one line."""
    path = load.named_file("studies", name, "study")
    where = load.shown(path)
    value = load.read_yaml(path)
    schema.check(value, "study", where)
    file = contracts.read(StudyFile, value, where)
    if (load.CONFIG / "recipes" / f"{name}.yaml").exists():
        raise UserError(f"{where}: a recipe has the name '{name}' already: results of both would lie in results/{name}")  # fmt: skip
    shares = _shares(file.shares, f"{where}: shares")
    reference = Fraction(str(file.reference))
    if reference not in shares:
        raise UserError(f"{where}: reference: {file.reference} is none of the shares")
    measures, at = file.measures, file.checkpoints
    for measure in at.measures:
        if measure not in measures:
            raise UserError(f"{where}: checkpoints.measures: '{measure}' is no measure{nearest(measure, measures)}")  # fmt: skip
    if file.primary not in measures:
        raise UserError(f"{where}: primary: '{file.primary}' is no measure{nearest(file.primary, measures)}")  # fmt: skip
    seeds = _seeds(file.seeds, where)
    return Design(
        name=name,
        description=file.description,
        recipe=file.recipe,
        values=file.set,
        bases=_bases(file.bases, seeds, where),
        seeds=seeds,
        tokens=_tokens(file, where),
        shares=shares,
        reference=reference,
        arms=_arms(file.arms, where),
        checkpoints=_checkpoints(at.shares, f"{where}: checkpoints.shares"),
        checkpoint_measures=at.measures,
        primary=file.primary,
        measures=measures,
        missing=file.missing,
        limits=file.limits,
        published=file.published,
        statistics=file.statistics,
        hypotheses=_hypotheses(file.hypotheses, measures, shares, where),
        least=file.least,
    )


def _shares(given: tuple[Number, ...], where: str) -> tuple[Fraction, ...]:
    shares = tuple(Fraction(str(share)) for share in given)
    for number, share in enumerate(shares):
        if not 0 <= share <= 1:
            raise UserError(f"{where}.{number}: {given[number]} is no share from 0 to 1")
    if list(shares) != sorted(set(shares)):
        raise UserError(f"{where}: must rise, each share once")
    shown = [share_name(share) for share in shares]
    if len(set(shown)) < len(shown):
        raise UserError(f"{where}: two shares are the same to three digits")
    return shares


def _checkpoints(given: tuple[Number, ...], where: str) -> tuple[Fraction, ...]:
    parts = tuple(Fraction(str(part)) for part in given)
    if any(not 0 < part < 1 for part in parts) or list(parts) != sorted(set(parts)):
        raise UserError(f"{where}: parts of a cell's tokens above 0 and below 1, rising, each once")
    return parts


def share_name(share: Fraction) -> str:
    """A share as names and tables show it: ``0.909``."""
    return f"{float(share):.3f}"


def _bases(given: tuple[BaseEntry, ...], seeds: tuple[int, ...], where: str) -> tuple[Base, ...]:
    found: list[Base] = []
    models = load.catalogue("models")
    for number, item in enumerate(given):
        place = f"{where}: bases.{number}"
        names.plain(item.name, "base")
        if any(base.name == item.name for base in found):
            raise UserError(f"{place}: '{item.name}' stands twice")
        if item.model not in models:
            raise UserError(f"{place}.model: no model '{item.model}' in config/models.yaml{nearest(item.model, models)}")  # fmt: skip
        made_here = "random" in models[item.model].get("from", {})
        if made_here != (item.pretrain is not None):
            advice = "is random: say how it is pretrained" if made_here else "has weights: leave pretrain out"  # fmt: skip
            raise UserError(f"{place}.pretrain: '{item.model}' {advice}")
        pretraining = None
        if first := item.pretrain:
            share = Fraction(str(first.share))
            if not 0 <= share <= 1:
                raise UserError(f"{place}.pretrain.share: {share} is no share from 0 to 1")
            pretraining = Pretraining(share, first.tokens, first.max_epochs)
        own = seeds if item.seeds is None else item.seeds
        if not own or list(own) != [seed for seed in seeds if seed in own]:
            raise UserError(f"{place}.seeds: {list(own)} are not some of the study's {list(seeds)}, in their order")  # fmt: skip
        found.append(Base(item.name, item.model, pretraining, item.tokens_per_second, own))
    return tuple(found)


def _seeds(given: tuple[int, ...], where: str) -> tuple[int, ...]:
    if len(set(given)) < len(given):
        raise UserError(f"{where}: seeds: each once")
    return given


def _tokens(file: StudyFile, where: str) -> int | Fraction:
    if isinstance(file.tokens, int):
        return file.tokens
    for item in file.bases:
        if item.pretrain is None:
            raise UserError(f"{where}: tokens: {file.tokens} of the base's own, which are not known of '{item.name}': give a number")  # fmt: skip
    return Fraction(file.tokens)


def _arms(given: tuple[ArmEntry, ...], where: str) -> tuple[Arm, ...]:
    found: list[Arm] = []
    for number, item in enumerate(given):
        names.plain(item.name, "arm")
        shares = _shares(item.shares, f"{where}: arms.{number}.shares")
        rate = Fraction(str(item.learning_rate))
        if item.text == "fixed" and shares[-1] == 1:
            raise UserError(f"{where}: arms.{number}.shares: with text fixed, no share is 1")
        if any(arm.name == item.name for arm in found):
            raise UserError(f"{where}: arms.{number}: '{item.name}' stands twice")
        found.append(Arm(item.name, shares, rate, item.text, item.code_lines))
    return tuple(found)


def _hypotheses(
    given: tuple[HypothesisEntry, ...], measures: dict[str, str], shares: tuple[Fraction, ...], where: str
) -> tuple[Hypothesis, ...]:  # fmt: skip
    found = []
    for number, item in enumerate(given):
        place = f"{where}: hypotheses.{number}"
        if item.test not in TESTS:
            raise UserError(f"{place}.test: '{item.test}'{nearest(item.test, TESTS)}")
        if item.measure not in measures:
            raise UserError(f"{place}.measure: '{item.measure}' is no measure{nearest(item.measure, measures)}")  # fmt: skip
        share = Fraction(str(item.share))
        if item.test == "worse-than-base" and share not in shares:
            raise UserError(f"{place}.share: {item.share} is none of the shares")
        found.append(Hypothesis(item.name, item.claim, item.test, item.measure, share, item.by))
    return tuple(found)
