"""Resolve a recipe: its own values plus the corpus, sources, model and benchmarks it names."""

from pathlib import Path

from lemur.config import load, project, schema, scoring
from lemur.config.address import checked_url
from lemur.config.agents import check_backend, chosen_environments
from lemur.config.base import find_base
from lemur.config.benchmarks import chosen_benchmarks
from lemur.config.engine import engine_for
from lemur.config.values import Values
from lemur.core import contracts
from lemur.core.errors import UserError, nearest
from lemur.cost.architecture import Architecture
from lemur.cost.fit import largest_micro
from lemur.cost.recipe import Training


def resolve(name: str, values: Values | None = None) -> Values:
    """The recipe ``name`` with everything it refers to, validated before any job starts.

    ``name``: of a file in config/recipes, or the path of one with a project's files beside it.

    ``values``: ``{dotted.key: value}`` replaced for this run. The result is plain JSON data; its
    canonical digest identifies the run. Raises UserError in one line.
    """
    file = project.recipe_file(name)
    beside = file and file.parent
    where = load.shown(file) if file else f"config/recipes/{name}.yaml"
    recipe = _raw(name)
    name = file.stem if file else name
    if values:
        recipe = load.with_values(recipe, values)
        where += f" with set {', '.join(map(str, values))}"
    return resolve_raw(recipe, name, where, beside)


def resolve_raw(recipe: Values, name: str, where: str, beside: Path | None = None) -> Values:
    """A recipe's mapping, with what it extends below it, resolved and validated as ``resolve`` says.

    ``where`` names its file in messages; ``beside``: the folder of a project, whose files are laid
    over those of config/.
    """
    schema.check(recipe, "recipe", where)
    corpus = load.corpus(recipe["corpus"], beside)
    sources, models, benchmarks = (
        load.catalogue(kind, beside) for kind in ("sources", "models", "benchmarks")
    )
    resolved = {
        **recipe,
        "name": name,
        "corpus": {
            **corpus,
            "name": recipe["corpus"],
            "sources": _corpus(corpus, sources, recipe, where, beside),
        },
        "base": find_base(recipe["base"], models, where, beside),
        "sft": {**recipe["sft"], "sources": _sft(recipe, sources, where)},
        "evaluate": _evaluate(recipe["evaluate"], benchmarks, models, where),
    }
    if resolved.get("agents") is None:  # an overlay may leave them out by null
        resolved.pop("agents", None)
    else:
        environments = load.catalogue("environments", beside)
        published = [entry["name"] for entry in resolved["evaluate"].get("baselines", [])]
        players = ("gold", "start", "pretrained", "chat", *published)
        resolved["agents"] = chosen_environments(
            recipe["agents"], environments, players, f"{where}: agents"
        )
        backend = recipe["evaluate"].get("backend", {})
        check_backend(resolved["agents"], backend, f"{where}: agents")
    resolved.pop("provenance", None)
    for stage in ("pretrain", "sft"):
        resolved[stage] = _with_micro(resolved, stage)
    _check(resolved, where)
    return resolved


def _with_micro(recipe: Values, stage: str) -> Values:
    """``micro_batch_sequences: auto`` as a number, from the plan's memory model."""
    part = recipe[stage]
    if part["micro_batch_sequences"] != "auto":
        return part
    layout = part["parallel"]
    ranks = layout["nodes"] * layout["processes_per_node"]
    part = {**part, "engine": engine_for(part["engine"], layout["device"], ranks)}
    room = recipe["cost"]["device_memory_gb"] * 1e9
    shape = Architecture.read(recipe["base"]["architecture"])
    tried = contracts.part(Training, {**part, "micro_batch_sequences": 1}, stage)
    return {**part, "micro_batch_sequences": largest_micro(shape, tried, room)}


def _raw(name: str) -> Values:
    """A file of config/recipes or of a project."""
    file = project.recipe_file(name)
    return load.recipe_of(file, file.parent) if file else load.raw_recipe(name)


def _corpus(
    corpus: Values, sources: Values, recipe: Values, asked: str, beside: Path | None
) -> list[Values]:
    where = load.shown(load.named_file("corpora", recipe["corpus"], "corpus", beside))
    catalogue = "config/sources.yaml" + (f" or {beside}/sources.yaml" if beside else "")
    listed, names = [], set()
    for item in corpus["sources"]:
        source = item["name"]
        if source not in sources:
            raise UserError(f"{where}: sources: no source '{source}' in {catalogue}{nearest(source, sources)}")  # fmt: skip
        if source in names:
            raise UserError(f"{where}: sources: '{source}' stands twice")
        names.add(source)
        entry = {**sources[source], **item}
        if entry["kind"] not in ("code", "text"):
            raise UserError(f"{where}: sources: '{source}' is of kind {entry['kind']}: a corpus takes code and text")  # fmt: skip
        if entry["status"] == "unavailable":
            raise UserError(f"{where}: sources: '{source}' is unavailable: name its substitute")  # fmt: skip
        if entry.get("set") == "fresh":
            after, released = corpus.get("fresh_after"), entry.get("released")
            if not after or not released or released[:10] <= after:
                raise UserError(f"{where}: sources: '{source}' of the set fresh was released {released or 'at a time that config/sources.yaml does not give'}; needed is after fresh_after: {after}")  # fmt: skip
        listed.append(entry)
    for kind in ("code", "text"):
        mine = {entry["name"] for entry in listed if entry["kind"] == kind and "set" not in entry}
        if not mine:
            raise UserError(f"{where}: sources: none is of kind {kind}")
        weights = recipe["mixture"]["weights"][kind]
        for source in weights if isinstance(weights, dict) else ():
            if source not in mine:
                raise UserError(f"{asked}: mixture.weights.{kind}.{source}: not a {kind} source of corpus '{recipe['corpus']}'{nearest(source, mine)}")  # fmt: skip
    return listed


def _sft(recipe: Values, sources: Values, where: str) -> list[Values]:
    listed = []
    accepted = recipe["sft"].get("accept_terms", [])
    binding = {key for key, value in sources.items() if value.get("terms")}
    for name in accepted:
        if name not in binding:
            raise UserError(f"{where}: sft.accept_terms: '{name}' is no source with terms{nearest(name, binding)}")  # fmt: skip
    for number, item in _with_substitutes(recipe["sft"]["sources"], accepted):
        name = item["name"]
        if item["format"] == "docstring":
            listed.append(dict(item))
            continue
        known = {key for key, value in sources.items() if value["kind"] == "sft"}
        if name not in known:
            raise UserError(f"{where}: sft.sources.{number}: no SFT source '{name}' in config/sources.yaml{nearest(name, known)}")  # fmt: skip
        if sources[name].get("terms") and name not in accepted:
            raise UserError(f"{where}: sft.sources.{number}: '{name}' has terms that bind its user ({sources[name]['terms']}): read them and add it to sft.accept_terms")  # fmt: skip
        if item["format"] == "own" and "path" not in sources[name]:
            raise UserError(f"{where}: sft.sources.{number}: '{name}': format own: its entry of sources.yaml names no path, the folder of its reader")  # fmt: skip
        listed.append({**sources[name], **item})
    return listed


def _with_substitutes(listed: list[Values], accepted: list[str]) -> list[tuple[int, Values]]:
    """Each source by its number; where it has substitutes and is not accepted, those."""
    chosen = []
    for number, item in enumerate(listed):
        others = item.get("substitutes", [])
        mine = {key: value for key, value in item.items() if key != "substitutes"}
        taken = others if others and item["name"] not in accepted else [mine]
        chosen += [(number, name) for name in taken]
    return chosen


def _evaluate(part: Values, benchmarks: Values, models: Values, where: str) -> Values:
    place = f"{where}: evaluate.benchmarks"
    made = {**part, "benchmarks": chosen_benchmarks(part["benchmarks"], benchmarks, place)}
    if "baselines" in part:
        made["baselines"] = scoring.baselines(part["baselines"], models, where)
    if "url" in part.get("backend", {}):
        checked_url(part["backend"]["url"], f"{where}: evaluate.backend.url")
    return made


def _check(recipe: Values, where: str) -> None:
    """What no schema can say: values that must agree with each other; ``auto`` becomes what it means."""
    longest = recipe["base"]["architecture"]["max_context"]
    for stage in ("pretrain", "sft"):
        part = recipe[stage]
        context, batch = part["context"], part["global_batch_tokens"]
        if context > longest:
            raise UserError(f"{where}: {stage}.context: {context} is longer than the {longest} positions of '{recipe['base']['name']}'")  # fmt: skip
        ranks = part["parallel"]["nodes"] * part["parallel"]["processes_per_node"]
        part["engine"] = engine_for(part["engine"], part["parallel"]["device"], ranks)
        if part["engine"] == "torch" and ranks > 1:
            raise UserError(f"{where}: {stage}.engine: torch runs one process; {ranks} ranks need deepspeed")  # fmt: skip
        unit = context * part["micro_batch_sequences"] * ranks
        if batch % unit:
            raise UserError(f"{where}: {stage}.global_batch_tokens: {batch} is not a multiple of context x micro_batch_sequences x ranks = {unit}")  # fmt: skip
    tokens, context = recipe["pretrain"]["tokens"], recipe["pretrain"]["context"]
    batch = recipe["pretrain"]["global_batch_tokens"]
    if tokens % batch:
        near = max(batch, round(tokens / batch) * batch)
        raise UserError(f"{where}: pretrain.tokens: {tokens} is not a multiple of pretrain.global_batch_tokens {batch}: the nearest is {near}")  # fmt: skip
    part = recipe["evaluate"]
    if "chat" in part["models"] and not recipe["sft"]["sources"]:
        raise UserError(f"{where}: evaluate.models: chat needs sft.sources")
    for number, item in enumerate(part["benchmarks"]):
        if item["data"].get("heldout") == "conversations" and not recipe["sft"]["sources"]:
            raise UserError(f"{where}: evaluate.benchmarks.{number}: {item['name']} needs sft.sources, of which it takes what is not trained on")  # fmt: skip
    if not part["models"] and not part.get("baselines"):
        raise UserError(f"{where}: evaluate.models: empty, and no evaluate.baselines either")
    if "pretrained" in part["models"] and recipe["sft"].get("from") == "start":
        raise UserError(f"{where}: evaluate.models: pretrained: with sft.from start nothing is pretrained")  # fmt: skip
    if part.get("backend", {}).get("name") == "server":
        raise UserError(f"{where}: evaluate.backend: a server serves one model: use --config model=<served name> server=<URL>")  # fmt: skip
