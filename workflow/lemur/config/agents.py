"""Entries of config/environments.yaml as a recipe chooses them."""

from collections.abc import Collection, Mapping
from typing import Any

from lemur.config.address import checked_url
from lemur.errors import UserError, nearest

Recipe = dict[str, Any]


def chosen_environments(
    part: Recipe, environments: Recipe, players: Collection[str], where: str
) -> Recipe:
    """A recipe's ``agents`` with each named environment's entry and all its settings.

    Raises:
        UserError: an environment or a setting that is not in config/environments.yaml, a name twice,
            a teacher where there is none or who cannot be one, or one who plays and is none of
            ``players``.
    """
    for model in part["models"]:
        if model not in players:
            raise UserError(f"{where}.models: '{model}'{nearest(model, players)}")
    listed, names = [], set()
    for number, item in enumerate(part["environments"]):
        place, name = f"{where}.environments.{number}", item["name"]
        key = item.get("environment", name)
        if key not in environments:
            raise UserError(f"{place}: no environment '{key}' in config/environments.yaml{nearest(key, environments)}")  # fmt: skip
        if name in names:
            raise UserError(f"{place}: '{name}' stands twice")
        names.add(name)
        known = environments[key]["settings"]
        for setting in item.get("settings", {}):
            if setting not in known:
                raise UserError(f"{place}: settings: '{key}' has no '{setting}'{nearest(setting, known)}")  # fmt: skip
        settings = {**known, **item.get("settings", {})}
        entry = {**environments[key], **item, "environment": key, "settings": settings}
        entry.pop("feedback", None)
        if "feedback" in item:
            having = [name for name, other in environments.items() if other.get("feedback")]
            if key not in having:
                raise UserError(f"{place}: feedback: '{key}' has no teacher (allowed: {', '.join(having)})")  # fmt: skip
            entry["feedback"] = _checked_teacher(item["feedback"], players, f"{place}: feedback")
        listed.append(entry)
    return {**part, "environments": listed}


def _checked_teacher(asked: Recipe, players: Collection[str], where: str) -> Recipe:
    if "server" in asked:
        return {**asked, "server": checked_url(asked["server"], f"{where}.server")}
    teachers = [name for name in players if name != "gold"]
    if asked["model"] not in teachers:
        raise UserError(f"{where}.model: '{asked['model']}'{nearest(asked['model'], teachers)}, or a model that a `server` has")  # fmt: skip
    return asked


def check_backend(part: Recipe, backend: Mapping[str, Any], where: str) -> None:
    """vLLM takes a device for one model: a teacher is then who plays, or a server has it.

    Raises:
        UserError: a teacher that vLLM would have to load beside a player.
    """
    if backend.get("name") != "vllm":
        return
    for number, entry in enumerate(part["environments"]):
        asked = entry.get("feedback", {"server": ""})
        players = entry.get("models", part["models"])
        others = {model for model in players if model != "gold"} - {asked.get("model")}
        if "server" not in asked and others:
            raise UserError(f"{where}.environments.{number}: feedback.model: vLLM loads one model for a job: with {', '.join(sorted(others))} playing, a `server` must have '{asked['model']}'")  # fmt: skip
