"""What rules look at: the paper's printed numbers, recorded episodes, scores of a run here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lemur.agents.outcomes import Outcome
from lemur.agents.rates import Rate, rates
from lemur.core.errors import UserError, nearest
from lemur.evaluation import intervals
from lemur.evaluation.score import Score
from lemur.figures.reported import Numbers

Problem = tuple[str, str, str, int]  # feedback, category, task, episode


@dataclass(frozen=True)
class Run:
    """A recipe's run. ``base``: its models.yaml entry; ``tokens`` and ``code_to_text`` of continued
    pretraining; ``own``: scored models that are the paper's own weights, with their row there;
    ``papers_size``: it trained the paper's model on at least its tokens."""

    base: str
    tokens: int
    code_to_text: float
    own: Mapping[str, str] = field(default_factory=dict)
    papers_size: bool = False


@dataclass(frozen=True)
class Estimate:
    """A share in percent with the edges of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


@dataclass(frozen=True)
class Evidence:
    """``reported``: tables of printed scores. ``problems``: how many a benchmark asks, so that a
    printed score is a count. ``domains``: benchmarks of text and of code. ``pins``: revision of each
    entry of models.yaml that is on the hub. ``scores``: of the run's models, where there is one.
    """

    reported: Mapping[str, Numbers]
    outcomes: Sequence[Outcome]
    problems: Mapping[str, int]
    domains: Mapping[str, Sequence[str]]
    pins: Mapping[str, str] = field(default_factory=dict)
    scores: Sequence[Score] = ()
    run: Run | None = None

    @cached_property
    def rates(self) -> Mapping[tuple[str, str, str, str], Rate]:
        """Success rates of recorded episodes, as ``lemur.agents.rates`` pools them."""
        return rates(self.outcomes)

    @cached_property
    def solved(self) -> Mapping[str, Mapping[Problem, bool]]:
        """By model: which recorded problems it solved."""
        found: dict[str, dict[Problem, bool]] = {}
        for line in self.outcomes:
            key = (line.feedback, line.category, line.task, line.episode)
            found.setdefault(line.model, {})[key] = bool(line.solved)
        return found

    def printed(self, table: str, model: str, metric: str) -> float:
        """A printed score; ``UserError`` with the nearest name where there is none."""
        if table not in self.reported:
            raise UserError(f"reported numbers: no table '{table}'{nearest(table, self.reported)}")
        numbers = self.reported[table]
        if (model, metric) in numbers:
            return numbers[model, metric]
        models = {name for name, _ in numbers}
        if model not in models:
            raise UserError(f"reported numbers: {table}: no '{model}'{nearest(model, models)}")
        metrics = {name for _, name in numbers}
        raise UserError(f"reported numbers: {table}: no '{metric}'{nearest(metric, metrics)}")

    def mean(self, table: str, model: str, metrics: Sequence[str]) -> float:
        """The mean of a model's printed scores."""
        return sum(self.printed(table, model, name) for name in metrics) / len(metrics)

    def apart(self, table: str, model: str, other: str, metrics: Sequence[str]) -> Estimate:
        """The mean of ``model`` less that of ``other``, over the same ``metrics``."""
        return self.less(table, (model, metrics), (other, metrics))

    def less(
        self, table: str, first: tuple[str, Sequence[str]], second: tuple[str, Sequence[str]]
    ) -> Estimate:
        """The mean of one model's printed scores less that of another's, each (model, metrics).

        Each printed score counts as that share of its benchmark's problems, drawn independently for
        each model: wider than an interval from the same problems would be, for which the paper's
        answers are not at hand.
        """
        values, edges, weights = [], [], []
        for sign, (name, metrics) in ((1.0, first), (-1.0, second)):
            for metric in metrics:
                if metric not in self.problems:
                    raise UserError(
                        f"claims: problems: no '{metric}'{nearest(metric, self.problems)}"
                    )
                number = self.problems[metric]
                share = self.printed(table, name, metric) / 100
                values.append(share)
                edges.append(intervals.wilson(share * number, number))
                weights.append(sign / len(metrics))
        found = intervals.linear_combination(weights, values, edges)
        return Estimate(*(100 * number for number in found))

    def shared(
        self, model: str, other: str, runs: Sequence[Sequence[str]]
    ) -> tuple[list[bool], list[bool]]:
        """Whether each solved the problems that both have in ``runs``, (feedback, category) pairs."""
        for name in (model, other):
            if name not in self.solved:
                raise UserError(
                    f"outcome table: no episodes of '{name}'{nearest(name, self.solved)}"
                )
        mine, theirs = self.solved[model], self.solved[other]
        chosen = {tuple(run) for run in runs}
        keys = sorted(key for key in mine.keys() & theirs.keys() if key[:2] in chosen)
        if not keys:
            raise UserError(
                f"outcome table: {model} and {other} share no episode of {list(chosen)}"
            )
        return [mine[key] for key in keys], [theirs[key] for key in keys]
