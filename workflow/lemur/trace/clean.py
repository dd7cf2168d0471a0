"""Remove what a stage made, after saying what that is and what it cost.

    python -m lemur.trace.clean STAGE [--recipe NAME] [--dry-run]

Cost is what the ``.prov.json`` files say: seconds of each job, times the GPUs that it held. Training
that was continued counts all its steps. Nothing else is touched, and what is finished stays finished:
`snakemake <target>` makes the stage again, and the next `snakemake` what follows from it.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lemur.config import load, project, recipe
from lemur.config.paths import MADE_BY, filled
from lemur.config.values import Values
from lemur.core.command import guarded
from lemur.core.errors import UserError, nearest
from lemur.core.provenance import read_record
from lemur.core.run_lock import RunLock
from lemur.cost.recipe import Recipe, planned
from lemur.trace import chain, records


def places(stage: str, resolved: Values) -> list[Path]:
    """Folders and files that a stage makes for a recipe; UserError for a stage that is none."""
    if stage not in MADE_BY:
        raise UserError(f"clean: no stage '{stage}'{nearest(stage, MADE_BY)}")
    made = (Path(filled(pattern, resolved)) for pattern in MADE_BY[stage])
    return [path for path in made if path.exists()]


@dataclass(frozen=True)
class Cost:
    """What is lost. ``jobs``: number by script; ``unrecorded``: files that no record covers."""

    files: int
    bytes: int
    jobs: dict[str, int]
    seconds: float
    gpu_hours: float
    unrecorded: int


def _unfinished(file: Path) -> bool:
    """Whether this is what training writes while it is under way, beside its checkpoints."""
    stage = file.parent.parent.parent
    inside = (file.name, file.parent.parent.name) == ("metrics.jsonl", "checkpoints")
    return inside and not (stage / "DONE.json").is_file()


def _gpus(stage: str, made_by: Recipe) -> int:
    """GPUs that a stage trains on."""
    part = made_by.stages.get(stage)
    return part.parallel.ranks if part and part.on_gpus else 0


def cost(paths: Iterable[Path], made_by: Recipe) -> Cost:
    """What the files below ``paths`` took, each job once. GPUs of training that has not ended are
    those of the resolved recipe."""
    files = [
        file
        for path in paths
        for file in ([path] if path.is_file() else sorted(path.rglob("*")))
        if file.is_file()
    ]
    seen: set[tuple[str, str]] = set()
    jobs: dict[str, int] = {}
    seconds = gpu_hours = 0.0
    unrecorded = 0
    for file in files:
        if file.name.endswith(records.SUFFIX):
            continue
        record = records.find(file)
        if record is None:
            unrecorded += 1
            if _unfinished(file):
                stage, spent = file.parent.parent.parent.name, chain.seconds_of_steps(file)
                jobs[f"{stage}, unfinished"] = 1
                seconds += spent
                gpu_hours += spent * _gpus(stage, made_by) / 3600
            continue
        facts = read_record(record)
        key = (facts.command, facts.started)
        if key in seen:
            continue
        seen.add(key)
        script = next((w for w in facts.command.split() if w.endswith(".py")), "?")
        jobs[script] = jobs.get(script, 0) + 1
        spent = chain.spent(facts)
        seconds += spent
        gpus = facts.hardware.gpus
        gpu_hours += spent * (gpus.count if gpus else 0) / 3600
    size = sum(file.stat().st_size for file in files)
    return Cost(len(files), size, jobs, seconds, gpu_hours, unrecorded)


# The target that makes a stage again.
TARGETS = {"mix": "mixture", "tokens": "mixture", "report": "all"}


def _told(paths: list[Path], lost: Cost, word: str) -> str:
    lines = [f"{word} {path}" for path in paths]
    lines += [f"    {count} x {script}" for script, count in sorted(lost.jobs.items())]
    if lost.unrecorded:
        lines.append(f"    {lost.unrecorded} files without a .prov.json: unfinished work or yours")
    lines.append(
        f"{lost.files:,} files, {lost.bytes / 1e6:,.1f} MB, which took {lost.gpu_hours:,.2f} GPU-hours "
        f"and {lost.seconds / 3600:,.2f} hours of jobs"
    )
    return "\n".join(lines)


def clean(stage: str, name: str, dry_run: bool) -> str:
    """Remove a stage's results of a recipe, or only say what would be; returns what to print."""
    resolved = recipe.resolve(name)
    paths = places(stage, resolved)
    if not paths:
        return f"nothing of stage {stage} is here"
    lost = cost(paths, planned(resolved))
    if dry_run:
        return _told(paths, lost, "would remove")
    lock = RunLock().take()
    try:
        for path in paths:
            for file in (path, Path(f"{path}{records.SUFFIX}")):
                if file.is_dir():
                    shutil.rmtree(file)
                else:
                    file.unlink(missing_ok=True)
    finally:
        os.close(lock)
    again = f"make it again: snakemake --cores 2 {TARGETS.get(stage, stage)} --config recipe={name}"
    return f"{_told(paths, lost, 'removed')}\n{again}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage")
    parser.add_argument("--recipe", default=load.read_yaml(load.CONFIG / "config.yaml")["recipe"])
    parser.add_argument("--dry-run", action="store_true", help="say what would be lost")
    args = parser.parse_args()
    name = args.recipe
    if file := project.recipe_file(name):
        # Its results lie beside it, as a run keeps them there.
        name = str(file)
        os.chdir(file.parent)
    print(clean(args.stage, name, args.dry_run), file=sys.stdout)


if __name__ == "__main__":
    guarded(main)
