"""What the analysis of a study found: analysis.json, which the figure and the table are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Best:
    """The share of code at which a measure is least, among those between the first and the last that
    were tried."""

    share: float
    """The share of code."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""
    edge: float | None
    """Which of the first and the last share the interval reaches, so that the study did not bracket
    the best; else null."""


@dataclass(frozen=True)
class Outcome:
    """What became of a hypothesis."""

    name: str
    """Of the hypothesis."""
    claim: str
    """In words."""
    outcome: str
    """supported, refuted or not decided."""
    why: str
    """In words."""


@dataclass(frozen=True)
class Contrast:
    """Differences in bits per byte, a value each share of code."""

    mean: tuple[float, ...]
    """Over seeds and documents."""
    error: tuple[float, ...]
    """Standard errors of the means."""
    low: tuple[float, ...]
    """Lower ends of the intervals."""
    high: tuple[float, ...]
    """Upper ends of the intervals."""
    band_low: tuple[float, ...]
    """Lower edge of the band that holds for all shares together."""
    band_high: tuple[float, ...]
    """Upper edge of that band."""
    p: tuple[float, ...]
    """Of no difference."""
    holm: tuple[float, ...]
    """The same by Holm's correction over the shares."""
    smallest: tuple[float, ...]
    """The smallest effect that would have been found four times in five."""


@dataclass(frozen=True)
class FittedLaw:
    """The law that erred least on a share of code that it was fitted without."""

    name: str
    """Of the law."""
    source: str
    """Where it was published."""
    left_out_error: dict[str, float]
    """Mean error of each law on a share left out, in bits per byte."""
    left_out: tuple[float, ...]
    """Bits per byte that the law predicts for each share, fitted without it."""
    line: tuple[float, ...]
    """Bits per byte along 201 shares from the first to the last."""
    best: Best
    """The best share."""


@dataclass(frozen=True)
class Control:
    """A control against the main cells of the same shares."""

    arm: str
    """Its name."""
    shares: tuple[float, ...]
    """Of code."""
    against_main: Contrast
    """A value each of its shares."""


@dataclass(frozen=True)
class OverTokens:
    """Main cells after parts of their tokens, and the law over tokens and share."""

    tokens: tuple[int, ...]
    """After which cells were scored, their end among them."""
    values: tuple[tuple[float, ...], ...]
    """Bits per byte then, a row each number of tokens, a value each share."""
    name: str | None = None
    """Of the law; null below three numbers of tokens, as are the next two."""
    source: str | None = None
    """Where it was published."""
    left_out_error: float | None = None
    """Its mean error on a number of tokens that it was fitted without, in bits per byte."""


@dataclass(frozen=True)
class MeasureFindings:
    """One measure at one base."""

    values: tuple[float, ...]
    """Bits per byte, a value each share of code, means over seeds."""
    of_seeds: tuple[tuple[float, ...], ...]
    """The same, a row each seed."""
    base: float
    """Bits per byte of the base itself."""
    documents: int
    """That were scored."""
    bytes: int
    """Of these documents."""
    against_reference: Contrast
    """Each share against the reference."""
    against_base: Contrast
    """Each share against the base."""
    law: FittedLaw
    """Bits per byte as a function of the share."""
    controls: tuple[Control, ...]
    """Whose shares the main cells have too."""
    over_tokens: OverTokens | None
    """Null where cells were scored at their end alone."""


@dataclass(frozen=True)
class BaseFindings:
    """One base."""

    millions: float
    """Parameters in millions."""
    seeds: int
    """How many."""
    measures: dict[str, MeasureFindings]
    """By short name."""


@dataclass(frozen=True)
class SizesFit:
    """The law over sizes on one measure."""

    measured: tuple[float, ...]
    """Bits per byte, each share of each size in turn."""
    left_out: tuple[float, ...]
    """Predicted without that size."""
    left_out_error: float
    """Mean error of these, in bits per byte."""


@dataclass(frozen=True)
class OverSizes:
    """The law over sizes."""

    name: str
    """Of the law."""
    source: str
    """Where it was published."""
    measures: dict[str, SizesFit]
    """By short name."""


@dataclass(frozen=True)
class Analysis:
    """A study's findings."""

    study: str
    """Its name."""
    description: str
    """Its question."""
    shares: tuple[float, ...]
    """Of code, in the order of every list of values."""
    reference: float
    """The share that others are compared with."""
    primary: str
    """The measure that decides."""
    equal: float
    """A smaller difference in bits per byte counts as none."""
    seeds: int
    """Of the base that hypotheses are decided at."""
    sizes: tuple[str, ...]
    """Names of the bases in the order of the study's file, which begins with the smallest."""
    measures: tuple[str, ...]
    """Short names of the measures, the primary first."""
    bases: dict[str, BaseFindings]
    """By name."""
    over_sizes: OverSizes | None
    """Null below three sizes."""
    published: dict[str, tuple[float, ...]]
    """Best shares of code that others report."""
    hypotheses: tuple[Outcome, ...]
    """In the order of the design."""
    verdict: str
    """In one sentence."""
