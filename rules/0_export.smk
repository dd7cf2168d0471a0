# Files that other tools open, and what is sent to archives: what they are made of.
EXPORT = f"results/{RECIPE['name']}/export"
SAMPLES = [str(Path(path).with_name("samples.jsonl")) for path in scores_of(RECIPE)]
CROISSANT = f"results/corpus/{RECIPE['corpus']['name']}/croissant.json"


def card_spec(wildcards):
    catalogue = load.catalogue("benchmarks", PROJECT)
    return canonical(stages.card(RECIPE, wildcards.model, catalogue))


def scored_files(name):
    """The file ``name`` beside each score, in the order of the scores."""
    return [str(Path(path).with_name(name)) for path in scores_of(RECIPE)]


def scored_data(wildcards):
    """The problems of each score, in the order of the scores."""
    return [benchmark_data(SimpleNamespace(benchmark=name)) for _, name in scored(RECIPE)]


def samples_spec():
    """What was asked for each score, in the order of the scores."""
    return canonical({"scored": [stages.generate(RECIPE, *pair) for pair in scored(RECIPE)]})


def export_spec():
    """What exported files say of each score, in the order of the scores."""
    catalogue = load.catalogue("benchmarks", PROJECT)
    return canonical(
        {"results": [stages.export(RECIPE, *pair, catalogue) for pair in scored(RECIPE)]}
    )


def exported():
    """What `snakemake export` makes: of everything that the recipe has, the files of other tools."""
    files = [f"{EXPORT}/inspect", f"{EXPORT}/every_eval_ever"]
    if "agents" in RECIPE:
        files += [*agent_files("episodes.eval"), *agent_files("trajectories.jsonl")]
    if only_scores():
        return files
    return [*files, f"{EXPORT}/trackio", *model_cards(), CROISSANT]


# -- publish --------------------------------------------------------------------------------------

# The model that is sent: the last that the recipe trains and scores.
SENT = next((name for name in reversed(TRAINED) if name in RECIPE["evaluate"]["models"]), None)
PUBLISHED = list(config.get("what", ["model", "dataset", "report", "crate"]))


def publish_spec(wildcards):
    """What is sent, where to, and what its receivers have to know; refused where the command lacks it."""
    if "to" not in config:
        sys.exit("error: publish needs where to: --config to=zenodo or to=hub")
    if config["to"] == "hub" and "repository" not in config:
        sys.exit("error: publish: to=hub needs repository=<owner>/<name>")
    if only_scores() or STUDY:
        sys.exit("error: publish sends what one recipe trained: name a recipe that trains a model")
    if "model" in PUBLISHED and SENT is None:
        sys.exit(f"error: publish: recipe '{RECIPE['name']}' scores no model that it trains")
    generated = [source for source in RECIPE["sft"]["sources"] if "generated_by" in source]
    keys = ("to", "repository", "authors", "licence")
    return canonical(
        {
            **{key: config[key] for key in keys if key in config},
            "what": PUBLISHED,
            "confirm": bool(config.get("confirm", False)),
            "recipe": RECIPE["name"],
            "description": str(RECIPE.get("description") or f"A run of recipe {RECIPE['name']}"),
            "corpus": RECIPE["corpus"]["name"],
            "model": SENT,
            "model_licence": RECIPE["base"].get("licence", "unknown"),
            "generated": generated if SENT == "chat" else [],
        }
    )


def publish_files(wildcards):
    """What the parts that are sent are made of."""
    files = {}
    if "model" in PUBLISHED and SENT:
        stage = {"chat": "sft", "pretrained": "pretrain"}[SENT]
        files["model"] = f"results/{RECIPE['name']}/{stage}/DONE.json"
        files["card"] = f"results/{RECIPE['name']}/card/{SENT}/README.md"
    if "dataset" in PUBLISHED:
        files["documents"] = cleaned()
        files["datasheet"] = f"results/corpus/{RECIPE['corpus']['name']}/datasheet.md"
        files["croissant"] = CROISSANT
    if {"dataset", "report"} & set(PUBLISHED):
        files["statistics"] = part_files(STATISTICS)
    if "report" in PUBLISHED:
        files["report"] = REPORT
    if "crate" in PUBLISHED:
        files["crate"] = "results/ro-crate-metadata.json"
    return files


def publish_arguments(wildcards, input):
    """The same as words of a command line; many files as text that bash expands."""
    words = []
    for name, files in publish_files(wildcards).items():
        if name == "model":
            words.append(f"--model {shlex.quote(str(Path(files).parent / 'model'))}")
        elif name in ("documents", "statistics"):
            words.append(
                f"--{name} {expanding({'documents': DOCUMENTS, 'statistics': STATISTICS}[name])}"
            )
        else:
            words.append(f"--{name} {shlex.quote(files)}")
    return " ".join(words)


def publishing():
    """Shell text that shows what would be sent, and sends it where that was confirmed."""
    program = shlex.quote(str(SCRIPTS / "9_export" / "publish.py"))
    call = f"{RUN} data python {program} --spec {{params.spec:q}} {{params.arguments}}"
    return f"{call} 2> >(tee {{log:q}} >&2)"
