"""Entries of config/environments.yaml as a recipe chooses them."""

from collections.abc import Collection
from typing import Any

from lemur.errors import UserError, nearest

Recipe = dict[str, Any]


def chosen_environments(
    part: Recipe, environments: Recipe, players: Collection[str], where: str
) -> Recipe:
    """A recipe's ``agents`` with each named environment's entry and all its settings.

    Raises:
        UserError: an environment or a setting that is not in config/environments.yaml, a name twice,
            or one who plays and is none of ``players``.
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
        listed.append({**environments[key], **item, "environment": key, "settings": settings})
    return {**part, "environments": listed}
