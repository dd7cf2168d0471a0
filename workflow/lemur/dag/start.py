"""What a run does before its first job and after its last, and what it says before it is planned."""

import json
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.logging import logger as snakemake_log

from lemur import cost
from lemur.config import paths, place, project
from lemur.core.files import write_json
from lemur.core.log import logger
from lemur.core.provenance import ROOT, digest, keep_recipe
from lemur.core.run_lock import PREFIX, RunLock
from lemur.dag import answers, failures, local_lock, locks, scheduler, screen
from lemur.dag.corpus_files import CorpusFiles
from lemur.dag.run import Run, one_line
from lemur.dag.scored_models import ScoredModels
from lemur.study import plan
from lemur.trace import adopted

CONTINUES = "the same command continues"


def numbered() -> list[str]:
    """Environments whose locks hold packages that no number depends on."""
    return sorted(path.parent.name for path in (ROOT / "envs").glob("*/numbers.in"))


def drifted_locks(run: Run) -> list[str]:
    """Lines on locks that changed since this folder's results were made and leave them as they are."""
    if run.config.get("strict_locks"):
        return []
    lines = [locks.drift(locks.path_of(ROOT, name), Path("results")) for name in numbered()]
    return [line for line in lines if line]


def costs(run: Run) -> list[str]:
    """Lines on what a run costs; none where the command asks for none."""
    if run.config.get("quiet_plan"):
        return []
    if run.study:
        return list(plan.lines(run.study))
    return list(cost.scoring(run.view) if run.only_scores else cost.summary(run.view))


def constraints(run: Run) -> dict[str, str]:
    """Patterns of the wildcards that rules have in common."""
    models = ScoredModels(run)
    return {
        "recipe": re.escape(run.name),
        "corpus": re.escape(run.recipe["corpus"]["name"]),
        "tokenizer": "|".join(map(re.escape, CorpusFiles(run).token_folders)),
        "source": "[^/]+",
        "benchmark": "[^/]+",
        "environment": "[^/]+",
        "model": models.names,
        "base": "|".join(map(re.escape, models.prepared)),
        "kind": "(?:[a-z_]+_)?(?:code|text)",
        "part": r"\d+",
        "parts": r"\d+",
    }


def configuration_files(run: Run) -> list[Path]:
    """What a recipe is resolved from; a site's words say nothing of it."""
    own = project.configuration(Path(run.config["recipe"])) if run.project else ()
    listed = (path for path in (ROOT / "config").rglob("*.yaml") if path.stem[:4] != "site")
    return [*sorted(listed), *own]


class Start:
    """One call of Snakemake from its plan to its end. ``workflow``: Snakemake's own."""

    def __init__(self, run: Run, workflow: Any, arguments: Sequence[str]):
        self.run, self.workflow, self.lock = run, workflow, RunLock()
        main = workflow.is_main_process
        failures.install(main)
        targets, dry = answers.targets(arguments) if main else ([], False)
        with one_line():
            adopted.check_targets(targets, run.adopted)
        self.answers = answers.asked(targets) and not dry
        if main:
            # What only prints, as a dry run does, ends quietly with its reader: `snakemake -n | head`.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        self.screen = screen.install(getattr(workflow, "logger_manager", None)) if main else None
        if self.answers:
            answers.quieten(snakemake_log)
        if self.screen:
            # What prints an answer shows problems alone; a cluster's user reads what SLURM is asked.
            self.screen.whole |= workflow.resource_settings.nodes is not None
            self.screen.answers = self.answers
            self.screen.recipe = run.name
        if main and not self.answers:
            for line in (*costs(run), *drifted_locks(run)):
                logger.info(line)

    def begin(self, shell: Any) -> None:
        """Before the first job, which a dry run does not have: take the folder's lock, which jobs
        that run here hold as well, and keep what .prov.json files point to. What only prints takes no
        lock, and leaves alone what another run may be at work with. ``shell``: Snakemake's own."""
        needed = self.workflow.dag.needrun_jobs
        with one_line():
            place.check(ROOT, Path.cwd(), cluster=self.workflow.non_local_exec)
            if any(job.output for job in needed()):
                self.lock.take()
                local_lock.write_lock(self.run.local_lock, self.run.local)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        scheduler.look_when_a_job_ends(self.workflow.scheduler)
        shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))
        if not self.workflow.non_local_exec:
            plan_answers(job for job in needed() if job.rule.name == "generate")
        if self.lock.taken:
            if self.screen and not self.answers:
                self.screen.keep()
            failures.forget()
            asked, read = dict(self.run.config), configuration_files(self.run)
            for cell in self.run.recipes.values():
                keep_recipe(cell, digest(cell), asked, read)
            for name in numbered():
                locks.keep(locks.path_of(ROOT, name), Path("results"), self.run.digest)

    def fail(self) -> None:
        """After a job that failed: its cause as the last lines."""
        self.lock.release()
        failed = self.workflow.scheduler.failed
        if self.answers:
            # A job as text is the name of its rule.
            failed = [job for job in failed if str(job) not in answers.SHOWING]
        lines = failures.last_words(failed)
        if not self.answers:
            what = "what went wrong stands below and in logs/; " if lines else ""
            lines.insert(0, f"stopped: {what}{CONTINUES}")
        if lines:
            snakemake_log.error("\n".join(lines))


def plan_answers(jobs: Any) -> None:
    """Write down what this run asks each model, for the jobs that run on this machine.

    ``jobs``: Snakemake's, of the rule ``generate``.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        planned = {
            "spec": json.loads(job.params.spec),
            "data": str(job.input.data),
            "out": str(job.output[0]),
        }
        path = paths.PLANNED.format(recipe=job.wildcards.recipe, model=job.wildcards.model)
        found.setdefault(path, []).append(planned)
    for path, benchmarks in found.items():
        benchmarks.sort(key=lambda benchmark: benchmark["out"])
        write_json(path, {"run": str(os.getpid()), "benchmarks": benchmarks})
