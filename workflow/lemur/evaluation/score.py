"""What judging says of one model on one benchmark: ``scores.json``."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lemur.core import contracts
from lemur.evaluation.spec import Decoding


@dataclasses.dataclass(frozen=True)
class Share:
    """A share of problems beside the main score: by another rule, or of a part of the problems."""

    value: float | None
    """From 0 to 1; null where nothing could be judged by the rule."""
    n: int | None = contracts.optional()
    """Problems that it is of, where these are not the main score's."""
    interval: tuple[float, float] | None = contracts.optional()
    """The 95 % interval, from 0 to 1."""
    differs_on: int | None = contracts.optional()
    """Problems on which the rule and the main verdict disagree."""
    not_checked: int | None = contracts.optional()
    """Problems that the rule has no verdict on."""
    strict: "Share | None" = contracts.optional()
    """Of a part: the same by the strict rule."""


@dataclasses.dataclass(frozen=True)
class Responses:
    """What a reader must know of a model's answers before believing a score; counts of answers."""

    finish: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """By why they ended: stop, end, length or refused. Choices and documents are not among them."""
    empty: int = 0
    """That are empty texts."""
    truncated_prompts: int = 0
    """Whose prompts lost their beginning to the model's context."""
    tokens: int = 0
    """Tokens of all answers together."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured of the answers, however they are judged."""

    metric: str
    """In words: pass@1, exact match, accuracy, execution accuracy or bits per byte."""
    value: float | None
    """A share from 0 to 1, or bits per byte; null where nothing was judged."""
    interval: tuple[float, float] | None
    """The 95 % interval in the unit of ``value``."""
    judged: bool
    """Whether there was a sandbox where the metric needs one, and anything to judge."""
    reason: str | None = None
    """Why nothing was judged."""
    higher_is_better: bool = True
    """Of ``value``."""
    interval_method: str | None = None
    """How ``interval`` was computed, in words."""
    sandbox: str | None = None
    """Which sandbox ran the programs."""
    verdicts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Answers by verdict: passed, failed, scored, error, timeout, ..."""
    n_judged: int | None = contracts.optional()
    """Problems that could be judged, where these are not all."""
    not_judged: Mapping[str, int] | None = contracts.optional()
    """Answers that could not be judged, by reason."""
    lacking_modules: Mapping[str, int] | None = contracts.optional()
    """Answers that ended for want of a module that the sandbox does not have, by its name."""
    pass_at: Mapping[str, Share] | None = contracts.optional()
    """pass@k by k, where several answers were drawn."""
    beside: Mapping[str, Share] | None = contracts.optional()
    """The same answers by other rules."""
    otherwise_written: int | None = contracts.optional()
    """Answers that a comparison takes for right which passes over case and punctuation."""
    bytes: int | None = contracts.optional()
    """Of bits per byte: UTF-8 bytes of all documents."""
    details: Mapping[str, Any] = contracts.others()
    """What else the benchmark's own judge says, each a key of the file itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score(Measured):
    """One model on one benchmark, the whole of ``scores.json``.

    ``verdicts.jsonl``, ``generations.jsonl`` and ``prompt.txt`` lie beside it.
    """

    benchmark: str
    """Its name in config/benchmarks.yaml."""
    model: str
    """Its name in the recipe: start, pretrained, chat, or that of a published model."""
    n: int
    """Problems or documents that were asked."""
    of: int
    """Problems or documents that the benchmark has."""
    format: str = "completion"
    """Of the prompt: completion or chatml."""
    shots: int = 0
    """Solved examples in the prompt."""
    decoding: Decoding = Decoding()
    """How answers were drawn; empty of whole documents."""
    precision: str = ""
    """That was asked for: bf16 or fp32."""
    computed: str | None = None
    """What the machine computed in where that is not ``precision``."""
    prompt_sha256: str = ""
    """The sha256 of the first problem's prompt, in hexadecimal digits."""
    prompts_sha256: str = ""
    """The sha256 of those of all prompts."""
    version: str = ""
    """Of the benchmark, and in brackets of lm-eval's tasks, the judge and lm-eval."""
    model_sha256: str = ""
    """What tells the model from others: a digest of its files, or the name that it is served by."""
    responses: Responses = Responses()
    """What the answers were like."""
    path: Path = contracts.unwritten(Path())
    """Where it was read from; not in the file."""

    @property
    def is_bits(self) -> bool:
        """Whether ``value`` is bits per byte, of which fewer are better."""
        return self.benchmark.startswith("bits_per_byte")

    @property
    def asked(self) -> str:
        """How it was asked, in words that stand beside the number wherever it goes: few problems are not
        all."""
        many = "shot" if self.shots == 1 else "shots"
        return f"{self.n:,} of {self.of:,} problems, {self.shots} {many}, {self.format}"

    @property
    def number_judged(self) -> int:
        """Problems that could be judged."""
        return self.n if self.n_judged is None else self.n_judged


_TRAINED = {"start": 0, "pretrained": 1, "chat": 2}


def read_score(path: Path) -> Score:
    """A ``scores.json``. Raises UserError where it is damaged, or none."""
    return dataclasses.replace(contracts.read_file(Score, path), path=path)


def read_scores(paths: Iterable[Path]) -> list[Score]:
    """``scores.json`` files in a fixed order: by benchmark, then from start to chat."""
    return sorted(
        map(read_score, paths),
        key=lambda score: (score.benchmark, _TRAINED.get(score.model, 3), score.model),
    )
