"""Read reports/paper/claims.yaml; a mistake is one line that names file, claim and key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.claims.claim import Claim, Comparison, Needs
from lemur.claims.rules import RULES, arguments_of
from lemur.config import load, schema
from lemur.core.errors import UserError, nearest

_TYPES: Mapping[str, tuple[type, ...]] = {"text": (str,), "list": (list,), "number": (int, float)}


@dataclass(frozen=True)
class Claims:
    """The file. ``problems``: how many problems each benchmark asks; ``domains``: its benchmarks of
    text and of code."""

    claims: Sequence[Claim]
    problems: Mapping[str, int]
    domains: Mapping[str, Sequence[str]]

    def recipes(self) -> list[str]:
        """Recipes whose plans say what claims take."""
        named = [claim.needs.recipe for claim in self.claims if claim.needs]
        return list(dict.fromkeys(name for name in named if name))


def read(path: Path) -> Claims:
    """The claims in the file's order."""
    where = load.shown(path)
    value = load.read_yaml(path)
    schema.check(value, "claims", where)
    claims: dict[str, Claim] = {}
    for entry in value["claims"]:
        if entry["name"] in claims:
            raise UserError(f"{where}: claim '{entry['name']}' stands twice")
        claims[entry["name"]] = _claim(entry, where)
    return Claims(list(claims.values()), value["problems"], value["domains"])


def _claim(entry: Mapping[str, Any], where: str) -> Claim:
    place, rule, given = f"{where}: claim {entry['name']}", entry["rule"], entry.get("with", {})
    if rule not in RULES:
        raise UserError(f"{place}: no rule '{rule}'{nearest(rule, RULES)}")
    wanted = arguments_of(rule)
    for key in given:
        if key not in wanted:
            raise UserError(f"{place}: with.{key}: unknown to {rule}{nearest(key, wanted)}")
    for key, kind in wanted.items():
        if key not in given:
            raise UserError(f"{place}: with.{key}: missing ({rule} takes {', '.join(wanted)})")
        if not isinstance(given[key], _TYPES[kind]) or isinstance(given[key], bool):
            raise UserError(f"{place}: with.{key}: {given[key]!r} is no {kind}")
    needs = entry.get("needs")
    if needs and ("stages" in needs or "tokens" in needs) and "recipe" not in needs:
        raise UserError(f"{place}: needs.recipe: missing: a plan costs stages and tokens")
    return Claim(
        name=entry["name"],
        place=entry["place"],
        quote=entry["quote"],
        compares=entry["compares"],
        rule=rule,
        arguments=given,
        needs=Needs(**needs) if needs else None,
        ours=[Comparison(**fields) for fields in entry.get("ours", [])],
    )
