"""The token budget of every source, before a single document is tokenized."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from lemur.core.errors import UserError, nearest
from lemur.mixture.apportion import apportion, exact

KINDS = ("code", "text")
# Where a recipe has what the spec names; mistakes are told by that key.
_OF_PRETRAIN = ("tokens", "context")


def _number(spec: Mapping[str, Any], key: str, *, least: float, whole: bool) -> Any:
    value = spec.get(key)
    right = isinstance(value, int) or (isinstance(value, float) and not whole)
    if not right or isinstance(value, bool) or not value >= least or value == float("inf"):
        what = "a whole number" if whole else "a number"
        part = "pretrain" if key in _OF_PRETRAIN else "mixture"
        raise UserError(f"{part}.{key}: {value!r} is not {what} of at least {least}")
    return value


def available(statistics: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Bytes that may be trained on (held-out ones are not), licence and languages, a source.

    ``statistics`` are the cleaner's ``stats.json``, several parts of a source among them.
    """
    found: dict[str, dict[str, Any]] = {}
    for part in statistics:
        new = {"bytes": 0, "licence": part.get("licence"), "languages": set()}
        entry = found.setdefault(part["source"], new)
        entry["bytes"] += part["bytes"] - part["heldout_bytes"]
        entry["languages"] |= set(part.get("languages") or ())
    return found


def _tempered(size: int, temperature: float) -> Fraction:
    """size ** (1 / temperature), exactly the size at 1 (Conneau et al. 2020, arXiv 1911.02116, 3.1:
    their exponent is 1 / temperature)."""
    return Fraction(size) if temperature == 1 else Fraction(size ** (1 / temperature))


def _explicit(
    where: str, what: str, chosen: Mapping[str, Any], names: Sequence[str]
) -> dict[str, Fraction]:
    """A weight for each of ``names`` and nothing else; ``UserError`` names the key."""
    for name, weight in chosen.items():
        if name not in names:
            raise UserError(f"{where}: unknown {what} '{name}'{nearest(name, names)}")
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 <= weight < float("inf"):
            raise UserError(f"{where}.{name}: {weight!r} is not a number from 0")
    absent = sorted(set(names) - set(chosen))
    if absent:
        raise UserError(f"{where}: no weight for {', '.join(absent)}; 0 leaves a {what} out")
    return {name: exact(chosen[name]) for name in names}


def _languages(
    name: str, chosen: Mapping[str, Any], known: set[str], tokens: int, sequences: int, context: int
) -> list[dict[str, Any]]:
    """A source's budget over its languages, by their weights."""
    where = f"mixture.weights.languages.{name}"
    weights = _explicit(where, "language", chosen, sorted(known))
    if sum(weights.values()) == 0:
        raise UserError(f"{where}: every language has weight 0; leave the source out instead")
    budgets = apportion(tokens, weights)
    whole = _sequences(budgets, sequences, context)
    return [
        {"name": language, "tokens": budgets[language], "sequences": whole[language]}
        for language in sorted(budgets)
    ]


def _weights(
    kind: str,
    chosen: Any,
    names: Sequence[str],
    found: Mapping[str, Mapping[str, Any]],
    temperature: float,
) -> dict[str, Fraction]:
    """The weight of every source of one kind: its bytes, or what the recipe says."""
    if chosen == "bytes":
        weights = {name: _tempered(found[name]["bytes"], temperature) for name in names}
    elif isinstance(chosen, Mapping):
        weights = _explicit(f"mixture.weights.{kind}", "source", chosen, names)
        for name in names:
            if weights[name] and not found[name]["bytes"]:
                raise UserError(
                    f"mixture.weights.{kind}.{name}: {chosen[name]}, but cleaning keeps nothing of "
                    f"'{name}' that may be trained on; change what the corpus asks of it, or give "
                    "it weight 0"
                )
    else:
        raise UserError(
            f"mixture.weights.{kind}: {chosen!r} is neither 'bytes' nor a table of weights"
        )
    if sum(weights.values()) == 0:
        empty = [name for name in names if not found[name]["bytes"]]
        nothing = f"; cleaning keeps nothing of {', '.join(empty)}" if empty else ""
        raise UserError(
            f"mixture.weights.{kind}: no {kind} to take: {len(names)} sources, all of weight "
            f"0{nothing}; add a source or change mixture.code_to_text"
        )
    return weights


def _sequences(budgets: Mapping[str, int], whole: int, context: int) -> dict[str, int]:
    """Whole sequences of each name: its budget rounded down or up, ``whole`` in all."""
    floors = {name: budget // context for name, budget in budgets.items()}
    left = whole - sum(floors.values())
    by_rest = sorted(budgets, key=lambda name: (-(budgets[name] % context), name))
    return {name: floors[name] + (name in by_rest[:left]) for name in budgets}


def _code_share(spec: Mapping[str, Any]) -> Fraction:
    """The part of all tokens that is code."""
    if "code_share" not in spec:
        ratio = exact(_number(spec, "code_to_text", least=0, whole=False))
        return ratio / (ratio + 1)
    try:
        share = exact(spec["code_share"])
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise UserError(
            f"mixture.code_share: {spec['code_share']!r} is neither a number nor a fraction from 0 to 1"
        )
    return share


def _ratio(share: Fraction) -> float | None:
    """Code to text; None where there is no text."""
    return float(share / (1 - share)) if share < 1 else None


def plan(spec: Mapping[str, Any], statistics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Budgets that sum to ``spec["tokens"]`` exactly; code to text is ``spec["code_to_text"]``, or
    code has ``spec["code_share"]`` of all tokens (a number or a fraction such as "10/11").

    The result does not depend on the order of sources or statistics, only its listing follows
    ``spec["sources"]``. Shares are of all tokens.
    """
    tokens = _number(spec, "tokens", least=1, whole=True)
    context = _number(spec, "context", least=2, whole=True)
    share = _code_share(spec)
    temperature = _number({"temperature": 1, **spec}, "temperature", least=1, whole=False)
    if tokens < context:
        raise UserError(f"pretrain.tokens: {tokens} is less than one sequence of {context} tokens")
    found = available(statistics)
    kinds = {source["name"]: source["kind"] for source in spec["sources"]}
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise UserError(f"source '{name}': unknown kind '{kind}'{nearest(kind, KINDS)}")
        if name not in found:
            raise UserError(f"source '{name}' is not in the corpus{nearest(name, found)}")
    by_kind = apportion(tokens, {"code": share, "text": 1 - share})
    budgets: dict[str, int] = {}
    for kind in KINDS:
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        if by_kind[kind]:
            chosen = spec["weights"].get(kind, "bytes")
            weights = _weights(kind, chosen, names, found, temperature)
            budgets |= apportion(by_kind[kind], weights)
        else:
            budgets |= dict.fromkeys(names, 0)
    sequences: dict[str, int] = {}
    for kind, whole in _sequences(by_kind, tokens // context, context).items():
        mine = {name: budget for name, budget in budgets.items() if kinds[name] == kind}
        sequences |= _sequences(mine, whole, context)
    languages = {}
    for name, chosen in (spec["weights"].get("languages") or {}).items():
        if name not in budgets:
            raise UserError(
                f"mixture.weights.languages: unknown source '{name}'{nearest(name, budgets)}"
            )
        known = found[name]["languages"]
        languages[name] = _languages(name, chosen, known, budgets[name], sequences[name], context)
    return {
        "recipe": spec["recipe"],
        "seed": spec["seed"],
        "tokens": tokens,
        "context": context,
        "code_to_text": _ratio(share) if "code_share" in spec else spec["code_to_text"],
        "sequences": sum(sequences.values()),
        "kinds": {
            kind: {
                "tokens": by_kind[kind],
                "sequences": sum(sequences[name] for name in budgets if kinds[name] == kind),
                "share": by_kind[kind] / tokens,
            }
            for kind in KINDS
        },
        "sources": [
            {
                "name": name,
                "kind": kinds[name],
                "licence": found[name]["licence"],
                "tokens": budgets[name],
                "sequences": sequences[name],
                "share": budgets[name] / tokens,
                "available_bytes": found[name]["bytes"],
                **({"languages": languages[name]} if name in languages else {}),
            }
            for name in kinds
        ],
    }
