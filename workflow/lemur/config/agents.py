"""Entries of config/environments.yaml as a recipe chooses them."""

from collections.abc import Collection, Mapping
from typing import Any

from lemur.config.address import checked_url
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest


def chosen_environments(
    part: Values, environments: Values, players: Collection[str], where: str
) -> Values:
    """A recipe's ``agents`` with each named environment's entry and all its settings.

    Raises:
        UserError: an environment or a setting that is not in config/environments.yaml, a name twice,
            a teacher where there is none or who cannot be one, or one who plays and is none of
            ``players``.
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
        resolved = {**with_parts(entry, settings), **_placed(entry, item), "environment": key, "settings": settings}  # fmt: skip
        resolved.pop("feedback", None)
        if "feedback" in item:
            having = [name for name, other in environments.items() if other.get("feedback")]
            if key not in having:
                raise UserError(f"{place}: feedback: '{key}' has no teacher (allowed: {', '.join(having)})")  # fmt: skip
            resolved["feedback"] = _checked_teacher(item["feedback"], players, f"{place}: feedback")
        listed.append(resolved)
    return {**part, "environments": listed}


def _checked_teacher(asked: Values, players: Collection[str], where: str) -> Values:
    if "server" in asked:
        return {**asked, "server": checked_url(asked["server"], f"{where}.server")}
    teachers = [name for name in players if name != "gold"]
    if asked["model"] not in teachers:
        raise UserError(f"{where}.model: '{asked['model']}'{nearest(asked['model'], teachers)}, or a model that a `server` has")  # fmt: skip
    return asked


def check_backend(part: Values, backend: Mapping[str, Any], where: str) -> None:
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


def with_parts(entry: Values, settings: Values) -> Values:
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


def _placed(entry: Values, item: Values) -> Values:
    """The recipe's own words on an entry; ``shipped`` is set where the tasks come with the project:
    where the recipe asks for those, and where no others are."""
    here = item.get("data") == "shipped" or "data" not in entry
    said = {key: value for key, value in item.items() if key != "data"}
    return {**said, "shipped": entry.get("shipped") if here else None}
