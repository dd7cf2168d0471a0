# Configuration, and the functions that say how and where rules run.
import dataclasses
import functools
import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.cli import get_argument_parser
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger as snakemake_log

ROOT = Path(workflow.current_basedir).resolve().parent
sys.path.insert(0, str(ROOT / "workflow"))

from lemur import plan as cost_plan
from lemur.config.agents import with_parts
from lemur.config import claims, load, place, project, schema, scoring, site, stages
from lemur.config import recipe as recipes
from lemur.dag import answers, failures, local_lock, locks
from lemur.data import local_files
from lemur.errors import UserError, nearest
from lemur.figures import settings
from lemur.files import canonical, write_json
from lemur.plan import resources as plan_resources
from lemur.provenance import digest, keep_recipe
from lemur.run_lock import PREFIX, RunLock
from lemur.study import cells as study_cells, plan as study_plan
from lemur.trace import records

RUN = shlex.quote(str(ROOT / "workflow" / "env-run"))
BUILD = shlex.quote(str(ROOT / "workflow" / "env-build"))
SCRIPTS = ROOT / "scripts"
PAPER = ROOT / "reports" / "paper"
OFFLINE = "HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_EVALUATE_OFFLINE=1"
# A rule's log is also shown, so that progress reaches the terminal.
LOG = f"2> >(tee {{log:q}} >&2) {failures.NOTE}"
DOCUMENTS = "results/corpus/{corpus}/{source}/{name}.parquet"
STATISTICS = "results/corpus/{corpus}/{source}/{name}.stats.json"
SIGNATURES = "results/corpus/{corpus}/{source}/{name}.npy"
TOKENS = "results/tokens/{corpus}/{tokenizer}/{source}/{name}.json"
DUPLICATES = "results/corpus/{corpus}/{source}/duplicates.tsv"

try:
    config = {
        **load.read_yaml(ROOT / "config" / "config.yaml"),
        **config,
        **load.command_line(workflow.config_settings.config_args or []),
    }
    schema.check(config, "config", "config")
    # The folder of a recipe that lies outside: results are kept there, unless --directory says where.
    PROJECT = project.folder_of(config["recipe"])
    config = project.whole_paths(config) if PROJECT else config
except UserError as error:
    # WorkflowError would name this file and line, which is not where the mistake is.
    sys.exit(f"error: {error}")

if PROJECT and workflow.overwrite_workdir is None:

    workdir: str(PROJECT)


try:
    place.check(ROOT, Path.cwd())
    place.check_writable(Path.cwd())
    # A study's cells are recipes; what they have in common (evaluation documents, documents that
    # overlap benchmarks) is of one more recipe, named as the study.
    STUDY = study_cells.expand(config)
    RECIPE = STUDY.common if STUDY else recipes.resolve(str(config["recipe"]), config.get("set"))
    if {"model", *scoring.KEYS} & set(config):
        RECIPE = scoring.alone(RECIPE, config, PROJECT)
    REPORT = f"results/{RECIPE['name']}/report.html"
    REPORT_SUMMARY = f"results/{RECIPE['name']}/report.json"
    place.check_compiled(RECIPE, ROOT, Path.cwd())
    # Files of this machine are listed now, so that one that changed is read again by this run.
    LOCAL_LOCK = (PROJECT or ROOT / "config") / local_files.LOCK
    LOCAL = local_lock.look(RECIPE, LOCAL_LOCK, is_main=workflow.is_main_process)
    RECIPE = local_lock.with_local(RECIPE, LOCAL)
    if STUDY:
        cells = {name: local_lock.with_local(cell, LOCAL) for name, cell in STUDY.recipes.items()}
        STUDY = dataclasses.replace(STUDY, common=RECIPE, recipes=cells)
    STYLE = load.figures(config.get("style"), PROJECT)
    # What `snakemake provenance` explains.
    OF = str(records.check(config["of"])) if "of" in config else REPORT
    SITE = site.read(Path(config["site"]) if config.get("site") else None)
except UserError as error:
    sys.exit(f"error: {error}")

failures.install(workflow.is_main_process)
if workflow.is_main_process:
    from lemur.slurm import executor

    executor.install(SITE)

RUN_LOCK = RunLock()
if workflow.is_main_process:
    # What only prints, as a dry run does, ends quietly with its reader: `snakemake -n | head`.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
RECIPE_DIGEST = digest(RECIPE)


def targets_asked_for():
    """Targets of the command line, which Snakemake keeps to itself until all rules are read.

    None in a dry run, whose answer is what would run.
    """
    program = Path(sys.argv[0])
    if program.name != "snakemake" and program.parent.name != "snakemake":
        return []
    arguments = get_argument_parser().parse_args(sys.argv[1:])
    return [] if arguments.dryrun else arguments.targets


ANSWERS = workflow.is_main_process and answers.asked(targets_asked_for())
if ANSWERS:
    answers.quieten(snakemake_log)
elif workflow.is_main_process and not config.get("quiet_plan"):
    if STUDY:
        print("\n".join(study_plan.lines(STUDY)), file=sys.stderr, flush=True)
    else:
        shown_plan = cost_plan.summary if RECIPE["evaluate"]["models"] else cost_plan.scoring
        print("\n".join(shown_plan(RECIPE)), file=sys.stderr, flush=True)


def baselines():
    """Published models that the recipe scores beside its own."""
    return RECIPE["evaluate"].get("baselines", [])


# The recipes that this run trains and scores: one, or the cells of a study.
POINTS = {RECIPE["name"]: RECIPE, **(STUDY.recipes if STUDY else {})}
MIXED = "|".join(map(re.escape, POINTS))


def tokenizer_of(recipe):
    """The model in whose name a recipe's token files are kept: models of one tokenizer share them."""
    return stages.tokenize(recipe)["tokenizer"]


def prepared_models():
    """Names under resources/models/: bases that no run trains, and baselines that are downloaded."""
    bases = [point["base"]["name"] for point in POINTS.values()]
    return dict.fromkeys([*bases, *(entry["name"] for entry in baselines() if "from" in entry)])


def start_folder(recipe):
    """Where a recipe's starting model lies: DONE.json and model/."""
    trained_by = recipe["base"].get("pretrained_by")
    return (
        f"results/{trained_by}/pretrain"
        if trained_by
        else f"resources/models/{recipe['base']['name']}"
    )


def only_scores():
    """Whether the recipe trains nothing and scores published models alone."""
    return not RECIPE["evaluate"]["models"]


def unless_scoring_alone(*paths):
    """A target's files, refused where ``model=`` asks for the scores of one model alone."""

    def files(wildcards):
        if "model" in config:
            sys.exit(f"error: {scoring.REFUSED}")
        return list(paths)

    return files


wildcard_constraints:
    recipe=re.escape(RECIPE["name"]),
    corpus=re.escape(RECIPE["corpus"]["name"]),
    tokenizer="|".join(re.escape(tokenizer_of(point)) for point in POINTS.values()),
    source="[^/]+",
    benchmark="[^/]+",
    environment="[^/]+",
    model="|".join(
        [
            "start",
            "pretrained",
            "chat",
            "gold",
            *(re.escape(entry["name"]) for entry in baselines()),
        ]
    ),
    base="|".join(re.escape(name) for name in prepared_models()),
    kind="code|text",
    part=r"\d+",
    parts=r"\d+",


@functools.cache
def locked(environment):
    """What rules depend on of the lock that an environment is built from (lemur.dag.locks)."""
    return locks.fingerprint(locks.path_of(ROOT, environment), bool(config.get("strict_locks")))


# Environments whose locks hold packages that no number depends on.
NUMBERED = sorted(path.parent.name for path in (ROOT / "envs").glob("*/numbers.in"))
LOCKS = {name: locked(name) for name in ("data", "train", "evaluate", "figures", "mathematics")}


def drifted_locks():
    """Lines on locks that changed since this folder's results were made and leave them as they are."""
    if config.get("strict_locks"):
        return []
    lines = [locks.drift(locks.path_of(ROOT, name), Path("results")) for name in NUMBERED]
    return [line for line in lines if line]


if workflow.is_main_process and not ANSWERS:
    for line in drifted_locks():
        print(line, file=sys.stderr, flush=True)


# Kernels that are compiled when first called: once, by the preflight, wherever a home may be read-only.
KERNELS = " ".join(
    f"{name}=$PWD/.kernels/{LOCKS['train'][:12]}/{folder}"
    for name, folder in (
        ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("TORCH_EXTENSIONS_DIR", "extensions"),
    )
)


# What Snakemake fills in for a job's files and wildcards, each of which may be a path.
FILES = re.compile(r"\{((?:input|output|log|wildcards)[^{}:]*)\}")


def quoted(*arguments):
    """Arguments as shell text in which every file's name is one word, whatever it holds."""
    return FILES.sub(r"{\1:q}", " ".join(arguments))


def script(environment, path, *arguments):
    """Shell text that runs a script in an environment with its slice of the recipe."""
    spec = f"--spec {{params.spec:q}} --recipe-digest {RECIPE_DIGEST} --log {{log}}"
    # Only what downloads may ask a hub: libraries otherwise try it first, also for local folders.
    offline = [] if Path(path).name == "download.py" else [OFFLINE]
    call = [RUN, environment, "python", shlex.quote(str(SCRIPTS / path))]
    # Where an answer is printed, nothing else is: libraries write there too.
    output = ["1>&2"] if ANSWERS else []
    return " ".join([*offline, *call, quoted(spec, *arguments), *output, LOG])


def threaded(environment, path, *arguments):
    """The same, for work whose thread pools must keep to the rule's threads."""
    pools = "OMP_NUM_THREADS={threads} RAYON_NUM_THREADS={threads}"
    return f"{pools} {script(environment, path, *arguments)}"


def on_demand(environment, path, *arguments):
    """The same in an environment that few recipes need, built when one does."""
    return f"{BUILD} {environment} && {script(environment, path, *arguments)}"


def mixed(stage):
    """The stage's slice of the recipe, or of the cell of a study, that a job is of."""
    return lambda wildcards: canonical(stage(POINTS[wildcards.recipe]))


def name_point(text):
    """Shell text of ``script`` whose record names the recipe of that cell.

    The digest is a resource, since a changed param would run the job again.
    """
    return text.replace(RECIPE_DIGEST, "{resources.recipe_digest}")


def point_digest(wildcards):
    return digest(POINTS[wildcards.recipe])


def default_files():
    """What plain ``snakemake`` makes: the report, the scores of one model, or a study's results."""
    if STUDY:
        return study_files()
    if only_scores():
        return [FOUNDATION, *([] if "model" in config else [CLAIMS]), *played_by_default()]
    return [REPORT, "results/index.html", *model_cards(), *played_by_default()]


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
    """Plan against realised, of the recipe or of every cell of a study."""
    return [f"results/{name}/mix/table.txt" for name in (STUDY.recipes if STUDY else POINTS)]


def begin_run():
    """Take the folder's lock, which jobs that run here hold as well; what only prints needs none."""
    try:
        place.check(ROOT, Path.cwd(), cluster=workflow.non_local_exec)
        if any(job.output for job in workflow.dag.needrun_jobs()):
            RUN_LOCK.take()
            local_lock.write_lock(LOCAL_LOCK, LOCAL)
    except UserError as error:
        sys.exit(f"error: {error}")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))


# -- where it runs --------------------------------------------------------------------------------


def entry_of(name, wildcards):
    """The pinned source that a job reads, where a rule has a job for each."""
    if name == "download":
        return download_entry(wildcards.folder, wildcards.name)
    if name == "prepare_model":
        return model_entry(wildcards.base)
    if name == "generate":
        return stages.baseline(RECIPE, wildcards.model)
    if name == "play":
        published = stages.baseline(RECIPE, wildcards.model) or {}
        return {**published, "played": stages.environment(RECIPE, wildcards.environment)}
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
    entry = next(x for x in corpus_sources() if x["name"] == source)
    asks = [plan_resources.ask(RECIPE, rule, entry) for rule in SHARD]
    return asks if site.fit_together(asks, SITE) else []


def shard_group(wildcards):
    # Only jobs that are sent to nodes are grouped, also in the plan of a dry run.
    on_nodes = workflow.resource_settings.nodes is not None
    return "shard" if on_nodes and shard_asks(wildcards.source) else None


def asked(rule):
    """What a job asks for, derived from the recipe, grown with the attempt, in a site's words."""
    alike = plan_resources.ask(RECIPE, rule)

    def request(wildcards, attempt):
        entry = entry_of(rule, wildcards)
        recipe = POINTS.get(dict(wildcards).get("recipe"), RECIPE)
        own = entry or recipe is not RECIPE
        first = plan_resources.ask(recipe, rule, entry) if own else alike
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


# -- provenance -----------------------------------------------------------------------------------


def asked_for():
    """The values of --config, and config.yaml's where none was given."""
    return {key: value for key, value in config.items() if key != "captions"}


def configuration_files():
    """What a recipe is resolved from; a site's words say nothing of it."""
    own = project.configuration(Path(config["recipe"])) if PROJECT else ()
    listed = (path for path in (ROOT / "config").rglob("*.yaml") if path.stem[:4] != "site")
    return [*sorted(listed), *own]


def printing_scores():
    """Shell text that prints the scores of all models on all benchmarks, as a table."""
    table = shlex.quote(str(SCRIPTS / "6_evaluate" / "table.py"))
    call = f"{RUN} figures python {table} --labels {{params.labels:q}} --scores {{input:q}}"
    return f"{call} | tee {{log:q}}"


def explaining():
    """Shell text that prints how a result was made."""
    return f"{RUN} workflow python -m lemur.trace {{params.of:q}} 2> {{log:q}}"


def new_project(wildcards):
    """The folder that `snakemake init` makes; refused where none is named."""
    if "name" not in config:
        sys.exit("error: init needs the folder of the new project: --config name=../mine")
    return str(config["name"])


def making_project():
    """Shell text that makes a project of one's own."""
    return f"{RUN} workflow python -m lemur.config.new_project {{params.name:q}} 2> >(tee {{log:q}} >&2)"


def two_sides(wildcards):
    """What `snakemake diff` compares."""
    missing = [key for key in ("before", "after") if key not in config]
    if missing:
        sys.exit(
            f"error: diff: {' and '.join(missing)} not given: --config before=<recipe> after=<recipe>, "
            "or the folders of two runs"
        )
    return [config["before"], config["after"]]


def comparing_sides():
    """Shell text that prints what differs between two recipes or two runs."""
    return f"{RUN} workflow python -m lemur.diff {{params.sides:q}} 2> {{log:q}}"
