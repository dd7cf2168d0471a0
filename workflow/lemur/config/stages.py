"""The slice of a resolved recipe that each script is given as ``--spec``.

A slice holds what changes the stage's output and nothing else, since Snakemake reruns a job whose
params changed: a new learning rate must not reach the corpus, a new ratio not the tokenizer.
"""

from lemur.config.values import Values
from lemur.core.provenance import ROOT

# Raised by hand when a stage's code changes what it writes: the rules pass it as a param.
VERSION = {
    "download": 1,
    "model": 1,
    "clean": 6,
    "duplicates": 3,
    "datasheet": 5,
    "mix": 4,
    "tokenize": 1,
    "pack": 1,
    "pretrain": 2,
    "sft": 5,
    "generate": 4,
    "judge": 7,
    "agents": 2,
    "play": 2,
    "judge_episodes": 1,
    "episode_pages": 1,
    "export_episodes": 1,
    "replay": 2,
    "card": 2,
    "samples": 1,
    "export": 1,
    "figures": 7,
    "study": 2,
}

_DOWNLOAD = ("from", "sha256", "size", "licence")
_LOCAL = ("from", "licence", "format", "include", "exclude", "follow_links")
_CLEAN = ("name", "kind", "format", "include", "exclude", "languages", "licence", "max_mb")
_CLEAN += ("convert",)


def _some(entry: Values, keys: tuple[str, ...]) -> Values:
    return {key: value for key, value in entry.items() if key in keys}


def download(name: str, entry: Values, part: int = 0) -> Values:
    """A source's, model's or benchmark's pin; of files of this machine, the hash of a part's."""
    if "listing" in entry:
        chosen = _some(entry, _LOCAL)
        return {"name": name, **chosen, "listing": entry["listing"][part]}
    return {"name": name, **_some(entry, _DOWNLOAD)}


def clean(recipe: Values, source: str) -> Values:
    """One source and the corpus' thresholds for its kind, or the source's own."""
    entry = next(item for item in recipe["corpus"]["sources"] if item["name"] == source)
    fields = tuple(key for key in entry if key.endswith("_field"))
    cleaning = dict(recipe["corpus"]["cleaning"])
    chosen = entry.get("filters", cleaning["filters"][entry["kind"]])
    # Where a threshold is from changes no document.
    cleaning["filters"] = [
        {key: value for key, value in quality_filter.items() if key != "source"}
        for quality_filter in chosen
    ]
    return {
        "source": _some(entry, _CLEAN + fields),
        "cleaning": cleaning,
        "heldout": {"share": 1.0} if "set" in entry else recipe["corpus"]["heldout"],
        "max_mb": entry.get("max_mb"),
    }


def signatures(recipe: Values) -> Values:
    """What a signature is made of; how near counts as a duplicate asks for no other."""
    settings = recipe["corpus"]["deduplication"] or {}
    keys = ("shingle", "permutations", "bands")
    return {"deduplication": {key: settings[key] for key in keys if key in settings}}


def duplicates(recipe: Values) -> Values:
    """Sources compared with each other, and how near counts as a duplicate."""
    return {
        "sources": [source["name"] for source in recipe["corpus"]["sources"]],
        "deduplication": recipe["corpus"]["deduplication"],
    }


def datasheet(recipe: Values) -> Values:
    """The corpus' description and its sources' pins."""
    keys = ("name", "kind", "licence", "citation", "status", "substitute_for")
    return {
        "corpus": recipe["corpus"]["name"],
        "recipe": recipe["name"],
        "description": recipe["corpus"].get("description", ""),
        "sources": [_some(source, keys) for source in recipe["corpus"]["sources"]],
    }


def mixture_table(recipe: Values) -> Values:
    return {"sources": [source["name"] for source in recipe["corpus"]["sources"]]}


def plan(recipe: Values) -> Values:
    """The mixture; ``context`` because whole sequences are planned."""
    return {
        "recipe": recipe["name"],
        "seed": recipe["seed"],
        "tokens": recipe["pretrain"]["tokens"],
        "context": recipe["pretrain"]["context"],
        "code_to_text": recipe["mixture"]["code_to_text"],
        "weights": recipe["mixture"]["weights"],
        "max_epochs": recipe["mixture"]["max_epochs"],
        "sources": [_some(source, ("name", "kind")) for source in recipe["corpus"]["sources"]],
        **_some(recipe["mixture"], ("temperature", "code_share")),
    }


def decontaminate(recipe: Values) -> Values:
    names = [item["name"] for item in downloaded_benchmarks(recipe)]
    return {"benchmarks": names, **recipe["mixture"]["decontamination"]}


def downloaded_benchmarks(recipe: Values) -> list[Values]:
    """Benchmarks with data of their own (bits per byte reads the corpus' held-out split)."""
    return [item for item in recipe["evaluate"]["benchmarks"] if "from" in item["data"]]


def heldout(recipe: Values, kind: str) -> Values:
    """``kind``: code or text; after the name of a set, of the sources that are its (``fresh_code``)."""
    chosen, _, own = kind.rpartition("_")
    names = [
        item["name"]
        for item in recipe["corpus"]["sources"]
        if (item.get("set", ""), item["kind"]) == (chosen, own)
    ]
    return {
        "kind": kind,
        "seed": recipe["seed"],
        "sources": names,
        **recipe["evaluate"]["heldout"],
    }


def tokenize(recipe: Values) -> Values:
    """The model in whose name token files are kept: models of one tokenizer may share them."""
    base = recipe["base"]
    return {"tokenizer": base.get("tokenized_as", base["name"])}


# After the name of a folder of token files: code whose lines were shuffled before.
SHUFFLED = "-shuffled-lines"


def token_folder(recipe: Values, kind: str) -> str:
    """The folder of token files that a recipe reads of sources of one kind."""
    shuffled = kind == "code" and recipe["mixture"].get("code_lines") == "shuffled"
    return tokenize(recipe)["tokenizer"] + (SHUFFLED if shuffled else "")


def token_files(folder: str) -> Values:
    """What the token files of a folder are made with: the tokenizer, and what is done before."""
    name = folder.removesuffix(SHUFFLED)
    return {"tokenizer": name, **({"lines": "shuffled"} if name != folder else {})}


def pack(recipe: Values) -> Values:
    return {
        "seed": recipe["seed"],
        "context": recipe["pretrain"]["context"],
        "packing": recipe["pretrain"]["packing"],
        "max_epochs": recipe["mixture"]["max_epochs"],
    }


def train(recipe: Values, stage: str) -> Values:
    """``stage``: pretrain or sft; the same shape for both."""
    part = dict(recipe[stage])
    for key in ("sources", "accept_terms", "template", "max_examples", "packing", "from"):
        part.pop(key, None)
    written = {
        source["name"]: {
            key: source[key] for key in ("generated_by", "licence", "terms") if key in source
        }
        for source in recipe["sft"]["sources"]
        if stage == "sft" and "generated_by" in source
    }
    if written:
        part["generated_data"] = written
    return {
        "stage": stage,
        "recipe": recipe["name"],
        "seed": recipe["seed"],
        "tokens": part.pop("tokens", None),
        "epochs": part.pop("epochs", None),
        "vocabulary": recipe["sft"]["template"] if stage == "sft" else "keep",
        **part,
    }


def conversations(recipe: Values) -> Values:
    listed = [
        _some(item, ("name", "format", "examples", "path")) for item in recipe["sft"]["sources"]
    ]
    return {"sources": listed, "seed": recipe["seed"]}


def heldout_conversations(recipe: Values) -> Values:
    """Of sources as they are trained on, so many conversations beyond; overlaps as decontamination has them."""
    return {
        **conversations(recipe),
        **_some(recipe["evaluate"]["heldout"], ("documents", "max_bytes")),
    }


def sft_tokens(recipe: Values) -> Values:
    return {
        "context": recipe["sft"]["context"],
        "seed": recipe["seed"],
        "template": recipe["sft"]["template"],
        "max_examples": recipe["sft"]["max_examples"],
    }


def baseline(recipe: Values, model: str) -> Values | None:
    """The published model of that name that the recipe scores, or None for one of its own."""
    listed = recipe["evaluate"].get("baselines", [])
    return next((entry for entry in listed if entry["name"] == model), None)


def backend(recipe: Values, model: str) -> Values | None:
    """What answers for a model, where that is not the engine here: vLLM, or the server that has it."""
    chosen, published = recipe["evaluate"].get("backend", {}), baseline(recipe, model)
    if published and "served" in published:
        return {**chosen, "served": published["served"]}
    return chosen if chosen.get("name") == "vllm" else None


def generate(recipe: Values, model: str, benchmark: str) -> Values:
    entry = next(x for x in recipe["evaluate"]["benchmarks"] if x["name"] == benchmark)
    part, published = recipe["evaluate"], baseline(recipe, model)
    own = "chatml" if model == "chat" else "completion"
    elsewhere = backend(recipe, model)
    return {
        **entry,
        "benchmark": benchmark,
        "model": model,
        "format": entry.get("format") or (published["format"] if published else own),
        "precision": part["precision"],
        "batch": part["batch"],
        "seed": recipe["seed"],
        **({"backend": elsewhere} if elsewhere else {}),
    }


def environment(recipe: Values, name: str) -> Values:
    """The entry of a recipe's ``agents`` by its name. With ``if_built`` it needs of the environments under
    .envs/ only what stands there: a task that cannot be played without the others is left out."""
    found = next(item for item in recipe["agents"]["environments"] if item["name"] == name)
    if not found.get("if_built"):
        return found
    built = [need for need in found["needs"] if (ROOT / ".envs" / need / "lock.stamp").is_file()]
    return {**found, "needs": built}


def teacher(recipe: Values, name: str) -> str | None:
    """The model of the recipe that gives feedback in an environment; None where none does, or one
    that a server of its own has."""
    asked = environment(recipe, name).get("feedback", {})
    return None if "server" in asked else asked.get("model")


def play(recipe: Values, model: str, name: str) -> Values:
    """What a model plays, and how; ``gold`` plays the known solutions."""
    part, entry = recipe["agents"], environment(recipe, name)
    made = {
        "environment": entry["environment"],
        "settings": entry["settings"],
        "limit": entry.get("limit"),
        "model": model,
        "player": "gold" if model == "gold" else "model",
        "seed": recipe["seed"],
        "batch": part["batch"],
        "precision": part["precision"],
        "context": part.get("context"),
        "sampling": _some(entry, ("max_new_tokens", "temperature", "top_p")),
        **_some(entry, ("path",)),
    }
    made |= {"shipped": entry["shipped"]} if entry.get("shipped") else {}
    if model != "gold" and (elsewhere := backend(recipe, model)):
        made["backend"] = elsewhere
    if asked := entry.get("feedback"):
        made["settings"] = {
            **entry["settings"],
            "feedback": True,
            "binary": asked.get("kind") == "binary",
            "with_solution": asked.get("solution", False),
        }
        made["teacher"] = {"model": asked["model"]}
        served = {"name": "server", "url": asked.get("server"), "served": asked["model"]}
        if elsewhere := served if "server" in asked else backend(recipe, asked["model"]):
            made["teacher"]["backend"] = elsewhere
    return made


def judge(recipe: Values, model: str, benchmark: str) -> Values:
    return {**generate(recipe, model, benchmark), "sandbox": recipe["evaluate"]["sandbox"]}


def card(recipe: Values, model: str, catalogue: Values) -> Values:
    """What a model's card needs; ``catalogue``: config/benchmarks.yaml, which says what the hub calls
    each data set."""
    names = [item["name"] for item in recipe["evaluate"]["benchmarks"]]
    datasets = {name: catalogue[name]["hub"] for name in names if "hub" in catalogue[name]}
    return {"recipe": recipe["name"], "model": model, "datasets": datasets}


def export(recipe: Values, model: str, benchmark: str, catalogue: Values) -> Values:
    """What the files of other tools say of one score beside the score itself."""
    published = baseline(recipe, model)
    return {
        "recipe": recipe["name"],
        "model": model,
        "benchmark": benchmark,
        "description": catalogue[benchmark].get("description", ""),
        "hub": catalogue[benchmark].get("hub"),
        "base": published["name"] if published else recipe["base"]["name"],
    }
