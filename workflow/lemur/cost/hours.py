"""Device-hours of a recipe's stages, for what refers to a run that nobody has made here."""

from typing import Any

from lemur.cost.estimate import cost
from lemur.cost.generation import generation_devices, generation_seconds


def hours(recipe: dict[str, Any]) -> dict[str, Any]:
    """``pretrain`` and ``sft``: hours of one device, by the plan. ``evaluate``: of all models that the
    recipe scores on all its benchmarks, to their answers' limits. ``token_hours``: of one token that
    the base model generates. ``device``: which one.
    """
    made, shape = cost(recipe)["stages"], recipe["base"]["architecture"]
    models = [shape] * len(recipe["evaluate"]["models"])
    models += [
        entry["architecture"]
        for entry in recipe["evaluate"].get("baselines", [])
        if "architecture" in entry
    ]
    scored = sum(
        generation_devices(recipe, model) * generation_seconds(recipe, model) for model in models
    )
    token = generation_devices(recipe, shape) * generation_seconds(recipe, shape, tokens=1)
    return {
        **{stage: made[stage]["device_hours"] for stage in made},
        "evaluate": scored / 3600,
        "token_hours": token / 3600,
        "device": recipe["cost"]["device"],
    }
