"""The registry of rules: a rule is a function of the evidence and of a claim's arguments."""

import inspect
from collections.abc import Callable, Mapping, Sequence

from lemur.claims.claim import Finding, Verdict
from lemur.claims.evidence import Estimate

Rule = Callable[..., Finding]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Register ``function`` under its name. Its first parameter is the evidence; the others, which
    are keywords, are what a claim's ``with`` must hold."""
    RULES[function.__name__] = function
    return function


def arguments_of(name: str) -> Mapping[str, str]:
    """A rule's arguments and the kind of each: ``text``, ``list`` or ``number``."""
    kinds = {str: "text", float: "number", int: "number"}
    parameters = list(inspect.signature(RULES[name]).parameters.values())[1:]
    return {parameter.name: kinds.get(parameter.annotation, "list") for parameter in parameters}


def verdict_of(apart: Estimate, proved: Verdict) -> Verdict:
    """``proved`` where the whole interval is above 0, DIFFERS where it is below, else CONSISTENT."""
    if apart.low > 0:
        return proved
    return Verdict.DIFFERS if apart.high < 0 else Verdict.CONSISTENT


def undecided(apart: Estimate) -> str:
    """What is added where the interval holds 0."""
    return "; too few to tell them apart" if apart.low <= 0 <= apart.high else ""


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
