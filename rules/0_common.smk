# What all rules share: the run that this command asks for, and what its rules are made of, which is
# package code (workflow/lemur/dag). A rule is inputs, outputs, and what `asked`, `stage` and `script`
# say of the stage of its name.
import functools
import re
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir).resolve().parent
sys.path.insert(0, str(ROOT / "workflow"))

from lemur.config import paths
from lemur.dag import agent_files, figure_files, report_marks, study_files, targets
from lemur.dag import run as runs, shell as shell_text, stage as stages
from lemur.dag.corpus_files import CorpusFiles, tokenizer_model
from lemur.dag.downloads import Downloads
from lemur.dag.export_files import ExportFiles
from lemur.dag.requests import Requests
from lemur.dag.scored_models import ScoredModels, model_folder
from lemur.dag.shell import Shell
from lemur.dag.start import Start, constraints
from lemur.trace import adopted

config, PROJECT = runs.read_config(config, workflow.config_settings.config_args or [])

if PROJECT and workflow.overwrite_workdir is None:

    workdir: str(PROJECT)


RUN = runs.resolve(config, PROJECT, is_main=workflow.is_main_process)
START = Start(RUN, workflow, sys.argv)
if workflow.is_main_process:
    from lemur.slurm import executor

    executor.install(RUN.site)

CORPUS, DOWNLOADS, MODELS = CorpusFiles(RUN), Downloads(RUN), ScoredModels(RUN)
AGENTS, FIGURES, STUDY = (
    agent_files.AgentFiles(RUN),
    figure_files.FigureFiles(RUN),
    study_files.StudyFiles(RUN),
)
EXPORTS, TARGETS = ExportFiles(RUN), targets.Targets(RUN)
REQUESTS = Requests(RUN, on_nodes=workflow.resource_settings.nodes is not None)
SHELL = Shell(RUN, answers=START.answers)
PAPER = figure_files.PAPER
NAME, CORPUS_NAME = RUN.name, RUN.recipe["corpus"]["name"]

asked, script, threaded, launched = REQUESTS.asked, SHELL.script, SHELL.threaded, SHELL.launched
stage = functools.partial(stages.params, RUN)
in_report = functools.partial(report_marks.in_report, figures=FIGURES)
filled = RUN.file

# A recipe's name where each cell of a study has a job of its own, and what begins the pattern in
# rules whose results may be adopted, which no rule makes again.
CELLS = "|".join(map(re.escape, RUN.recipes))
NOT_ADOPTED = adopted.passed_over(RUN.adopted, "results")

# Read by the templates of reports/snakemake/.
config["captions"] = figure_files.captions()


def as_is(text):
    """A param with braces of its own, which Snakemake would take for wildcards in a plain string."""
    return lambda wildcards: text


wildcard_constraints:
    **constraints(RUN),
