"""The token budget of every source, before a single document is tokenized."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from lemur.errors import UserError, nearest
from lemur.mix.apportion import apportion, exact

KINDS = ("code", "text")


def _number(spec: Mapping[str, Any], key: str, *, least: float, whole: bool) -> Any:
    value = spec.get(key)
    right = isinstance(value, int) or (isinstance(value, float) and not whole)
    if not right or isinstance(value, bool) or not value >= least or value == float("inf"):
        what = "a whole number" if whole else "a number"
        raise UserError(f"mix.{key}: {value!r} is not {what} of at least {least}")
    return value


def available(statistics: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Bytes that may be trained on (held-out ones are not) and the licence, a source.

    ``statistics`` are the cleaner's ``stats.json``, several parts of a source among them.
    """
    found: dict[str, dict[str, Any]] = {}
    for part in statistics:
        entry = found.setdefault(part["source"], {"bytes": 0, "licence": part.get("licence")})
        entry["bytes"] += part["bytes"] - part["heldout_bytes"]
    return found


def _weights(
    kind: str, chosen: Any, names: Sequence[str], found: Mapping[str, Mapping[str, Any]]
) -> dict[str, Fraction]:
    """The weight of every source of one kind: its bytes, or what the recipe says."""
    if chosen == "bytes":
        weights = {name: Fraction(found[name]["bytes"]) for name in names}
    elif isinstance(chosen, Mapping):
        for name, weight in chosen.items():
            if name not in names:
                raise UserError(
                    f"mix.weights.{kind}: unknown source '{name}'{nearest(name, names)}"
                )
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0 <= weight < float("inf"):
                raise UserError(f"mix.weights.{kind}.{name}: {weight!r} is not a number from 0")
        absent = sorted(set(names) - set(chosen))
        if absent:
            raise UserError(
                f"mix.weights.{kind}: no weight for {', '.join(absent)}; 0 leaves a source out"
            )
        weights = {name: exact(chosen[name]) for name in names}
    else:
        raise UserError(f"mix.weights.{kind}: {chosen!r} is neither 'bytes' nor a table of weights")
    if sum(weights.values()) == 0:
        raise UserError(
            f"mix.weights.{kind}: no {kind} to take: {len(names)} sources, all of weight 0; "
            "add a source or change mix.code_to_text"
        )
    return weights


def _sequences(budgets: Mapping[str, int], tokens: int, context: int) -> dict[str, int]:
    """Whole sequences a source: its budget rounded down or up, ``tokens // context`` in all."""
    floors = {name: budget // context for name, budget in budgets.items()}
    left = tokens // context - sum(floors.values())
    by_rest = sorted(budgets, key=lambda name: (-(budgets[name] % context), name))
    return {name: floors[name] + (name in by_rest[:left]) for name in budgets}


def plan(spec: Mapping[str, Any], statistics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Budgets that sum to ``spec["tokens"]`` exactly; code to text is ``spec["code_to_text"]``.

    The result does not depend on the order of sources or statistics, only its listing follows
    ``spec["sources"]``. Shares are of all tokens.
    """
    tokens = _number(spec, "tokens", least=1, whole=True)
    context = _number(spec, "context", least=2, whole=True)
    ratio = exact(_number(spec, "code_to_text", least=0, whole=False))
    if tokens < context:
        raise UserError(f"mix.tokens: {tokens} is less than one sequence of {context} tokens")
    found = available(statistics)
    kinds = {source["name"]: source["kind"] for source in spec["sources"]}
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise UserError(f"source '{name}': unknown kind '{kind}'{nearest(kind, KINDS)}")
        if name not in found:
            raise UserError(f"source '{name}' is not in the corpus{nearest(name, found)}")
    shares = {"code": ratio / (ratio + 1), "text": 1 / (ratio + 1)}
    by_kind = apportion(tokens, shares)
    budgets: dict[str, int] = {}
    for kind in KINDS:
        names = [name for name, its_kind in kinds.items() if its_kind == kind]
        if by_kind[kind]:
            weights = _weights(kind, spec["weights"].get(kind, "bytes"), names, found)
            budgets |= apportion(by_kind[kind], weights)
        else:
            budgets |= dict.fromkeys(names, 0)
    sequences = _sequences(budgets, tokens, context)
    return {
        "recipe": spec["recipe"],
        "seed": spec["seed"],
        "tokens": tokens,
        "context": context,
        "code_to_text": spec["code_to_text"],
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
            }
            for name in kinds
        ],
    }
