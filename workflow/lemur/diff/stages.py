"""Which stages of one recipe make something else than those of another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lemur.config import stages
from lemur.config.values import Values
from lemur.core.files import canonical

Slices = Callable[[Values], Mapping[str, Values]]


@dataclass(frozen=True)
class Stage:
    """``slices``: by a job's name, what of a recipe reaches it; ``after``: the stages whose output it
    reads."""

    name: str
    slices: Slices
    after: Sequence[str] = ()


def _sources(recipe: Values) -> list[Values]:
    return list(recipe["corpus"]["sources"])


def _benchmarks(recipe: Values) -> list[Values]:
    found = stages.downloaded_benchmarks(recipe)
    return [{**item["data"], "name": item["name"]} for item in found]


def _pins(entries: Callable[[Values], list[Values]]) -> Slices:
    return lambda recipe: {x["name"]: stages.download(x["name"], x) for x in entries(recipe)}


def _each(function: Callable[[Values, str], Any]) -> Slices:
    return lambda recipe: {x["name"]: function(recipe, x["name"]) for x in _sources(recipe)}


def _one(function: Callable[[Values], Any]) -> Slices:
    return lambda recipe: {"": function(recipe)}


def _heldout(recipe: Values) -> Mapping[str, Values]:
    return {kind: stages.heldout(recipe, kind) for kind in ("code", "text")}


def _scores(*models: str) -> Slices:
    """Of those of ``models`` that a recipe scores; where none is named, of its published ones."""

    def slices(recipe: Values) -> Mapping[str, Values]:
        part = recipe["evaluate"]
        published = [entry["name"] for entry in part.get("baselines", [])]
        chosen = [name for name in models if name in part["models"]] if models else published
        return {
            item["name"] if len(models) == 1 else f"{model} on {item['name']}": stages.judge(
                recipe, model, item["name"]
            )
            for item in part["benchmarks"]
            for model in chosen
        }

    return slices


# In running order, by the names of the results and of config/README.md. Conversations may be made of
# cleaned documents, and are compared with benchmarks as the corpus is.
STAGES = (
    Stage("corpus downloads", _pins(_sources)),
    Stage("instruction downloads", _pins(lambda recipe: recipe["sft"]["sources"])),
    Stage("benchmark downloads", _pins(_benchmarks)),
    Stage("base", _pins(lambda recipe: [recipe["base"]])),
    Stage("clean", _each(stages.clean), ("corpus downloads",)),
    Stage("signatures", _each(lambda recipe, name: stages.signatures(recipe)), ("clean",)),
    Stage("duplicates", _one(stages.duplicates), ("signatures",)),
    Stage("tokenize", _each(lambda recipe, name: stages.tokenize(recipe)), ("clean", "base")),
    Stage("mixture", _one(stages.plan), ("duplicates", "tokenize")),
    Stage("decontaminate", _one(stages.decontaminate), ("clean", "benchmark downloads")),
    Stage("heldout", _heldout, ("clean",)),
    Stage("pack", _one(stages.pack), ("mixture", "decontaminate", "heldout")),
    Stage("pretrain", _one(lambda recipe: stages.train(recipe, "pretrain")), ("pack", "base")),
    Stage(
        "conversations",
        _one(stages.conversations),
        ("instruction downloads", "clean", "benchmark downloads"),
    ),
    Stage("sft_tokens", _one(stages.sft_tokens), ("conversations",)),
    Stage("sft", _one(lambda recipe: stages.train(recipe, "sft")), ("pretrain", "sft_tokens")),
    Stage("scores of start", _scores("start"), ("base", "heldout", "benchmark downloads")),
    Stage(
        "scores of pretrained",
        _scores("pretrained"),
        ("pretrain", "heldout", "benchmark downloads"),
    ),
    Stage("scores of chat", _scores("chat"), ("sft", "heldout", "benchmark downloads")),
    Stage("scores of published models", _scores(), ("heldout", "benchmark downloads")),
)


@dataclass(frozen=True)
class Change:
    """A stage that may make something else. ``jobs``: names of those whose own settings differ;
    ``own``: whether any differ; ``because``: the stages that it reads from and that differ."""

    stage: str
    jobs: Sequence[str]
    own: bool
    because: Sequence[str]


def changes(first: Values, second: Values) -> tuple[list[Change], list[str]]:
    """Stages of ``second`` that may make something else than those of ``first``, in running order,
    and the names of those that make the same. That a recipe is called otherwise changes nothing."""
    changed: dict[str, Change] = {}
    same = []
    for stage in STAGES:
        before, after = stage.slices(first), stage.slices(second)
        if not before and not after:
            continue
        jobs = [
            name
            for name in dict.fromkeys([*before, *after])
            if _text(before.get(name)) != _text(after.get(name))
        ]
        because = [name for name in stage.after if name in changed]
        if jobs or because:
            named = [name for name in jobs if name]
            changed[stage.name] = Change(stage.name, named, bool(jobs), because)
        else:
            same.append(stage.name)
    return list(changed.values()), same


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = {key: inside for key, inside in value.items() if key != "recipe"}
    return canonical(value)
