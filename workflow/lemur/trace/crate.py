"""A run as a Provenance Run RO-Crate (Workflow Run RO-Crate 0.5), from its ``.prov.json`` files.

The crate's root is ``results/``: its files are described where they lie, not copied. Downloads are
named by their pin. What the workflow itself is (Snakefile, rules, locks) is copied into
``results/ro-crate/``, so that the folder can be handed on without the checkout.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from lemur.core.files import write_json
from lemur.core.provenance import ROOT
from lemur.trace import chain
from lemur.trace.chain import Job

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
KEPT = "ro-crate"
_BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_DONE = "http://schema.org/CompletedActionStatus"
_MEDIA = {
    ".json": "application/json", ".jsonl": "application/jsonl", ".csv": "text/csv",
    ".tsv": "text/tab-separated-values", ".svg": "image/svg+xml", ".html": "text/html",
    ".md": "text/markdown", ".txt": "text/plain", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip


class _Builder:
    """Adds each thing once, whatever refers to it."""

    def __init__(self, root: Path):
        self.root = root
        self.crate = ROCrate(version="1.1")
        self.tools: dict[str, ContextEntity] = {}
        self.steps: dict[str, ContextEntity] = {}

    def context(self, identifier: str, kind: str | list[str], **properties: Any) -> ContextEntity:
        known = self.crate.get(identifier)
        if known is None:
            known = self.crate.add(
                ContextEntity(self.crate, identifier, properties={"@type": kind, **properties})
            )
        return known

    def file(self, path: str, sha256: str | None = None) -> Any:
        """A file below ``results/`` as data of the crate; one from elsewhere by its path alone."""
        place = PurePosixPath(path)
        inside = place.parts[:1] == ("results",) and (self.root / Path(*place.parts[1:])).exists()
        properties = {"name": place.name, **({"sha256": sha256} if sha256 else {})}
        if not inside:
            return self.context(f"#{path}", "CreativeWork", **{**properties, "name": path})
        relative = "/".join(place.parts[1:])
        actual = self.root / relative
        if actual.is_dir():
            known = self.crate.get(f"{relative}/")
            return known or self.crate.add_dataset(
                dest_path=f"{relative}/", properties={"name": f"{place.name}/"}
            )
        known = self.crate.get(relative)
        if known is None:
            properties["contentSize"] = str(actual.stat().st_size)
            properties["encodingFormat"] = _MEDIA.get(place.suffix, "application/octet-stream")
            known = self.crate.add(File(self.crate, dest_path=relative, properties=properties))
        if sha256:
            known["sha256"] = sha256
        return known


def _one_or_all(values: Sequence[Any]) -> Any:
    """RO-Crate asks for a single value rather than a list of one."""
    return values[0] if len(values) == 1 else list(values)


def _ended(job: Job) -> str:
    began = datetime.fromisoformat(job.facts.started)
    return (began + timedelta(seconds=job.facts.seconds)).isoformat(timespec="seconds")


def _tool_path(job: Job) -> str:
    """``scripts/4_pretrain/pretrain.py`` from a job's command."""
    words = job.facts.command.split(" --")[0].split()
    return next((word for word in words if word.endswith(".py")), words[-1])


def _workflow(made: _Builder, version: str) -> Any:
    workflow = made.crate.add_workflow(
        dest_path=f"{KEPT}/Snakefile",
        main=True,
        lang="snakemake",
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "Lemur pipeline",
            "encodingFormat": "text/x-snakemake",
            "version": version,
            "conformsTo": {"@id": _BIOSCHEMAS},
            "license": "https://spdx.org/licenses/Apache-2.0",
        },
    )
    return workflow


def _keep(root: Path) -> list[str]:
    """Copy what defines the workflow into the crate; paths below ``results/``."""
    target = root / KEPT
    shutil.rmtree(target, ignore_errors=True)
    found = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    found += [*sorted((ROOT / "envs").glob("*/*.lock")), ROOT / "CITATION.cff", ROOT / "LICENSE"]
    for path in found:
        place = target / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return [f"results/{KEPT}/{path.relative_to(ROOT).as_posix()}" for path in found]


def _job(made: _Builder, job: Job, agent: Any, position: int) -> tuple[Any, Any]:
    """A job's action and the step's control action."""
    facts, path = job.facts, _tool_path(job)
    lock = facts.lock
    if path not in made.tools:
        needed = f"results/{KEPT}/envs/{lock.environment}/{lock.variant}.lock" if lock else ""
        made.tools[path] = made.context(
            f"#{path}",
            "SoftwareApplication",
            name=path,
            softwareVersion=facts.commit or "unknown",
            **({"softwareRequirements": {"@id": made.file(needed).id}} if needed else {}),
        )
        made.steps[path] = made.context(
            f"#step-{path}", "HowToStep", name=path, position=str(position)
        )
        made.steps[path]["workExample"] = made.tools[path]
    action = made.crate.add_action(
        made.tools[path],
        identifier=f"#job-{job.number}",
        properties={
            "name": f"{path}: {job.outputs[0]}",
            "description": f"{facts.command}\n{chain.hardware(facts)}, {facts.seconds:g} s, "
            f"peak memory {facts.peak_memory_mb or '?'} MB, lock {lock.sha256 if lock else 'none'}, "
            f"recipe {facts.recipe_digest}",
            "startTime": facts.started,
            "endTime": _ended(job),
            "actionStatus": _DONE,
            "agent": {"@id": agent.id},
        },
    )
    used = [made.file(path, sha256) for path, sha256, _ in job.inputs]
    if pin := chain.pinned(job):
        spec = facts.spec
        used.append(
            made.context(
                f"#source-{spec['name']}",
                "CreativeWork",
                name=pin,
                license=str(spec.get("licence", "unknown")),
            )
        )
    if used:
        action["object"] = _one_or_all(used)
    own = facts.output
    action["result"] = _one_or_all(
        [made.file(path, own.sha256 if path == own.path else None) for path in job.outputs]
    )
    control = made.context(
        f"#control-{job.number}",
        "ControlAction",
        name=f"orchestrate {path}",
        actionStatus=_DONE,
    )
    control["instrument"] = made.steps[path]
    control["object"] = action
    return action, control


def build(
    jobs: Sequence[Job], root: Path, recipe: Mapping[str, Any], kept: Sequence[str]
) -> ROCrate:
    """The crate of ``jobs`` (``chain.walk``), whose files lie below ``root``."""
    made = _Builder(root)
    crate, data = made.crate, made.crate.root_dataset
    name = recipe["name"]
    ends = sorted(_ended(job) for job in jobs)
    crate.name = f"Lemur pipeline, recipe {name}"
    crate.description = str(recipe.get("description") or f"A run of recipe {name}")
    crate.datePublished = datetime.fromisoformat(ends[-1])
    agent = made.context("#agent", "Organization", name="Not stated: whoever ran the workflow")
    crate.publisher = agent
    data["author"] = agent
    crate.license = made.context(
        "#licences",
        "CreativeWork",
        name="Licences of the sources",
        description="Each source keeps its own licence (see the sources); the pipeline is Apache-2.0.",
    )
    data["conformsTo"] = [
        made.context(url, "CreativeWork", name=title, version=url.rsplit("/", 1)[1])
        for url, title in PROFILES.items()
    ]
    made.context("https://spdx.org/licenses/Apache-2.0", "CreativeWork", name="Apache License 2.0")
    workflow = _workflow(made, jobs[-1].facts.commit or "unknown")
    for path in kept:
        if path != f"results/{KEPT}/Snakefile":
            made.file(path)
    done = [_job(made, job, agent, number) for number, job in enumerate(jobs, 1)]
    workflow["hasPart"] = list(made.tools.values())
    workflow["step"] = list(made.steps.values())
    engine = made.context(
        "https://snakemake.github.io",
        "SoftwareApplication",
        name="Snakemake",
        url="https://snakemake.github.io",
        softwareVersion=_snakemake(),
    )
    times = {"startTime": min(job.facts.started for job in jobs), "endTime": ends[-1]}
    run = crate.add_action(
        workflow,
        identifier="#run",
        properties={"name": f"Recipe {name}", "description": crate.description, **times,
                    "agent": {"@id": agent.id}},
    )  # fmt: skip
    recipes = sorted({job.facts.recipe for job in jobs if job.facts.recipe})
    if recipes:
        run["object"] = _one_or_all([made.file(path) for path in recipes])
    run["result"] = _one_or_all([made.file(path) for path in jobs[-1].outputs])
    whole = made.context("#orchestration", "OrganizeAction", name="Snakemake's run", **times)
    whole["instrument"] = engine
    whole["object"] = _one_or_all([control for _, control in done])
    whole["result"] = run
    data["mentions"] = [run, whole, *(action for action, _ in done)]
    return crate


def _snakemake() -> str:
    """The release that the workflow's lock pins."""
    lock = (ROOT / "envs" / "workflow" / "cpu.lock").read_text(encoding="utf-8")
    return re.search(r"^snakemake==([^\s;\\]+)", lock, re.M)[1]  # type: ignore[index]


def write(recipe: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """Write ``ro-crate-metadata.json`` into ``results/`` for the jobs behind ``paths``."""
    jobs = chain.walk(paths)
    crate = build(jobs, out.parent, recipe, _keep(out.parent))
    write_json(out, crate.metadata.generate())
