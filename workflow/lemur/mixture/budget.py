"""The token budget of every source, before a single document is tokenized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from lemur.core.errors import UserError, nearest
from lemur.corpus.part_statistics import PartStatistics
from lemur.mixture.apportion import apportion, exact
from lemur.mixture.planned import Plan, PlannedKind, PlannedLanguage, PlannedSource, PlanSpec

KINDS = ("code", "text")
# Where a recipe has what the spec names; mistakes are told by that key.
_OF_PRETRAIN = ("tokens", "context")


def _at_least(spec: PlanSpec, key: str, least: float) -> None:
    value = getattr(spec, key)
    if not least <= value < float("inf"):
        part = "pretrain" if key in _OF_PRETRAIN else "mixture"
        raise UserError(f"{part}.{key}: {value!r} is not a number of at least {least}")


@dataclass
class _Available:
    """Of one source: bytes that may be trained on (held-out ones are not), licence and languages."""

    licence: str | None
    bytes: int = 0
    languages: set[str] = field(default_factory=set)


def available(statistics: Sequence[PartStatistics]) -> dict[str, _Available]:
    """What there is of each source, from what cleaning counted of its parts."""
    found: dict[str, _Available] = {}
    for part in statistics:
        entry = found.setdefault(part.source, _Available(part.licence))
        entry.bytes += part.bytes - part.heldout_bytes
        entry.languages |= set(part.languages)
    return found


def _tempered(size: int, temperature: float) -> Fraction:
    """size ** (1 / temperature), exactly the size at 1 (Conneau et al. 2020, arXiv 1911.02116, 3.1:
    their exponent is 1 / temperature)."""
    return Fraction(size) if temperature == 1 else Fraction(size ** (1 / temperature))


def _explicit(
    where: str, what: str, chosen: Mapping[str, int | float], names: Sequence[str]
) -> dict[str, Fraction]:
    """A weight for each of ``names`` and nothing else; ``UserError`` names the key."""
    for name, weight in chosen.items():
        if name not in names:
            raise UserError(f"{where}: unknown {what} '{name}'{nearest(name, names)}")
        if not 0 <= weight < float("inf"):
            raise UserError(f"{where}.{name}: {weight!r} is not a number from 0")
    absent = sorted(set(names) - set(chosen))
    if absent:
        raise UserError(f"{where}: no weight for {', '.join(absent)}; 0 leaves a {what} out")
    return {name: exact(chosen[name]) for name in names}


def _languages(
    name: str,
    chosen: Mapping[str, int | float],
    known: set[str],
    tokens: int,
    sequences: int,
    context: int,
) -> tuple[PlannedLanguage, ...]:
    """A source's budget over its languages, by their weights."""
    where = f"mixture.weights.languages.{name}"
    weights = _explicit(where, "language", chosen, sorted(known))
    if sum(weights.values()) == 0:
        raise UserError(f"{where}: every language has weight 0; leave the source out instead")
    budgets = apportion(tokens, weights)
    whole = _sequences(budgets, sequences, context)
    return tuple(PlannedLanguage(name, budgets[name], whole[name]) for name in sorted(budgets))


def _weights(
    kind: str,
    chosen: str | Mapping[str, int | float],
    names: Sequence[str],
    found: Mapping[str, _Available],
    temperature: float,
) -> dict[str, Fraction]:
    """The weight of every source of one kind: its bytes, or what the recipe says."""
    if chosen == "bytes":
        weights = {name: _tempered(found[name].bytes, temperature) for name in names}
    elif isinstance(chosen, Mapping):
        weights = _explicit(f"mixture.weights.{kind}", "source", chosen, names)
        for name in names:
            if weights[name] and not found[name].bytes:
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
        empty = [name for name in names if not found[name].bytes]
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


def _code_share(spec: PlanSpec) -> Fraction:
    """The part of all tokens that is code."""
    if spec.code_share is None:
        _at_least(spec, "code_to_text", 0)
        ratio = exact(spec.code_to_text)
        return ratio / (ratio + 1)
    try:
        share = exact(spec.code_share)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise UserError(
            f"mixture.code_share: {spec.code_share!r} is neither a number nor a fraction from 0 to 1"
        )
    return share


def _ratio(share: Fraction) -> float | None:
    """Code to text; None where there is no text."""
    return float(share / (1 - share)) if share < 1 else None


def plan(spec: PlanSpec, statistics: Sequence[PartStatistics]) -> Plan:
    """Budgets that sum to ``spec.tokens`` exactly, at its code to text or its share of code.

    The result does not depend on the order of sources or statistics, only its listing follows
    ``spec.sources``.
    """
    for key, least in (("tokens", 1), ("context", 2), ("temperature", 1)):
        _at_least(spec, key, least)
    tokens, context, share = spec.tokens, spec.context, _code_share(spec)
    if tokens < context:
        raise UserError(f"pretrain.tokens: {tokens} is less than one sequence of {context} tokens")
    found = available(statistics)
    kinds = {source.name: source.kind for source in spec.sources}
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
            chosen = spec.weights.code if kind == "code" else spec.weights.text
            weights = _weights(kind, chosen, names, found, spec.temperature)
            budgets |= apportion(by_kind[kind], weights)
        else:
            budgets |= dict.fromkeys(names, 0)
    sequences: dict[str, int] = {}
    for kind, whole in _sequences(by_kind, tokens // context, context).items():
        mine = {name: budget for name, budget in budgets.items() if kinds[name] == kind}
        sequences |= _sequences(mine, whole, context)
    languages = {}
    for name, chosen in (spec.weights.languages or {}).items():
        if name not in budgets:
            raise UserError(
                f"mixture.weights.languages: unknown source '{name}'{nearest(name, budgets)}"
            )
        known = found[name].languages
        languages[name] = _languages(name, chosen, known, budgets[name], sequences[name], context)
    return Plan(
        recipe=spec.recipe,
        seed=spec.seed,
        tokens=tokens,
        context=context,
        code_to_text=spec.code_to_text if spec.code_share is None else _ratio(share),
        sequences=sum(sequences.values()),
        kinds={
            kind: PlannedKind(
                tokens=by_kind[kind],
                sequences=sum(sequences[name] for name in budgets if kinds[name] == kind),
                share=by_kind[kind] / tokens,
            )
            for kind in KINDS
        },
        sources=tuple(
            PlannedSource(
                name=name,
                kind=kind,
                licence=found[name].licence,
                tokens=budgets[name],
                sequences=sequences[name],
                share=budgets[name] / tokens,
                available_bytes=found[name].bytes,
                languages=languages.get(name),
            )
            for name, kind in kinds.items()
        ),
    )
