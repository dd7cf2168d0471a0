"""Device-hours of a recipe's stages, for what refers to a run that nobody has made here."""

from dataclasses import dataclass

from lemur.cost.estimate import cost
from lemur.cost.generation import generation_devices, generation_seconds
from lemur.cost.recipe import Recipe


@dataclass(frozen=True)
class Hours:
    """Hours of one device, by the plan."""

    pretrain: float
    sft: float
    evaluate: float
    """Of all models that the recipe scores on all its benchmarks, to their answers' limits."""
    token_hours: float
    """Of one token that the base model generates."""
    device: str


def hours(recipe: Recipe) -> Hours:
    """Of all stages of a recipe."""
    stages, shape = cost(recipe).stages, recipe.base.architecture
    models = [shape] * len(recipe.evaluate.models)
    models += [entry.architecture for entry in recipe.evaluate.baselines if entry.architecture]
    scored = sum(
        generation_devices(recipe, model) * generation_seconds(recipe, model) for model in models
    )
    token = generation_devices(recipe, shape) * generation_seconds(recipe, shape, tokens=1)
    return Hours(
        pretrain=stages["pretrain"].device_hours,
        sft=stages["sft"].device_hours,
        evaluate=scored / 3600,
        token_hours=token / 3600,
        device=recipe.cost.device,
    )
