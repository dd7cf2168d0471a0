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
    chosen = [(f"{where}.models", part["models"])]
    chosen += [(f"{where}.environments.{number}.models", item["models"])
               for number, item in enumerate(part["environments"]) if "models" in item]  # fmt: skip
    for place, models in chosen:
        for model in models:
            if model not in players:
                raise UserError(f"{place}: '{model}'{nearest(model, players)}")
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
        entry = environments[key]
        if item.get("data") == "shipped" and "shipped" not in entry:
            raise UserError(f"{place}: data: no tasks of '{key}' come with the project: leave the key out")  # fmt: skip
        listed.append({**with_parts(entry, settings), **_placed(entry, item), "environment": key, "settings": settings})  # fmt: skip
    return {**part, "environments": listed}


def with_parts(entry: Recipe, settings: Recipe) -> Recipe:
    """An entry with what the chosen values of its settings need besides: ``needs`` is whole,
    ``games`` names the environment whose data are read too, ``tasks`` is how many there are."""
    made = {key: value for key, value in entry.items() if key != "parts"}
    for setting, values in entry.get("parts", {}).items():
        chosen = settings[setting] if isinstance(settings[setting], list) else [settings[setting]]
        parts = [values.get(value, {}) if isinstance(value, str) else {} for value in chosen]
        for part in parts:
            made["needs"] = [*made["needs"], *part.get("needs", [])]
            made |= {"games": part["games"]} if "games" in part else {}
        if all("tasks" in part for part in parts):
            made["tasks"] = sum(part["tasks"] for part in parts)
    return made


def _placed(entry: Recipe, item: Recipe) -> Recipe:
    """The recipe's own words on an entry; ``shipped`` is set where the tasks come with the project:
    where the recipe asks for those, and where no others are."""
    here = item.get("data") == "shipped" or "data" not in entry
    said = {key: value for key, value in item.items() if key != "data"}
    return {**said, "shipped": entry.get("shipped") if here else None}
