"""The numbers that matter of a run, and the sentence that says what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lemur.evaluation import caveats
from lemur.evaluation.score import Score
from lemur.figures.paired import difference


@dataclass(frozen=True)
class Number:
    """``key`` is fixed, for programs; the rest is for readers. ``note``: what to know of the value."""

    key: str
    name: str
    value: str
    note: str = ""


def _score(scores: Sequence[Score], benchmark: str, model: str) -> Score | None:
    for score in scores:
        if (score.benchmark, score.model) == (benchmark, model):
            return score
    return None


def _bits(scores: Sequence[Score], kind: str, name: str) -> Number:
    shown = []
    for model in ("start", "pretrained"):
        score = _score(scores, f"bits_per_byte_{kind}", model)
        shown.append("not run" if score is None else _value(score, 1, 3))
    pair = [_score(scores, f"bits_per_byte_{kind}", model) for model in ("pretrained", "start")]
    apart = difference(*pair) if None not in pair else None
    paired = f"on the same documents {apart.words(1, 3)}" if apart else ""
    return Number(f"bits_{kind}", name, " \N{RIGHTWARDS ARROW} ".join(shown), paired)


def _value(score: Score, scale: float, digits: int) -> str:
    if score.value is None:
        return f"not judged ({score.reason or 'no reason given'})"
    return f"{score.value * scale:.{digits}f}"


def _percent(key: str, name: str, score: Score | None) -> Number:
    if score is None:
        return Number(key, name, "not run")
    known = caveats.all_caveats(score)
    if score.value is None:
        return Number(key, name, _value(score, 100, 1), "; ".join(known))
    span = ""
    if score.interval:
        low, high = score.interval
        span = f", interval {100 * low:.1f} to {100 * high:.1f}"
    asked = f"n={score.n} of {score.of}{span}"
    return Number(key, name, f"{_value(score, 100, 1)}%", "; ".join([asked, *known]))


def numbers(tokens: int, scores: Sequence[Score], labels: Mapping[str, str]) -> list[Number]:
    """The five: tokens trained on, bits per byte of code and text, HumanEval and GSM8K of chat."""
    chain = f"{labels['start']} \N{RIGHTWARDS ARROW} {labels['pretrained']}"
    chat = labels["chat"]
    return [
        Number("tokens", "Tokens trained on in continued pretraining", f"{tokens:,}"),
        _bits(scores, "code", f"Bits per byte, code, {chain}"),
        _bits(scores, "text", f"Bits per byte, text, {chain}"),
        _percent("humaneval", f"HumanEval pass@1, {chat}", _score(scores, "humaneval", "chat")),
        _percent("gsm8k", f"GSM8K exact match, {chat}", _score(scores, "gsm8k", "chat")),
    ]


def opening(
    recipe: str, tokens: int, sft_tokens: int | None, paper: Mapping[str, Any], base: str
) -> str:
    """The report's first sentence: how much was trained, and what that can show.

    ``paper`` has ``tokens`` and ``base``: only a run of that size on that model may be read beside
    the paper's claim.
    """
    tuned = "" if sft_tokens is None else f", then tuned on {sft_tokens:,} tokens of conversations"
    start = f"Recipe {recipe} continued pretraining on {tokens:,} tokens{tuned}: "
    if base == paper["base"] and tokens >= paper["tokens"]:
        return (
            start
            + "the paper's model and token budget, so its scores can stand beside the paper's."
        )
    return start + (
        "this shows the pipeline running, not the paper's claim "
        f"({paper['tokens'] / 1e9:,g} billion tokens on {paper['name']})."
    )
