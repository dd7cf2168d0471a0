"""What it costs that models play: tokens of answers and of what is read, before anything is played.

Means of the paper's own chat model in the 586 recorded episodes of MINT that reports/paper counts: of
five turns 3.8 were taken, an answer had 267 tokens. How much an episode reads is assumed: an episode's
keys and values are kept from turn to turn, so that each token is read once.
"""

from dataclasses import dataclass
from typing import Any

from lemur.cost.architecture import parameters
from lemur.cost.generation import generation_devices, generation_seconds

TURNS_TAKEN = 3.8 / 5
ANSWER_TOKENS = 267
READ_TOKENS = 2_500


@dataclass(frozen=True)
class Played:
    """What one model plays: ``episodes``, tokens of its ``answers`` and tokens that it has ``read``."""

    episodes: int
    answers: float
    read: float


def played(entries: list[dict[str, Any]]) -> Played:
    """The sum over entries of a recipe's ``agents.environments``; one whose number of tasks nothing
    says counts as 100 episodes."""
    episodes, answers = 0, 0.0
    for entry in entries:
        tasks = entry.get("tasks", 100)
        count = min(entry.get("limit") or tasks, tasks)
        settings = entry["settings"]
        turns = TURNS_TAKEN * settings.get("turns", settings.get("steps", 1))
        episodes += count
        answers += count * max(1.0, turns) * min(ANSWER_TOKENS, entry.get("max_new_tokens", 512))
    return Played(episodes, answers, READ_TOKENS * episodes)


def seconds(recipe: dict[str, Any], found: Played) -> float:
    """Of the model on its devices, two FLOPs a parameter and token."""
    shape, price = recipe["base"]["architecture"], recipe["cost"]
    reading = 2 * parameters(shape)["total"] * found.read
    peak = price["device_tflops"] * 1e12 * price["utilisation"]
    return generation_seconds(recipe, shape, found.answers) + reading / peak


def devices(recipe: dict[str, Any]) -> int:
    """GPUs that hold the model, one at work at a time; 1 on a CPU."""
    if recipe["pretrain"]["parallel"]["device"] != "cuda":
        return 1
    return generation_devices(recipe, recipe["base"]["architecture"])


def agents(recipe: dict[str, Any]) -> dict[str, Any] | None:
    """The plan of a recipe's agents as JSON data, None where it names none. ``device_hours`` of all
    models; the known solutions cost none."""
    part = recipe.get("agents")
    if part is None:
        return None
    hours, episodes, models = 0.0, 0, set()
    for entry in part["environments"]:
        found = played([entry])
        playing = [model for model in entry.get("models", part["models"]) if model != "gold"]
        models |= set(playing)
        episodes += found.episodes * len(playing)
        hours += len(playing) * seconds(recipe, found) * devices(recipe) / 3600
    return {
        "environments": len(part["environments"]),
        "models": sorted(models),
        "episodes": episodes,
        "device_hours": hours,
    }


def agents_line(recipe: dict[str, Any]) -> list[str]:
    """One line for a person; none where no agents are named."""
    made = agents(recipe)
    if made is None:
        return []
    unit = "GPU-hours" if recipe["pretrain"]["parallel"]["device"] == "cuda" else "device-hours"
    hours = made["device_hours"]
    spent = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"
    who = ", ".join(made["models"]) or "no model, only known solutions"
    return [
        f"{made['environments']} environments, {made['episodes']:,} episodes of {who}: about {spent}"
        f" {unit} ({ANSWER_TOKENS} tokens an answer and {TURNS_TAKEN:.0%} of the turns, as recorded; "
        f"{READ_TOKENS:,} tokens read an episode, assumed)"
    ]
