"""Shell text that starts a rule's script in its environment with its slice of the recipe."""

import re
import shlex
from pathlib import Path
from typing import Any

from lemur.config import paths
from lemur.core.provenance import ROOT
from lemur.cost import resources
from lemur.dag import failures
from lemur.dag.run import Run
from lemur.dag.stage import ON_DEMAND, STAGES, Stage, environment_of

ENV_RUN = shlex.quote(str(ROOT / "workflow" / "env-run"))
ENV_BUILD = shlex.quote(str(ROOT / "workflow" / "env-build"))
OFFLINE = "HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 HF_EVALUATE_OFFLINE=1"
# A rule's log is also shown, so that progress reaches the terminal.
LOG = f"2> >(tee {{log:q}} >&2) {failures.NOTE}"
# Where a job finds what this run asks its model (lemur.config.paths).
PLANNED = paths.PLANNED.replace("{", "{wildcards.")
# What Snakemake fills in for a job's files and wildcards, each of which may be a path.
FILES = re.compile(r"\{((?:input|output|log|wildcards)[^{}:]*)\}")


def quoted(*arguments: str) -> str:
    """Arguments as shell text in which every file's name is one word, whatever it holds."""
    return FILES.sub(r"{\1:q}", " ".join(arguments))


class Shell:
    """The shell text of a run's rules.

    ``answers``: the command prints an answer, beside which scripts print nothing; libraries do.
    """

    def __init__(self, run: Run, *, answers: bool = False):
        self.run, self.answers = run, answers
        # Of a cell of a study the digest is a resource of the job.
        self.digests = {True: "{resources.recipe_digest}", False: run.digest}

    def script(self, rule: str, path: str, *arguments: str) -> str:
        """Runs scripts/<path> with ``arguments``."""
        return self._before(STAGES[rule]) + self._call(rule, path, *arguments)

    def threaded(self, rule: str, path: str, *arguments: str) -> str:
        """The same, for work whose thread pools must keep to the rule's threads."""
        pools = "OMP_NUM_THREADS={threads} RAYON_NUM_THREADS={threads}"
        return f"{self._before(STAGES[rule])}{pools} {self._call(rule, path, *arguments)}"

    def _before(self, stage: Stage) -> str:
        """Builds what few recipes need: the environment itself, and those that the param names."""
        environment = environment_of(self.run, stage)
        needed = f'{{{{ [ -z "{{params.build}}" ] || {ENV_BUILD} {{params.build}}; }}}} && '
        own = f"{ENV_BUILD} {environment} && "
        return (needed if stage.needs else "") + (own if environment in ON_DEMAND else "")

    def _spec(self, stage: Stage) -> str:
        digest = self.digests[stage.cell]
        return f"--spec {{params.spec:q}} --recipe-digest {digest} --log {{log}}"

    def _call(self, rule: str, path: str, *arguments: str) -> str:
        stage = STAGES[rule]
        # Only what downloads may ask a hub: libraries otherwise try it first, also for local folders.
        offline = [] if Path(path).name == "download.py" else [OFFLINE]
        program = shlex.quote(str(ROOT / "scripts" / path))
        call = [ENV_RUN, environment_of(self.run, stage), "python", program]
        # Where an answer is printed, nothing else is: libraries write there too.
        output = ["1>&2"] if self.answers else []
        return " ".join([*offline, *call, quoted(self._spec(stage), *arguments), *output, LOG])

    # -- training ---------------------------------------------------------------------------------

    def launched(self, rule: str, path: str, *arguments: str) -> str:
        """Trains: as one process, as ranks of one node, or through srun on several."""
        part = {**resources.TRAINING, **resources.PREFLIGHT}[rule]
        nodes, processes = resources.ranks(self.run.view, part)
        grace = max(resources.grace_seconds(x, part) for x in self.run.views.values())
        launch = f"-m lemur.launch --nodes {nodes} --processes {processes} --grace {grace}"
        done = "--out " + paths.DONE.replace("{recipe}", "{wildcards.recipe}").replace(
            "{stage}", part
        )
        called = f"-- {shlex.quote(str(ROOT / 'scripts' / path))}"
        # Most SLURM_ variables are gone here, so srun is told the layout again.
        srun = f"srun --nodes={nodes} --ntasks={nodes} --cpus-per-task={{resources.cpus_per_task}}"
        start = [srun, "--kill-on-bad-exit=1"] if nodes > 1 else []
        # The shell and tee must outlive a warning that is meant for the training process.
        words = [
            f"trap '' TERM USR1; {OFFLINE} {self.kernels} OMP_NUM_THREADS={{threads}}",
            *start,
            ENV_RUN,
            "train python",
        ]
        spec = quoted(self._spec(STAGES[rule]), *arguments)
        return " ".join([*words, launch, quoted(done), called, spec, LOG])

    @property
    def kernels(self) -> str:
        """Variables that say where kernels lie, which are compiled when first called: once, by the
        preflight, wherever a home may be read-only."""
        below = f"$PWD/.kernels/{self.run.lock('train')[:12]}"
        return " ".join(
            f"{name}={below}/{folder}"
            for name, folder in (
                ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
                ("TRITON_CACHE_DIR", "triton"),
                ("TORCH_EXTENSIONS_DIR", "extensions"),
            )
        )

    @property
    def trackers(self) -> str:
        """Arguments for the trackers that somebody asked for, here or for the whole site."""
        named = self.run.config.get("track", self.run.site.get("track", []))
        return " ".join(f"--track {name}" for name in named)

    def preflight(self, part: str) -> list[str]:
        """What must have been tried before many ranks train or kernels are compiled; else nothing."""
        nodes, processes = resources.ranks(self.run.view, part)
        needed = nodes * processes > 1 or resources.compiles(self.run.view, part)
        return [paths.PREFLIGHT.replace("{stage}", part)] if needed else []

    def preflight_model(self, wildcards: Any, part: str) -> list[str]:
        """The base where its kernels are compiled: what later stages start from has the same shape."""
        if not resources.compiles(self.run.view, part):
            return []
        return [paths.BASE.format(base=self.run.cell(wildcards)["base"]["name"])]
