"""Models that are scored without being trained: a recipe's baselines, and any model by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.config import load, names, schema
from lemur.config.address import checked_url
from lemur.config.agents import check_backend, chosen_environments
from lemur.config.base import HUB, HUB_FILES, NEWEST, check_folder
from lemur.config.benchmarks import chosen_benchmarks
from lemur.config.model_shape import read_shape
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.core.files import read_json

NAME = "models"  # results/models/evaluate/<model>/<benchmark>/: of no recipe
REFUSED = "config: model: goes with the targets evaluate, agents, foundation and fetch: it scores a model and trains none"
FORMATS = ("completion", "chatml")
BACKENDS = ("transformers", "vllm", "server")
KEYS = ("benchmarks", "environments", "limit", "format", "backend", "server", "batch")


def baselines(named: list[Any], models: Mapping[str, Any], where: str) -> list[Values]:
    """``evaluate.baselines`` resolved: each a key of config/models.yaml, or the hub name of one."""
    hubs = {entry["from"]["hub"]: key for key, entry in models.items() if "hub" in entry["from"]}
    found: list[Values] = []
    for number, name in enumerate(named):
        key = hubs.get(name, name)
        if key not in models:
            raise UserError(f"{where}: evaluate.baselines.{number}: no model '{name}' in config/models.yaml{nearest(name, [*models, *hubs])}")  # fmt: skip
        if any(entry["name"] == key for entry in found):
            raise UserError(f"{where}: evaluate.baselines.{number}: '{name}' stands twice")
        found.append({"format": "completion", **models[key], "name": key})
    return found


def alone(recipe: Values, asked: Mapping[str, Any], project: Path | None = None) -> Values:
    """``recipe`` turned into the scoring of one model: ``asked`` holds model and KEYS.

    Precision, batch and the sandbox's limits are the recipe's; benchmarks are taken whole as
    config/benchmarks.yaml has them unless a limit is given. It plays the environments that are asked
    for, or the recipe's. Raises UserError in one line.
    """
    stray = [key for key in KEYS if key in asked]
    if "model" not in asked:
        raise UserError(f"config: {stray[0]}: goes with model=<hub name or folder>, which is missing")  # fmt: skip
    backend = _backend(asked)
    entry = _model(str(asked["model"]), project, served=backend["name"] == "server")
    form = asked.get("format", entry.get("format", "completion"))
    if form not in FORMATS:
        raise UserError(f"config: format: '{form}'{nearest(form, FORMATS)}")
    part = {key: value for key, value in recipe["evaluate"].items() if key != "models"}
    part |= {
        "models": [],
        "baselines": [{**entry, "format": form}],
        "benchmarks": _benchmarks(recipe, asked, project),
        "batch": asked.get("batch", part["batch"]),
    }
    part.pop("backend", None)
    if backend["name"] != "transformers":
        part["backend"] = backend
    made = {**recipe, "name": NAME, "evaluate": part}
    if "agents" in recipe or "environments" in asked:
        made["agents"] = _agents(recipe, asked, entry["name"], project)
        check_backend(made["agents"], backend, "config")
    return made


def _backend(asked: Mapping[str, Any]) -> Values:
    name = asked.get("backend", "server" if "server" in asked else "transformers")
    if name not in BACKENDS:
        raise UserError(f"config: backend: '{name}'{nearest(name, BACKENDS)}")
    if (name == "server") != ("server" in asked):
        raise UserError("config: backend: server and server=<URL> go together")
    if name != "server":
        return {"name": name}
    return {"name": name, "url": checked_url(str(asked["server"]), "config: server")}


def _model(name: str, project: Path | None, *, served: bool) -> Values:
    if served:
        return {"name": names.folder_name(name), "served": name, "description": f"{name}, served", "licence": "unknown"}  # fmt: skip
    folder = Path(name).expanduser()
    try:
        is_folder = folder.is_dir()
    except OSError as error:  # a name that is too long for a path
        raise UserError(f"config: model: '{name[:40]}...' of {len(name)} characters: {error.strerror}") from None  # fmt: skip
    if is_folder:
        return _folder(folder)
    if name.startswith(("/", ".", "~")):
        raise UserError(f"config: model: {name}: no such folder")
    models = load.catalogue("models", project)
    for key, entry in models.items():
        if name in (key, entry["from"].get("hub")) and "random" not in entry["from"]:
            return {"format": "completion", **entry, "name": key}
    hub = HUB.match(name)
    if hub is None:
        known = [key for key, entry in models.items() if "random" not in entry["from"]]
        raise UserError(f"config: model: '{name}' is neither a folder, nor owner/name[@commit] of the hub, nor in config/models.yaml{nearest(name, known)}")  # fmt: skip
    pin = {"hub": hub["hub"], "repo_type": "model", "files": HUB_FILES}
    return {
        "name": names.folder_name(name),
        "description": f"{name} of the hub",
        "from": {**pin, "revision": hub["revision"] or NEWEST},
        "licence": "unknown",
    }


def _folder(folder: Path) -> Values:
    check_folder(folder, "config: model", tokenizers=("tokenizer.json", "tokenizer.model"))
    whole = folder.resolve()
    return {
        "name": names.name_folder(whole),
        "folder": str(whole),
        "description": str(folder),
        "licence": "unknown",
        **_shape(folder),
    }


def _shape(folder: Path) -> Values:
    """``architecture`` of a Llama-type model, for the plan; nothing where it is of another kind."""
    try:
        return {"architecture": read_shape(read_json(folder / "config.json"), str(folder))}
    except UserError:
        return {}


def _benchmarks(recipe: Values, asked: Mapping[str, Any], project: Path | None) -> list[Values]:
    listed = asked.get("benchmarks")
    if listed is None:
        listed = [item["name"] for item in recipe["evaluate"]["benchmarks"] if "from" in item["data"]]  # fmt: skip
    items = [{"name": item} if isinstance(item, str) else dict(item) for item in listed]
    if "limit" in asked:
        items = [{"limit": asked["limit"], **item} for item in items]
    for number, item in enumerate(items):
        stray = sorted(set(item) - {"name", "limit", "max_new_tokens", "shots"})
        if stray or "name" not in item:
            raise UserError(f"config: benchmarks.{number}: name, limit, max_new_tokens and shots are allowed, not {', '.join(stray) or 'no name'}")  # fmt: skip
    found = chosen_benchmarks(items, load.catalogue("benchmarks", project), "config: benchmarks")
    for number, item in enumerate(found):
        if "from" not in item["data"]:
            raise UserError(f"config: benchmarks.{number}: '{item['name']}' reads a recipe's corpus, so it scores a recipe's models only")  # fmt: skip
    return found


def _agents(recipe: Values, asked: Mapping[str, Any], model: str, project: Path | None) -> Values:
    """What the one model plays; ``start``, of the recipe that gives the rest, may teach it."""
    usual = {key: recipe["evaluate"][key] for key in ("batch", "precision")}
    part = {**recipe.get("agents", usual), "models": [model]}
    if "batch" in asked:
        part["batch"] = asked["batch"]
    limit = {"limit": asked["limit"]} if "limit" in asked else {}
    if "environments" not in asked:
        listed = [{**item, **limit} for item in part["environments"]]
        for item in listed:
            item.pop("models", None)  # who plays it in the recipe
        for number, item in enumerate(listed):
            teacher = item.get("feedback", {"server": ""})
            if "server" not in teacher and teacher["model"] not in (model, "start"):
                raise UserError(f"config: model: agents.environments.{number}: '{teacher['model']}' gives feedback in recipe '{recipe['name']}' and is not loaded here: name a `server` that has it, or environments=[...]")  # fmt: skip
        return {**part, "environments": listed}
    items = [{"name": item} if isinstance(item, str) else dict(item) for item in asked["environments"]]  # fmt: skip
    part["environments"] = [{**limit, **item} for item in items]
    schema.check(part, "recipe", "config", "agents")
    players = (model, "start")
    return chosen_environments(part, load.catalogue("environments", project), players, "config")
