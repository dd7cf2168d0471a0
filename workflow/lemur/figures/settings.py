"""config/figures.yaml to the ``--spec`` of one figure (needs no matplotlib: rules call it)."""

import copy
from collections.abc import Mapping
from typing import Any

from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.download import hub_lock

Config = Mapping[str, Any]

MODELS = ("start", "pretrained", "chat")
# Figures with a row for each model.
BY_MODEL = ("bits_per_byte", "scores", "action_bits")
# Figures of what agents play, which only a recipe with agents has.
CAPABILITIES = ("tool_table", "self_debugging_table", "feedback_table", "environment_table")
OF_AGENTS = ("live_agents", "live_agents_by_turn", "live_agent_radar", *CAPABILITIES)
# Models of the hub by the name that the authors' records have for them.
RECORDED = {
    "OpenLemur/lemur-70b-v1": "lemur-70b-v1",
    "OpenLemur/lemur-70b-chat-v1": "lemur-70b-chat-v1",
    "codellama/CodeLlama-34b-Instruct-hf": "CodeLlama-34b-Instruct-hf",
    "meta-llama/Llama-2-70b-chat-hf": "Llama-2-70b-chat-hf",
}
# Who plays the known solutions, which is no model.
KNOWN_SOLUTIONS = {"gold": "known solutions (no model)"}


def spec(config: Config, name: str, recipe: Config | None = None) -> Values:
    """The settings of figure ``name``: the common style, its own entry and, where it has a row for
    each model of a recipe, these models in order.

    A colour belongs to one figure, so that changing it reruns that figure alone. Rules hand the
    settings over as canonical JSON, which sorts the keys of every mapping: what has an order is a list.
    """
    figures = config.get("figures", {})
    if name not in figures:
        raise UserError(f"config/figures.yaml: figures: no '{name}'{nearest(name, figures)}")
    own = copy.deepcopy(dict(figures[name] or {}))
    own["style"] = {**config.get("style", {}), **own.get("style", {})}
    if recipe is not None:
        own["recipe"] = recipe["name"]
        if name in BY_MODEL:
            own["models"] = models(config, recipe)
        if name in OF_AGENTS:
            own["players"] = players(config, recipe)
            named = {entry["name"] for entry in own["players"]}
            # Colours of those who do not play would be refused as unknown series.
            others = {model for model in MODELS if model not in named}
            if "colours" in own:
                own["colours"] = {k: v for k, v in own["colours"].items() if k not in others}
    return own


def ranking(config: Config, recipe: Config) -> Values:
    """The settings of the figure that holds bits per byte of actions against success: the models that
    are scored or play, and the names that the authors' records have for those of the hub."""
    part = recipe.get("evaluate", {})
    published = part.get("baselines", [])
    scored = {*part.get("models", ()), *(entry["name"] for entry in published)}
    entries = {"start": recipe["base"]} | {entry["name"]: entry for entry in published}
    hubs = {name: entry.get("from", {}).get("hub") for name, entry in entries.items()}
    return {
        **spec(config, "action_ranking"),
        "recipe": recipe["name"],
        "seed": recipe["seed"],
        "models": [entry for entry in models(config, recipe) if entry["name"] in scored],
        "players": players(config, recipe) if "agents" in recipe else [],
        "recorded": {name: RECORDED[hub] for name, hub in hubs.items() if hub in RECORDED},
    }


def players(config: Config, recipe: Config) -> list[dict[str, str]]:
    """Who plays a recipe's environments, in its order, each with what it is called; those that play
    one environment alone come last."""
    named = {entry["name"]: entry["label"] for entry in models(config, recipe)} | KNOWN_SOLUTIONS
    part = recipe["agents"]
    alone = [name for item in part.get("environments", []) for name in item.get("models", [])]
    playing = dict.fromkeys([*part["models"], *alone])
    return [{"name": name, "label": named[name]} for name in playing]


def models(config: Config, recipe: Config) -> list[dict[str, str]]:
    """A recipe's models in the order in which figures list them, each with what it is called: the
    start, what was trained from it, then published models."""
    listed = [{"name": name, "label": label} for name, label in labels(config, recipe).items()]
    for entry in recipe.get("evaluate", {}).get("baselines", []):
        listed.append({"name": entry["name"], "label": entry.get("description", entry["name"])})
    return listed


def labels(config: Config, recipe: Config) -> dict[str, str]:
    """What each model of a recipe is called, in every figure, table and sentence.

    A start that is not listed is named after its entry: nothing is called a base model by default.
    """
    base = recipe["base"]
    base = base["name"] if isinstance(base, Mapping) else str(base)
    start = config.get("start_labels", {}).get(base, f"start ({base})")
    return {"start": start, "pretrained": "pretrained", "chat": "chat"}


def foundation(config: Config, recipe: Config, catalogue: Config) -> Values:
    """The settings of the table that sets our scores beside the paper's: which row of the paper
    each model is compared with, and whether it is the paper's own model. ``catalogue``: the entries
    of config/benchmarks.yaml."""
    own = copy.deepcopy(dict(config["figures"]["foundation"]))
    rows, named = own.pop("rows"), labels(config, recipe)
    base = recipe["base"].get("paper")
    models = [
        {
            "name": name,
            "label": named[name],
            "paper": base if name == "start" else rows[name],
            "own": name == "start" and base is not None,
            "papers_size": as_the_paper(config, recipe),
        }
        for name in recipe["evaluate"]["models"]
    ]
    for entry in recipe["evaluate"].get("baselines", []):
        paper = entry.get("paper")
        label = entry.get("description", entry["name"])
        models.append(
            {"name": entry["name"], "label": label, "paper": paper, "own": paper is not None}
        )
    chosen = {item["name"] for item in recipe["evaluate"]["benchmarks"]}
    differs = {
        name: difference for name, difference in own.pop("differs").items() if name in chosen
    }
    return {
        **own,
        "recipe": recipe["name"],
        "models": models,
        "benchmarks": differs,
        "hub_only": hub_only(catalogue, chosen),
    }


def as_the_paper(config: Config, recipe: Config) -> bool:
    """Whether a recipe trains the paper's model on at least its tokens (figures.yaml, report.paper)."""
    paper = config["report"]["paper"]
    tokens = recipe.get("pretrain", {}).get("tokens") or 0
    return recipe["base"]["name"] == paper["base"] and tokens >= paper["tokens"]


def hub_only(catalogue: Config, chosen: set[str]) -> dict[str, bool]:
    """Benchmarks whose data is on the hub alone and whose files nobody has looked up there yet
    (``hub_lock``): whether the recipe asks them."""
    pins = {name: source["data"].get("from", {}) for name, source in catalogue.items()}
    return {
        name: name in chosen
        for name, pin in sorted(pins.items())
        if "hub" in pin and hub_lock.files(pin) is None
    }


def report_spec(config: Config, recipe: Config, **facts: Any) -> Values:
    """The settings of the report: title, sections, colours, and the resolved recipe itself."""
    report = config.get("report", {})
    return {**report, **facts, "recipe": recipe, "labels": labels(config, recipe)}
