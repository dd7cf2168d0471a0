"""The ``--spec`` of the page of claims: what its rules need of recipes, models and the plan."""

from pathlib import Path

from lemur.config import load, recipe, schema
from lemur.config.values import Values
from lemur.core.contracts import plain
from lemur.core.errors import UserError, nearest
from lemur.cost.hours import hours
from lemur.cost.recipe import planned


def spec(claims: Path, run: Values | None = None, papers_size: bool = False) -> Values:
    """``pins``, ``hours`` and, of a resolved recipe's ``run``, its name, size and own models.
    ``papers_size``: it trains the paper's model on as many tokens, so that it decides claims.

    Raises UserError where ``claims`` (claims.yaml) names a recipe or a benchmark that is none.
    """
    where, value = load.shown(claims), load.read_yaml(claims)
    schema.check(value, "claims", where)
    known = load.catalogue("benchmarks")
    for claim in value["claims"]:
        for comparison in claim.get("ours", []):
            if comparison["benchmark"] not in known:
                raise UserError(
                    f"{where}: claim {claim['name']}: ours: no benchmark '{comparison['benchmark']}' in "
                    f"config/benchmarks.yaml{nearest(comparison['benchmark'], known)}"
                )
    named = (claim.get("needs", {}).get("recipe") for claim in value["claims"])
    plans = {
        name: plain(hours(planned(recipe.resolve(name)))) for name in dict.fromkeys(named) if name
    }
    pins = {
        name: entry["from"]["revision"]
        for name, entry in load.catalogue("models").items()
        if "hub" in entry.get("from", {})
    }
    return {"hours": plans, "pins": pins, **({} if run is None else _run(run, papers_size))}


def _run(resolved: Values, papers_size: bool) -> Values:
    part = resolved["evaluate"]
    own = {entry["name"]: entry["paper"] for entry in part.get("baselines", []) if "paper" in entry}
    if "start" in part["models"] and "paper" in resolved["base"]:
        own["start"] = resolved["base"]["paper"]
    return {
        "recipe": resolved["name"],
        "run": {
            "base": resolved["base"]["name"],
            "tokens": resolved["pretrain"]["tokens"] if part["models"] else 0,
            "code_to_text": resolved["mixture"]["code_to_text"],
            "own": own,
            "papers_size": papers_size,
        },
    }
