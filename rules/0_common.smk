# Configuration, and every function that the rules use.
import hashlib
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.current_basedir).parent
sys.path.insert(0, str(ROOT / "workflow"))

from lemur import plan as cost_plan
from lemur.config import load, recipe as recipes, schema, scoring, site, stages, sweep
from lemur.errors import UserError
from lemur.figures import settings
from lemur.files import canonical
from lemur.plan import resources as plan_resources
from lemur.provenance import digest, keep_recipe
from lemur.trace import records

RUN = ROOT / "workflow" / "env-run"
SCRIPTS = ROOT / "scripts"
PAPER = ROOT / "reports" / "paper"
OFFLINE = "HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_EVALUATE_OFFLINE=1"
# A rule's log is also shown, so that progress reaches the terminal.
LOG = "2> >(tee {log} >&2)"
DOCUMENTS = "results/corpus/{corpus}/{source}/{name}.parquet"
STATISTICS = "results/corpus/{corpus}/{source}/{name}.stats.json"
SIGNATURES = "results/corpus/{corpus}/{source}/{name}.npy"
TOKENS = "results/tokens/{corpus}/{tokenizer}/{source}/{name}.json"
DUPLICATES = "results/corpus/{corpus}/{source}/duplicates.tsv"

try:
    config = {**load.read_yaml(ROOT / "config" / "config.yaml"), **load.typed(config)}
    schema.check(config, "config", "config")
    RECIPE = recipes.resolve(str(config["recipe"]), config.get("set"))
    # A sweep's points differ in their mixture alone; the others' targets are of its first one.
    SWEEP = (
        recipes.resolve_sweep(str(config["sweep"]), config.get("set")) if "sweep" in config else {}
    )
    RECIPE = next(iter(SWEEP.values()), RECIPE)
    if {"model", *scoring.KEYS} & set(config):
        RECIPE = scoring.alone(RECIPE, config)
    STYLE = load.figures(config.get("style"))
    # What `snakemake provenance` explains.
    OF = str(records.check(config["of"])) if "of" in config else "results/report.html"
    SITE = site.read(Path(config["site"]) if config.get("site") else None)
except UserError as error:
    # WorkflowError would name this file and line, which is not where the mistake is.
    sys.exit(f"error: {error}")

RECIPE_DIGEST = digest(RECIPE)
if workflow.is_main_process and not config.get("quiet_plan"):
    shown_plan = cost_plan.summary if RECIPE["evaluate"]["models"] else cost_plan.scoring
    print("\n".join(shown_plan(RECIPE)), file=sys.stderr, flush=True)
    if SWEEP:
        print(sweep.shown(config["sweep"]), file=sys.stderr, flush=True)


def baselines():
    """Published models that the recipe scores beside its own."""
    return RECIPE["evaluate"].get("baselines", [])


def prepared_models():
    """Names under resources/models/: the base, and baselines that are downloaded."""
    return dict.fromkeys(
        [RECIPE["base"]["name"], *(entry["name"] for entry in baselines() if "from" in entry)]
    )


def only_scores():
    """Whether the recipe trains nothing and scores published models alone."""
    return not RECIPE["evaluate"]["models"]


def of_recipe(*paths):
    """A target's files, refused where ``model=`` asks for the scores of one model alone."""

    def files(wildcards):
        if "model" in config:
            sys.exit(f"error: {scoring.REFUSED}")
        return list(paths)

    return files


wildcard_constraints:
    recipe=re.escape(RECIPE["name"]),
    corpus=re.escape(RECIPE["corpus"]["name"]),
    tokenizer=re.escape(RECIPE["base"]["name"]),
    source="[^/]+",
    benchmark="[^/]+",
    model="|".join(
        ["start", "pretrained", "chat", *(re.escape(entry["name"]) for entry in baselines())]
    ),
    base="|".join(re.escape(name) for name in prepared_models()),
    kind="code|text",
    part=r"\d+",
    parts=r"\d+",


def locked(environment):
    """sha256 of the lock that an environment is built from: a changed lock reruns its rules."""
    stamp = ROOT / ".envs" / environment / "lock.stamp"
    variant = stamp.read_text().split()[0] if stamp.exists() else "cpu"
    lock = ROOT / "envs" / environment / f"{variant}.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest()


LOCKS = {name: locked(name) for name in ("data", "train", "evaluate", "figures", "mathematics")}


def script(environment, path, *arguments):
    """Shell text that runs a script in an environment with its slice of the recipe."""
    spec = f"--spec {{params.spec:q}} --recipe-digest {RECIPE_DIGEST} --log {{log}}"
    # Only what downloads may ask a hub: libraries otherwise try it first, also for local folders.
    offline = [] if Path(path).name == "download.py" else [OFFLINE]
    call = [str(RUN), environment, "python", str(SCRIPTS / path)]
    return " ".join([*offline, *call, spec, *arguments, LOG])


def threaded(environment, path, *arguments):
    """The same, for work whose thread pools must keep to the rule's threads."""
    pools = "OMP_NUM_THREADS={threads} RAYON_NUM_THREADS={threads}"
    return f"{pools} {script(environment, path, *arguments)}"


def on_demand(environment, path, *arguments):
    """The same in an environment that few recipes need, built when one does."""
    return f"{RUN.with_name('env-build')} {environment} && {script(environment, path, *arguments)}"


# The rules that make a mixture make that of every point of a sweep.
MIXED = "|".join(map(re.escape, SWEEP or [RECIPE["name"]]))


def mixed(stage):
    """The stage's slice of the recipe, or of the point of a sweep, that a job is of."""
    return lambda wildcards: canonical(stage(SWEEP.get(wildcards.recipe, RECIPE)))


def default_files():
    """What plain ``snakemake`` makes: the report, the scores of one model, or a sweep's mixtures."""
    if SWEEP:
        return mixture_tables()
    return FOUNDATION if only_scores() else ["results/report.html", *model_cards()]


# Names of the models that a recipe trains.
TRAINED = ("pretrained", "chat")


def model_cards():
    """Cards with scores of the models that the recipe trains and scores."""
    made = [model for model in TRAINED if model in RECIPE["evaluate"]["models"]]
    return [f"results/{RECIPE['name']}/card/{model}/README.md" for model in made]


def scores_of_model(wildcards):
    """What a model's card says it reaches."""
    return [path for path in scores_of(RECIPE) if f"/evaluate/{wildcards.model}/" in path]


def mixture_tables():
    """Plan against realised, of the recipe or of every point of a sweep."""
    return [f"results/{name}/mix/table.txt" for name in SWEEP or [RECIPE["name"]]]


# -- what there is ------------------------------------------------------------------------------


def corpus_sources(kinds=("code", "text")):
    return [source for source in RECIPE["corpus"]["sources"] if source["kind"] in kinds]


def parts_of(entry):
    """Names of an entry's parts: part i takes the shards i, i + P, i + 2P, ..."""
    parts = entry.get("parts", 1)
    return [f"part-{part}-of-{parts}" for part in range(parts)]


def part_files(pattern, kinds=("code", "text")):
    """``pattern`` with {source} and {name} filled for every part of the corpus' sources."""
    return [
        pattern.format(
            corpus=RECIPE["corpus"]["name"],
            tokenizer=RECIPE["base"]["name"],
            source=source["name"],
            name=name,
        )
        for source in corpus_sources(kinds)
        for name in parts_of(source)
    ]


def as_is(text):
    """A param with braces of its own, which Snakemake would take for wildcards in a plain string."""
    return lambda wildcards: text


def expanding(pattern, kinds=("code", "text")):
    """The same paths as text that bash expands: thousands of them would not fit one command line."""
    paths = []
    for source in corpus_sources(kinds):
        parts = source.get("parts", 1)
        numbers = "0" if parts == 1 else f"{{0..{parts - 1}}}"
        paths.append(
            pattern.format(
                corpus=RECIPE["corpus"]["name"],
                tokenizer=RECIPE["base"]["name"],
                source=source["name"],
                name=f"part-{numbers}-of-{parts}",
            )
        )
    return " ".join(paths)


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
    listed = [RECIPE["base"], *baselines()]
    return next(entry for entry in listed if entry["name"] == name)


def model_manifests(name):
    """A model's download; none where it is initialised at random, is a folder or is served."""
    entry = model_entry(name)
    return manifests("models", entry) if "random" not in entry.get("from", {"random": 0}) else []


def base_manifests(wildcards=None):
    return model_manifests(wildcards.base if wildcards else RECIPE["base"]["name"])


def benchmark_manifests(wildcards=None):
    return [
        path
        for item in stages.downloaded_benchmarks(RECIPE)
        for path in manifests("benchmarks", item)
    ]


def every_download():
    scored_models = [path for entry in baselines() for path in model_manifests(entry["name"])]
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
    return canonical(stages.download(wildcards.name, entry))


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
    return {
        "start": f"resources/models/{RECIPE['base']['name']}/DONE.json",
        "pretrained": f"results/{wildcards.recipe}/pretrain/DONE.json",
        "chat": f"results/{wildcards.recipe}/sft/DONE.json",
    }[wildcards.model]


def model_folder(wildcards, input):
    """Where a scored model lies; none where a server has it."""
    if not input.model:
        return "none"
    path = Path(str(input.model))
    return path.parent / "model" if path.name == "DONE.json" else path.parent


def backend_environment():
    """The environment that generates: vLLM has one of its own."""
    return "vllm" if RECIPE["evaluate"].get("backend", {}).get("name") == "vllm" else "evaluate"


def benchmark_data(wildcards):
    """A benchmark's own download, or the corpus' held-out split."""
    items = RECIPE["evaluate"]["benchmarks"]
    entry = next(item for item in items if item["name"] == wildcards.benchmark)
    if "heldout" in entry["data"]:
        return f"results/{wildcards.recipe}/heldout/{entry['data']['heldout']}.jsonl"
    return manifests("benchmarks", entry)[0]


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


# -- where it runs --------------------------------------------------------------------------------


def entry_of(name, wildcards):
    """The pinned source that a job reads, where a rule has a job for each."""
    if name == "download":
        return download_entry(wildcards.folder, wildcards.name)
    if name == "prepare_model":
        return model_entry(wildcards.base)
    if name == "generate":
        return stages.baseline(RECIPE, wildcards.model)
    if name == "generate_mathematics":
        return download_entry("corpora", wildcards.name)
    if name in ("clean", "signatures", "tokenize"):
        return next(x for x in corpus_sources() if x["name"] == wildcards.source)
    return None


def asked(rule):
    """What a job asks for, derived from the recipe, grown with the attempt, in a site's words."""
    alike = plan_resources.ask(RECIPE, rule)

    def request(wildcards, attempt):
        entry = entry_of(rule, wildcards)
        first = plan_resources.ask(RECIPE, rule, entry) if entry else alike
        try:
            return site.request(first, attempt, SITE, rule)
        except UserError as error:
            sys.exit(f"error: {error}")

    return {
        "mem_mb": lambda wildcards, attempt: request(wildcards, attempt).memory_mb,
        "runtime": lambda wildcards, attempt: request(wildcards, attempt).minutes,
        **site.words(alike, SITE),
    }


def launched(stage, path, *arguments):
    """Shell text that trains: as one process, as ranks of one node, or through srun on several."""
    nodes, processes = plan_resources.ranks(RECIPE, stage)
    grace = plan_resources.grace_seconds(RECIPE, stage)
    launch = f"-m lemur.launch --nodes {nodes} --processes {processes} --grace {grace}"
    done = f"--out results/{RECIPE['name']}/{stage}/DONE.json -- {SCRIPTS / path}"
    spec = f"--spec {{params.spec:q}} --recipe-digest {RECIPE_DIGEST} --log {{log}}"
    # Most SLURM_ variables are gone here, so srun is told the layout again.
    srun = f"srun --nodes={nodes} --ntasks={nodes} --cpus-per-task={{resources.cpus_per_task}}"
    start = [srun, "--kill-on-bad-exit=1"] if nodes > 1 else []
    # The shell and tee must outlive a warning that is meant for the training process.
    parts = [
        f"trap '' TERM USR1; {OFFLINE} OMP_NUM_THREADS={{threads}}",
        *start,
        str(RUN),
        "train python",
    ]
    return " ".join([*parts, launch, done, spec, *arguments, LOG])


def tracked():
    """Arguments for the trackers that somebody asked for, here or for the whole site."""
    return " ".join(f"--track {name}" for name in config.get("track", SITE.get("track", [])))


def several_ranks(stage):
    nodes, processes = plan_resources.ranks(RECIPE, stage)
    return nodes * processes > 1


def preflight(stage):
    """What must have been tried before many ranks train; nothing where there is one."""
    return [f"results/{RECIPE['name']}/{stage}/preflight.json"] if several_ranks(stage) else []


def preflight_spec(stage):
    return canonical(
        {
            "stage": stage,
            "device": RECIPE[stage]["parallel"]["device"],
            "nodes": RECIPE[stage]["parallel"]["nodes"],
            "processes_per_node": RECIPE[stage]["parallel"]["processes_per_node"],
            "disk_bytes": plan_resources.disk_needed(RECIPE, stage),
            "clock_seconds": 30,
            "timeout_seconds": 300,
        }
    )


# -- provenance -----------------------------------------------------------------------------------


def explaining(log):
    """Shell text that prints how a result was made."""
    return f"{RUN} workflow python -m lemur.trace {{params.of:q}} 2> {log}"


# -- figures --------------------------------------------------------------------------------------

PAPER_FIGURES = (
    "overview.svg",
    "foundation_table.html",
    "foundation_radar.svg",
    "agent_radar.svg",
    "agent_table.html",
    "mint_table.html",
)
FOUNDATION = "results/figures/foundation.html"
RECIPE_FIGURES = ("mixture", "loss", "bits_per_byte", "scores")


def paper_figure_files():
    return [f"results/figures/paper/{name}" for name in PAPER_FIGURES]


def recipe_figure_files(recipe):
    return [f"results/figures/{recipe['name']}/{name}.svg" for name in RECIPE_FIGURES]


def mixture_drops():
    """Documents that overlap benchmarks, where a model that is scored was trained on a mixture."""
    trained = {"pretrained", "chat"} & set(RECIPE["evaluate"]["models"])
    return [f"results/{RECIPE['name']}/mix/dropped.tsv"] if trained else []


def figure_output(name):
    return in_report(f"results/figures/{{recipe}}/{name}.svg")


# What the templates of reports/snakemake/ read, which cannot open a file: a figure's text is the
# same in `snakemake --report` as in results/report.html.
config["captions"] = {
    path.stem: path.read_text() for path in (ROOT / "reports" / "captions").glob("*.rst")
}
SECTIONS = {
    name: section["heading"]
    for section in STYLE["report"]["sections"]
    for name in section["figures"]
}


def in_report(path):
    """Mark a figure or a table for `snakemake --report`, under its section of figures.yaml."""
    return report(
        path,
        caption="../reports/snakemake/figure.rst",
        category=lambda wildcards, output: SECTIONS.get(Path(output[0]).stem),
        subcategory=lambda wildcards, output: (
            "Tables" if Path(output[0]).suffix == ".html" else "Figures"
        ),
        labels=lambda wildcards, output: {"figure": Path(output[0]).stem},
    )


def scores_in_report(path):
    """The same for the scores of one model on one benchmark."""
    return report(
        path,
        caption="../reports/snakemake/scores.rst",
        category="Scores",
        subcategory="By benchmark",
        labels={"benchmark": "{benchmark}", "model": "{model}"},
    )


def figure_spec(name):
    """The style of one figure; a recipe's figure also carries what its models are called."""
    return canonical(settings.spec(STYLE, name, RECIPE if name in RECIPE_FIGURES else None))


def paper_arguments(figure, files):
    """What each of the paper's figures reads."""
    reported, outcomes = f"--reported {files.reported}", f"--outcomes {files.outcomes}"
    return {
        "overview": "",
        "foundation_table": reported,
        "foundation_radar": reported,
        "agent_radar": f"{reported} {outcomes}",
        "agent_table": f"{reported} {outcomes}",
        "mint_table": outcomes,
    }[Path(figure).stem]


def scores_of_figure(name):
    """The scores that a figure draws, so that another benchmark does not draw it again."""
    everything = scores_of(RECIPE)
    own = [x for x in everything if ("bits_per_byte_" in x) == (name == "bits_per_byte")]
    return own or everything


def report_spec():
    return canonical(settings.report_spec(STYLE, RECIPE))


def other_recipes():
    """Resolved recipes of other runs in this folder: the report shows what differs."""
    mine = f"{RECIPE_DIGEST[:16]}.json"
    return sorted(
        str(path) for path in Path("results").glob("*/recipes/*.json") if path.name != mine
    )


def report_files():
    """Templates and captions: a changed caption rebuilds the report."""
    folders = (ROOT / "reports" / "template", ROOT / "reports" / "captions")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def compared_records():
    """The comparison with a recount of the trajectories, where the user asked for one."""
    return ["results/agents/compared.json"] if config.get("from_records") else []


def records_spec():
    """The pinned trajectory files of reports/paper/mint_records.tsv as one download."""
    lines = (PAPER / "mint_records.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, line.split("\t"))) for line in lines[1:]]
    files = [
        {"path": row["path"], "sha256": row["sha256"], "size": int(row["bytes"])} for row in rows
    ]
    source = {key: rows[0][key] for key in ("repository", "commit")}
    source["url"] = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    return canonical(
        {"name": "mint", "from": {**source, "files": files}, "licence": rows[0]["licence"]}
    )
