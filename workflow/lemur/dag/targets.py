"""Targets that a user asks for by name: what they are refused for, and the commands that print."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lemur.config import paths, scoring, stages
from lemur.core.files import canonical
from lemur.core.provenance import ROOT
from lemur.dag.figure_files import FigureFiles
from lemur.dag.run import Run, refuse
from lemur.dag.scored_models import ScoredModels
from lemur.dag.shell import ENV_RUN
from lemur.dag.study_files import StudyFiles
from lemur.trace import adopted

SHOWN = "2> >(tee {log:q} >&2)"


class Targets:
    """What the targets of a run ask for."""

    def __init__(self, run: Run):
        self.run = run
        self.models = ScoredModels(run)

    @property
    def default(self) -> list[str]:
        """What plain ``snakemake`` makes: the report, the scores of one model, or a study's results."""
        if self.run.study:
            return StudyFiles(self.run).results
        return FigureFiles(self.run).default

    def unless_scoring_alone(self, *files: str) -> Callable[[Any], list[str]]:
        """A target's files, refused where ``model=`` asks for the scores of one model alone."""

        def listed(wildcards: Any) -> list[str]:
            if "model" in self.run.config:
                refuse(scoring.REFUSED)
            return list(files)

        return listed

    def new_project(self, wildcards: Any) -> str:
        """The folder that `snakemake init` makes; refused where none is named."""
        if "name" not in self.run.config:
            refuse("init needs the folder of the new project: --config name=../mine")
        return str(self.run.config["name"])

    def two_sides(self, wildcards: Any) -> list[Any]:
        """What `snakemake diff` compares."""
        config = self.run.config
        missing = [key for key in ("before", "after") if key not in config]
        if missing:
            refuse(
                f"diff: {' and '.join(missing)} not given: --config before=<recipe> after=<recipe>, "
                "or the folders of two runs"
            )
        return [config["before"], config["after"]]

    def what_to_adopt(self, wildcards: Any) -> str:
        """What a result that is taken over has to be: values of the recipe."""
        config, recipe = self.run.config, self.run.recipe
        missing = [key for key in ("of", "as") if key not in config]
        if missing:
            refuse(
                f"adopt: {' and '.join(missing)} not given: --config of=<model folder, token file or "
                f"scores.json> as=<stage> ({', '.join(adopted.STAGES)})"
            )
        published = [entry["name"] for entry in self.run.baselines]
        models = [*recipe["evaluate"]["models"], *published]
        scored = config["as"].split("/")[1:2]
        known = [model for model in models if [model] == scored]
        base, corpus = recipe["base"], recipe["corpus"]
        return canonical(
            {
                "recipe": self.run.name,
                "base": base["name"],
                "architecture": base["architecture"],
                "corpus": corpus["name"],
                "tokenizer": stages.token_folder(recipe, "text"),
                "tokenizer_file": f"{paths.BASE_MODEL.format(base=base['name'])}/tokenizer.json",
                "sources": {source["name"]: source.get("parts", 1) for source in corpus["sources"]},
                "models": models,
                "benchmarks": self.models.forms(known[0]) if known else {},
            }
        )


# -- shell text -------------------------------------------------------------------------------------


def printing_scores() -> str:
    """Prints the scores of all models on all benchmarks, as a table."""
    table = shlex.quote(str(ROOT / "scripts" / "6_evaluate" / "table.py"))
    call = f"{ENV_RUN} figures python {table} --labels {{params.labels:q}} --scores {{input:q}}"
    return f"{call} | tee {{log:q}}"


def printing_agents(figures: FigureFiles) -> str:
    """Prints the success rates of all players in all environments, as a table."""
    table = shlex.quote(str(ROOT / "scripts" / "7_agents" / "table.py"))
    # The page is drawn where figures.yaml has the table in a section.
    pages = [path for path in figures.agent_files if Path(path).name == "live_agents.html"]
    opened = " ".join(f"--opened {shlex.quote(path)}" for path in pages)
    return f"{ENV_RUN} figures python {table} --scores {{input.scores:q}} {opened} | tee {{log:q}}"


def explaining() -> str:
    """Prints how a result was made."""
    return f"{ENV_RUN} workflow python -m lemur.trace {{params.of:q}} 2> {{log:q}}"


def making_project() -> str:
    """Makes a project of one's own."""
    return f"{ENV_RUN} workflow python -m lemur.config.new_project {{params.name:q}} {SHOWN}"


def comparing_sides() -> str:
    """Prints what differs between two recipes or two runs."""
    return f"{ENV_RUN} workflow python -m lemur.diff {{params.sides:q}} 2> {{log:q}}"


def adopting() -> str:
    """Takes over what somebody made elsewhere; it takes the folder's lock itself."""
    call = (
        f"{ENV_RUN} data python -m lemur.trace.adopt --of {{params.of:q}} --as {{params.stage:q}}"
    )
    return f"exec 9>&-; {call} --by {{params.by:q}} --asked {{params.asked:q}} {SHOWN}"


def publishing() -> str:
    """Shows what would be sent, and sends it where that was confirmed."""
    program = shlex.quote(str(ROOT / "scripts" / "9_export" / "publish.py"))
    return f"{ENV_RUN} data python {program} --spec {{params.spec:q}} {{params.arguments}} {SHOWN}"
