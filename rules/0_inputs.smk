# What jobs read: sources, downloads, models, benchmarks and scores.
def corpus_sources(kinds=("code", "text")):
    return [source for source in RECIPE["corpus"]["sources"] if source["kind"] in kinds]


def parts_of(entry):
    """Names of an entry's parts: part i takes the shards i, i + P, i + 2P, ..."""
    parts = entry.get("parts", 1)
    return [f"part-{part}-of-{parts}" for part in range(parts)]


def part_files(pattern, kinds=("code", "text"), recipe=RECIPE):
    """``pattern`` with {source} and {name} filled for every part of the corpus' sources."""
    return [
        pattern.format(
            corpus=RECIPE["corpus"]["name"],
            tokenizer=stages.token_folder(recipe, source["kind"]),
            source=source["name"],
            name=name,
        )
        for source in corpus_sources(kinds)
        for name in parts_of(source)
    ]


def as_is(text):
    """A param with braces of its own, which Snakemake would take for wildcards in a plain string."""
    return lambda wildcards: text


def expanding(pattern, kinds=("code", "text"), recipe=RECIPE):
    """The same paths as text that bash expands: thousands of them would not fit one command line."""
    paths = []
    for source in corpus_sources(kinds):
        parts = source.get("parts", 1)
        numbers = "0" if parts == 1 else f"{{0..{parts - 1}}}"
        paths.append(
            pattern.format(
                corpus=RECIPE["corpus"]["name"],
                tokenizer=stages.token_folder(recipe, source["kind"]),
                source=source["name"],
                name=f"part-{numbers}-of-{parts}",
            )
        )
    return " ".join(paths)


def tokenizer_model(wildcards):
    """The folder of the model whose tokenizer a folder of token files is made with."""
    return f"resources/models/{stages.token_files(wildcards.tokenizer)['tokenizer']}"


def manifests(folder, entry):
    return [f"resources/{folder}/{entry['name']}/{name}/manifest.json" for name in parts_of(entry)]


def sft_downloads():
    return [source for source in RECIPE["sft"]["sources"] if "from" in source]


def sft_manifests(wildcards=None):
    return [path for source in sft_downloads() for path in manifests("corpora", source)]


def sft_start(name):
    """DONE.json or model/ of what fine-tuning begins from."""
    if RECIPE["sft"].get("from") == "start":
        return f"resources/models/{RECIPE['base']['name']}/{name}"
    return f"results/{RECIPE['name']}/pretrain/{name}"


def takes_docstrings():
    return any(source["format"] == "docstring" for source in RECIPE["sft"]["sources"])


def docstring_documents(wildcards=None):
    """Cleaned code, where the recipe makes instructions of its functions."""
    return part_files(DOCUMENTS, ("code",)) if takes_docstrings() else []


def model_entry(name):
    """The starting model or a baseline, by name."""
    listed = [*(point["base"] for point in POINTS.values()), *baselines()]
    return next(entry for entry in listed if entry["name"] == name)


def model_manifests(name):
    """A model's download; none where it is initialised at random, is a folder or is served."""
    entry = model_entry(name)
    return manifests("models", entry) if "random" not in entry.get("from", {"random": 0}) else []


def base_manifests(wildcards=None):
    bases = [wildcards.base] if wildcards else {p["base"]["name"]: 0 for p in POINTS.values()}
    return [path for name in bases for path in model_manifests(name)]


def benchmark_manifests(wildcards=None):
    return [
        path
        for item in stages.downloaded_benchmarks(RECIPE)
        for path in manifests("benchmarks", item)
    ]


def every_download():
    scored_models = [path for entry in baselines() for path in model_manifests(entry["name"])]
    scored_models += agent_downloads()
    if only_scores():
        return [*scored_models, *benchmark_manifests()]
    corpora = [path for source in corpus_sources() for path in manifests("corpora", source)]
    listed = [*base_manifests(), *corpora, *sft_manifests(), *benchmark_manifests()]
    return [*listed, *(path for path in scored_models if path not in listed)]


def cleaned():
    return part_files(DOCUMENTS)


def signed():
    """What near-duplicates are found by; nothing where only equal documents are looked for."""
    return part_files(SIGNATURES) if RECIPE["corpus"]["deduplication"] else []


def download_entry(folder, name):
    """The pin behind resources/<folder>/<name>."""
    if folder == "models":
        return model_entry(name)
    if folder == "benchmarks":
        entry = next(x for x in RECIPE["evaluate"]["benchmarks"] if x["name"] == name)
        return {**entry["data"], "name": name}
    if folder == "environments":
        return {**load.catalogue("environments", PROJECT)[name]["data"], "name": name}
    listed = [*corpus_sources(), *sft_downloads()]
    return next(source for source in listed if source["name"] == name)


def generated_names():
    """Sources that a program writes here, as a pattern; one that nothing matches where none is."""
    names = [item["name"] for item in corpus_sources() if "generator" in item.get("from", {})]
    return "|".join(map(re.escape, names)) or "(?!)"


def fetched_names():
    """All other names."""
    return rf"(?!(?:{generated_names()})/)[^/]+"


def download_spec(wildcards, folder=None):
    entry = download_entry(folder or wildcards.folder, wildcards.name)
    return canonical(stages.download(wildcards.name, entry, int(wildcards.part)))


# -- models, benchmarks, scores -------------------------------------------------------------------


def model_done(wildcards):
    """DONE.json of a model that is scored, its folder being model/ beside it; or the model's own
    config.json; nothing where a server has it."""
    published = stages.baseline(RECIPE, wildcards.model)
    if published is not None:
        if "served" in published:
            return []
        folder = published.get("folder")
        name = published["name"]
        return f"{folder}/config.json" if folder else f"resources/models/{name}/DONE.json"
    if wildcards.model.startswith("pretrained-step-"):
        step = wildcards.model.removeprefix("pretrained-")
        return f"results/{wildcards.recipe}/pretrain/{step}/DONE.json"
    return {
        "start": f"{start_folder(POINTS[wildcards.recipe])}/DONE.json",
        "pretrained": f"results/{wildcards.recipe}/pretrain/DONE.json",
        "chat": f"results/{wildcards.recipe}/sft/DONE.json",
    }[wildcards.model]


def model_folder(wildcards, input):
    """Where a scored model lies; none where a server has it."""
    return folder_beside(input.model)


def folder_beside(done):
    """The folder of a model from what `model_done` names; none where that is nothing."""
    if not done:
        return "none"
    path = Path(str(done))
    return path.parent / "model" if path.name == "DONE.json" else path.parent


def backend_environment():
    """The environment that generates: vLLM has one of its own."""
    return "vllm" if RECIPE["evaluate"].get("backend", {}).get("name") == "vllm" else "evaluate"


def benchmark_data(wildcards):
    """A benchmark's own download, a file of the project, or the corpus' held-out split, which all
    cells of a study have in common."""
    items = RECIPE["evaluate"]["benchmarks"]
    entry = next(item for item in items if item["name"] == wildcards.benchmark)
    if "heldout" in entry["data"]:
        return f"results/{RECIPE['name']}/heldout/{entry['data']['heldout']}.jsonl"
    if "actions" in entry["data"]:
        return ROOT / entry["data"]["actions"]
    return manifests("benchmarks", entry)[0]


# Where a run keeps what it is going to ask a model.
PLANNED = ".snakemake/planned/{wildcards.recipe}/{wildcards.model}.json"


def plan_answers():
    """Write down what this run asks each model, for the jobs that run on this machine."""
    found = {}
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "generate" and not workflow.non_local_exec:
            planned = {
                "spec": json.loads(job.params.spec),
                "data": str(job.input.data),
                "out": str(job.output[0]),
            }
            found.setdefault(PLANNED.format(wildcards=job.wildcards), []).append(planned)
    for path, benchmarks in found.items():
        benchmarks.sort(key=lambda one: one["out"])
        write_json(path, {"run": str(os.getpid()), "benchmarks": benchmarks})


def judged_in(wildcards):
    """The lock of a benchmark's own environment and whether it is built; None where it has none."""
    items = RECIPE["evaluate"]["benchmarks"]
    entry = next(item for item in items if item["name"] == wildcards.benchmark)
    name = entry.get("environment")
    return name and [locked(name), (ROOT / ".envs" / name / "lock.stamp").exists()]


def scored(recipe):
    """(model, benchmark) of every score of a recipe; a baseline has no held-out split to read."""
    part = recipe["evaluate"]
    own = [(model, item["name"]) for model in part["models"] for item in part["benchmarks"]]
    named = [item["name"] for item in stages.downloaded_benchmarks(recipe)]
    return [
        *own,
        *((entry["name"], name) for entry in part.get("baselines", []) for name in named),
    ]


def scores_of(recipe):
    return [
        f"results/{recipe['name']}/evaluate/{model}/{benchmark}/scores.json"
        for model, benchmark in scored(recipe)
    ]
