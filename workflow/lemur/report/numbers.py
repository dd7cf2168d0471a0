"""The numbers that matter of a run, and the sentence that says what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Score = Mapping[str, Any]


@dataclass(frozen=True)
class Number:
    """``key`` is fixed, for programs; ``name`` and ``value`` are for readers."""

    key: str
    name: str
    value: str


def _score(scores: Sequence[Score], benchmark: str, model: str) -> Score | None:
    for score in scores:
        if (score["benchmark"], score["model"]) == (benchmark, model):
            return score
    return None


def _bits(scores: Sequence[Score], kind: str) -> str:
    shown = []
    for model in ("start", "pretrained"):
        score = _score(scores, f"bits_per_byte_{kind}", model)
        shown.append("not run" if score is None else _value(score, 1, 3))
    return " \N{RIGHTWARDS ARROW} ".join(shown)


def _value(score: Score, scale: float, digits: int) -> str:
    if score["value"] is None:
        return f"not judged ({score.get('reason') or 'no reason given'})"
    return f"{score['value'] * scale:.{digits}f}"


def _percent(score: Score | None) -> str:
    if score is None:
        return "not run"
    if score["value"] is None:
        return _value(score, 100, 1)
    span = ""
    if score["interval"]:
        low, high = score["interval"]
        span = f", interval {100 * low:.1f} to {100 * high:.1f}"
    return f"{_value(score, 100, 1)}% (n={score['n']} of {score['of']}{span})"


def numbers(tokens: int, scores: Sequence[Score], labels: Mapping[str, str]) -> list[Number]:
    """The five: tokens trained on, bits per byte of code and text, HumanEval and GSM8K of chat."""
    chain = f"{labels['start']} \N{RIGHTWARDS ARROW} {labels['pretrained']}"
    chat = labels["chat"]
    return [
        Number("tokens", "Tokens trained on in continued pretraining", f"{tokens:,}"),
        Number("bits_code", f"Bits per byte, code, {chain}", _bits(scores, "code")),
        Number("bits_text", f"Bits per byte, text, {chain}", _bits(scores, "text")),
        Number(
            "humaneval", f"HumanEval pass@1, {chat}", _percent(_score(scores, "humaneval", "chat"))
        ),
        Number("gsm8k", f"GSM8K exact match, {chat}", _percent(_score(scores, "gsm8k", "chat"))),
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
