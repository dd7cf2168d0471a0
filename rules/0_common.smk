# Configuration, and the functions that say how and where rules run.
import dataclasses
import functools
import getpass
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

from lemur import cost as cost_plan
from lemur.config.agents import with_parts
from lemur.config import claims, load, place, project, schema, scoring, site, stages
from lemur.config import recipe as recipes
from lemur.dag import adopted, answers, failures, local_lock, locks
from lemur.data import local_files
from lemur.core import contracts
from lemur.core.errors import UserError, nearest
from lemur.figures import settings
from lemur.core.files import canonical, write_json
from lemur.cost import recipe as plan_recipe, resources as plan_resources
from lemur.core.provenance import digest, keep_recipe
from lemur.core.run_lock import PREFIX, RunLock
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
    place.check_compiled(cost_plan.planned(RECIPE), ROOT, Path.cwd())
    # Files of this machine are listed now, so that one that changed is read again by this run.
    LOCAL_LOCK = (PROJECT or ROOT / "config") / local_files.LOCK
    LOCAL = local_lock.look(RECIPE, LOCAL_LOCK, is_main=workflow.is_main_process)
    RECIPE = local_lock.with_local(RECIPE, LOCAL)
    if STUDY:
        cells = {name: local_lock.with_local(cell, LOCAL) for name, cell in STUDY.recipes.items()}
        STUDY = dataclasses.replace(STUDY, common=RECIPE, recipes=cells)
    STYLE = load.figures(config.get("style"), PROJECT)
    # What `snakemake provenance` explains; with `as`, what `snakemake adopt` takes over.
    OF = config.get("of", REPORT)
    OF = str(records.check(OF)) if "of" in config and "as" not in config else str(OF)
    ADOPTED = adopted.listed()
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


# The recipes that this run trains and scores: one, or the cells of a study; and what the plan reads
# of each.
POINTS = {RECIPE["name"]: RECIPE, **(STUDY.recipes if STUDY else {})}
VIEWS = {name: cost_plan.planned(point) for name, point in POINTS.items()}
VIEW = VIEWS[RECIPE["name"]]
ANSWERS = workflow.is_main_process and answers.asked(targets_asked_for())
if ANSWERS:
    answers.quieten(snakemake_log)
elif workflow.is_main_process and not config.get("quiet_plan"):
    if STUDY:
        print("\n".join(study_plan.lines(STUDY)), file=sys.stderr, flush=True)
    else:
        shown_plan = cost_plan.summary if RECIPE["evaluate"]["models"] else cost_plan.scoring
        print("\n".join(shown_plan(VIEW)), file=sys.stderr, flush=True)


def baselines():
    """Published models that the recipe scores beside its own."""
    return RECIPE["evaluate"].get("baselines", [])


MIXED = "|".join(map(re.escape, POINTS))
# Begins the pattern of a recipe's name in rules whose results may be adopted.
NOT_ADOPTED = adopted.passed_over(ADOPTED, "results")


def token_folders():
    """Folders of token files under results/tokens/<corpus>: models of one tokenizer share them."""
    kinds = ("code", "text")
    return {stages.token_folder(point, kind): 0 for point in POINTS.values() for kind in kinds}


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
    tokenizer="|".join(map(re.escape, token_folders())),
    source="[^/]+",
    benchmark="[^/]+",
    environment="[^/]+",
    model="|".join(
        [
            "start",
            "pretrained",
            "chat",
            "gold",
            r"pretrained-step-\d+",
            *(re.escape(entry["name"]) for entry in baselines()),
        ]
    ),
    base="|".join(re.escape(name) for name in prepared_models()),
    kind="(?:[a-z_]+_)?(?:code|text)",
    part=r"\d+",
    parts=r"\d+",


include: "0_shell.smk"


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


include: "0_requests.smk"
include: "0_answers.smk"
