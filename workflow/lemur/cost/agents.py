"""What it costs that models play: tokens of answers and of what is read, before anything is played.

Means of the paper's own chat model in the 586 recorded episodes of MINT that reports/paper counts: of
five turns 3.8 were taken, an answer had 267 tokens. How much an episode reads is assumed: an episode's
keys and values are kept from turn to turn, so that each token is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lemur.cost.architecture import parameters
from lemur.cost.generation import generation_devices, generation_seconds
from lemur.cost.recipe import Environment, Recipe

TURNS_TAKEN = 3.8 / 5
ANSWER_TOKENS = 267
READ_TOKENS = 2_500


@dataclass(frozen=True)
class Played:
    """What one model plays: ``episodes``, tokens of its ``answers`` and tokens that it has ``read``."""

    episodes: int
    answers: float
    read: float


def played(entries: Sequence[Environment]) -> Played:
    """The sum over environments of a recipe."""
    episodes, answers = 0, 0.0
    for entry in entries:
        count = min(entry.limit or entry.tasks, entry.tasks)
        turns = TURNS_TAKEN * entry.settings.most
        episodes += count
        answers += count * max(1.0, turns) * min(ANSWER_TOKENS, entry.max_new_tokens)
    return Played(episodes, answers, READ_TOKENS * episodes)


def seconds(recipe: Recipe, found: Played) -> float:
    """Of the model on its devices, two FLOPs a parameter and token."""
    shape, price = recipe.base.architecture, recipe.cost
    reading = 2 * parameters(shape)["total"] * found.read
    peak = price.device_tflops * 1e12 * price.utilisation
    return generation_seconds(recipe, shape, found.answers) + reading / peak


def devices(recipe: Recipe) -> int:
    """GPUs that hold the model, one at work at a time; 1 on a CPU."""
    return generation_devices(recipe, recipe.base.architecture) if recipe.pretrain.on_gpus else 1


@dataclass(frozen=True)
class Playing:
    """What all ``models`` play. ``device_hours`` of all of them; the known solutions cost none."""

    environments: int
    models: tuple[str, ...]
    episodes: int
    device_hours: float


def agents(recipe: Recipe) -> Playing | None:
    """The plan of a recipe's agents, None where it names none."""
    part = recipe.agents
    if part is None:
        return None
    hours, episodes, models = 0.0, 0, set[str]()
    for entry in part.environments:
        found = played([entry])
        who = part.models if entry.models is None else entry.models
        playing = [model for model in who if model != "gold"]
        models |= set(playing)
        episodes += found.episodes * len(playing)
        hours += len(playing) * seconds(recipe, found) * devices(recipe) / 3600
    return Playing(len(part.environments), tuple(sorted(models)), episodes, hours)


def agents_line(recipe: Recipe) -> list[str]:
    """One line for a person; none where no agents are named."""
    made = agents(recipe)
    if made is None:
        return []
    unit = "GPU-hours" if recipe.pretrain.on_gpus else "device-hours"
    hours = made.device_hours
    spent = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"
    who = ", ".join(made.models) or "no model, only known solutions"
    return [
        f"{made.environments} environments, {made.episodes:,} episodes of {who}: about {spent}"
        f" {unit} ({ANSWER_TOKENS} tokens an answer and {TURNS_TAKEN:.0%} of the turns, as recorded; "
        f"{READ_TOKENS:,} tokens read an episode, assumed)"
    ]
