# Where it runs: what a job asks of its machine, and which jobs go together.


def entry_of(name, wildcards):
    """The pinned source that a job reads, where a rule has a job for each."""
    if name == "download":
        return download_entry(wildcards.folder, wildcards.name)
    if name == "prepare_model":
        return model_entry(wildcards.base)
    if name in ("generate", "play"):
        return stages.baseline(RECIPE, wildcards.model)
    if name == "generate_mathematics":
        return download_entry("corpora", wildcards.name)
    if name in ("clean", "signatures", "tokenize"):
        return next(x for x in corpus_sources() if x["name"] == wildcards.source)
    return None


# Three rules read one shard of the corpus: one SLURM job where a job of the site has room for them.
# Several shards are not joined, since a group asks for what all its members need side by side.
SHARD = ("clean", "signatures", "tokenize")


@functools.cache
def shard_asks(source):
    """What the rules of a source's shards ask for where they are one SLURM job; else nothing."""
    entry = next(x for x in VIEW.corpus.sources if x.name == source)
    asks = [plan_resources.ask(VIEW, rule, entry) for rule in SHARD]
    return asks if site.fit_together(asks, SITE) else []


def shard_group(wildcards):
    # Only jobs that are sent to nodes are grouped, also in the plan of a dry run.
    on_nodes = workflow.resource_settings.nodes is not None
    return "shard" if on_nodes and shard_asks(wildcards.source) else None


def asked(rule):
    """What a job asks for, derived from the recipe, grown with the attempt, in a site's words."""
    alike = plan_resources.ask(VIEW, rule)

    def request(wildcards, attempt):
        found = entry_of(rule, wildcards)
        entry = contracts.part(plan_recipe.Model, found, rule) if found else None
        recipe = VIEWS.get(dict(wildcards).get("recipe"), VIEW)
        played = None
        if rule == "play":
            listed = VIEW.agents.environments
            played = [x for x in listed if x.name == wildcards.environment]
        own = entry or played or recipe is not VIEW
        first = plan_resources.ask(recipe, rule, entry, played) if own else alike
        group = shard_asks(wildcards.source) if rule in SHARD else []
        try:
            return site.request(first, attempt, SITE, rule, group)
        except UserError as error:
            sys.exit(f"error: {error}")

    # How many jobs download at a time is the user's to say: --resources downloads=4.
    return {
        **({"downloads": 1} if rule in ("download", "fetch_records") else {}),
        "mem_mb": lambda wildcards, attempt: request(wildcards, attempt).memory_mb,
        "runtime": lambda wildcards, attempt: request(wildcards, attempt).minutes,
        **site.words(alike, SITE),
    }


def forms_of_scores(model):
    """How each benchmark is put to a model, as its scores say it."""
    forms = {}
    for entry in RECIPE["evaluate"]["benchmarks"]:
        spec = stages.judge(RECIPE, model, entry["name"])
        forms[entry["name"]] = {"format": spec["format"], "shots": int(spec.get("shots") or 0)}
    return forms


def what_to_adopt(wildcards):
    """What a result that is taken over has to be: values of the recipe."""
    missing = [key for key in ("of", "as") if key not in config]
    if missing:
        sys.exit(
            f"error: adopt: {' and '.join(missing)} not given: --config of=<model folder, token file or "
            f"scores.json> as=<stage> ({', '.join(adopted.STAGES)})"
        )
    models = [*RECIPE["evaluate"]["models"], *(entry["name"] for entry in baselines())]
    scored = config["as"].split("/")[1:2]
    known = [model for model in models if [model] == scored]
    base = RECIPE["base"]
    return canonical(
        {
            "recipe": RECIPE["name"],
            "base": base["name"],
            "architecture": base["architecture"],
            "corpus": RECIPE["corpus"]["name"],
            "tokenizer": stages.token_folder(RECIPE, "text"),
            "tokenizer_file": f"resources/models/{base['name']}/model/tokenizer.json",
            "sources": {
                source["name"]: source.get("parts", 1) for source in RECIPE["corpus"]["sources"]
            },
            "models": models,
            "benchmarks": forms_of_scores(known[0]) if known else {},
        }
    )


def adopting():
    """Shell text that takes over what somebody made elsewhere; it takes the folder's lock itself."""
    call = f"{RUN} data python -m lemur.trace.adopt --of {{params.of:q}} --as {{params.stage:q}}"
    return (
        f"exec 9>&-; {call} --by {{params.by:q}} --asked {{params.asked:q}} 2> >(tee {{log:q}} >&2)"
    )
