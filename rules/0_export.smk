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
    return canonical({"results": [stages.export(RECIPE, *pair, catalogue) for pair in scored(RECIPE)]})


def exported():
    """What `snakemake export` makes: of everything that the recipe has, the files of other tools."""
    files = [f"{EXPORT}/inspect", f"{EXPORT}/every_eval_ever"]
    if "agents" in RECIPE:
        files += [*agent_files("episodes.eval"), *agent_files("trajectories.jsonl")]
    return files if only_scores() else [*files, *model_cards(), CROISSANT]
