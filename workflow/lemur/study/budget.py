"""What a study costs in hours of this machine, and how it is cut to a number of them."""

from dataclasses import dataclass, replace
from fractions import Fraction

from lemur.config.load import catalogue
from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.cost.architecture import Architecture
from lemur.cost.flops import device_hours, training_flops
from lemur.study.design import Base, Design
from lemur.study.tokens import arms, cell_tokens, whole_batches

# Assumed of a cell beside its training: processes that start, mixing, packing, scoring, judging.
SECONDS_A_CELL = 60.0
# Assumed of a score of about 2 MB of documents, where 11,000 tokens a second are trained on: a
# forward pass of a third of the work.
SECONDS_A_SCORE = 25.0
SECONDS_A_JUDGE = 10.0  # assumed: a process that loads lm-eval and reads what was generated


@dataclass(frozen=True)
class Cost:
    """``hours`` by base, with what is assumed of each cell beside its training; models and tokens
    in all."""

    hours: dict[str, float]
    models: int
    tokens: int

    @property
    def total(self) -> float:
        """Hours of the whole study, one cell after the other."""
        return sum(self.hours.values())


def cost_of(design: Design, common: Values) -> Cost:
    """Hours by base at its measured rate, or at what the plan assumes of the recipe's device."""
    batch = common["pretrain"]["global_batch_tokens"]
    hours, count, all_tokens = {}, 0, 0
    for base in design.bases:
        cells = [
            cell_tokens(design, base, arm, share, batch)
            for arm in arms(design)
            for share in arm.shares
        ]
        if base.pretraining:
            cells.append(whole_batches(base.pretraining.tokens, batch))
        tokens = sum(cells) * len(base.seeds)
        seconds = _seconds(base, tokens, common)
        number = len(cells) * len(base.seeds)
        long, short = _scores(design, base, common, number)
        passes = long * SECONDS_A_SCORE * _relative(base, seconds, tokens)
        beside = number * SECONDS_A_CELL + (long + short) * SECONDS_A_JUDGE + passes
        hours[base.name] = (seconds + beside) / 3600
        count, all_tokens = count + number, all_tokens + tokens
    return Cost(hours, count, all_tokens)


def _scores(design: Design, base: Base, common: Values, models: int) -> tuple[int, int]:
    """Scores on held-out documents, which are long, and all others of ``models`` cells of a base."""
    heldout = {x["name"] for x in common["evaluate"]["benchmarks"] if "heldout" in x["data"]}
    early = len(design.shares) * len(base.seeds) * len(design.checkpoints)
    counts = [0, 0]
    for measure, benchmark in design.measures.items():
        also = early if measure in design.checkpoint_measures else 0
        counts[benchmark not in heldout] += models + also
    return counts[0], counts[1]


def _relative(base: Base, seconds: float, tokens: int) -> float:
    """How long this base takes for a token, in that of one which trains 11,000 of them a second."""
    return 11_000 * seconds / tokens


def _seconds(base: Base, tokens: int, common: Values) -> float:
    if base.tokens_per_second is not None:
        return tokens / base.tokens_per_second
    price = common["cost"]
    shape = Architecture.read(catalogue("models")[base.model]["architecture"])
    flops = training_flops(shape, tokens, common["pretrain"]["context"])["total"]
    return 3600 * device_hours(flops, price["device_tflops"], price["utilisation"])


def fitted(design: Design, common: Values, hours: float) -> tuple[Design, tuple[str, ...]]:
    """The design cut to ``hours``, and what was cut in words; shares of code stay.

    Cut in this order, each no further than needed: tokens (of bases and of cells, by one factor) down
    to ``least``, controls from the last, bases from the last, seeds from the last. What then still
    fits is taken back as tokens. ``UserError`` where not even the least fits.
    """
    if hours <= 0:
        raise UserError(f"config: hours: {hours:g}: a number above 0")
    if cost_of(design, common).total <= hours:
        return design, ()
    least, whole = design.least, design
    chosen = _at(whole, _least_factor(whole))
    while cost_of(chosen, common).total > hours:
        smaller = _one_less(whole)
        if smaller is None:
            needed = cost_of(chosen, common).total
            raise UserError(
                f"config: hours: {hours:g}: the least that keeps the design ({least.seeds} seeds, "
                f"{least.bases} bases, {len(design.shares)} shares) takes about {needed:.2g} hours"
            )
        whole = smaller
        chosen = _at(whole, _least_factor(whole))
    low, high = _least_factor(whole), Fraction(1)
    for _ in range(20):
        middle = (low + high) / 2
        if cost_of(_at(whole, middle), common).total <= hours:
            low = middle
        else:
            high = middle
    chosen = whole if cost_of(whole, common).total <= hours else _at(whole, low)
    return chosen, _cut(design, whole, low if chosen is not whole else Fraction(1))


def _one_less(design: Design) -> Design | None:
    least = design.least
    if design.arms:
        return replace(design, arms=design.arms[:-1])
    if len(design.bases) > least.bases:
        return replace(design, bases=design.bases[:-1])
    if len(design.seeds) > least.seeds:
        seeds = design.seeds[:-1]
        bases = tuple(
            replace(base, seeds=tuple(seed for seed in base.seeds if seed in seeds) or seeds[:1])
            for base in design.bases
        )
        return replace(design, seeds=seeds, bases=bases)
    return None


def _least_factor(design: Design) -> Fraction:
    """The smallest factor of tokens at which no base and no cell falls below the least."""
    factors = []
    for base in design.bases:
        own = base.pretraining.tokens if base.pretraining else None
        if own is not None:
            factors.append(Fraction(design.least.pretraining_tokens, own))
        cell = design.tokens * own if isinstance(design.tokens, Fraction) else design.tokens
        factors.append(Fraction(design.least.tokens) / cell)
    return min(Fraction(1), max(factors))


def _at(design: Design, factor: Fraction) -> Design:
    """The design with that part of its tokens; a share of the base's own tokens stays that share."""
    bases = tuple(
        replace(
            base,
            pretraining=replace(base.pretraining, tokens=int(base.pretraining.tokens * factor)),
        )
        if base.pretraining
        else base
        for base in design.bases
    )
    tokens = design.tokens if isinstance(design.tokens, Fraction) else int(design.tokens * factor)
    return replace(design, bases=bases, tokens=tokens)


def _cut(before: Design, after: Design, factor: Fraction) -> tuple[str, ...]:
    words = []
    for kind in ("arms", "bases"):
        gone = [item.name for item in getattr(before, kind)[len(getattr(after, kind)) :]]
        if gone:
            words.append(f"{'controls' if kind == 'arms' else kind} {', '.join(gone)}")
    if len(after.seeds) < len(before.seeds):
        words.append(f"seeds {', '.join(map(str, before.seeds[len(after.seeds) :]))}")
    if factor < 1:
        words.append(f"tokens, to {float(factor):.1%} of the design's")
    return tuple(words)
