"""The jobs behind a result, back to pinned downloads and committed files, and their text."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.provenance import ROOT, read_record
from lemur.core.record import JobRecord
from lemur.data import local_files
from lemur.trace import records


@dataclass(frozen=True)
class Job:
    """One job. ``inputs``: (path, sha256 when it was read, number of the job that made it or None)."""

    number: int
    outputs: Sequence[str]
    facts: JobRecord
    inputs: Sequence[tuple[str, str, int | None]]


def _key(facts: JobRecord) -> tuple[str, str, str]:
    return facts.command, facts.started, json.dumps(facts.spec, sort_keys=True)


def shown(path: str) -> str:
    """Without what differs between machines."""
    for folder in (os.getcwd(), str(ROOT)):
        path = path.removeprefix(f"{folder}/")
    return path


def walk(paths: Sequence[Path]) -> list[Job]:
    """Jobs behind ``paths`` in the order in which they had to run; each once.

    Raises UserError for a path without a record. An input without one is a leaf: a committed file.
    """
    numbers: dict[tuple[str, str, str], int] = {}
    jobs: list[Job] = []

    def visit(record: Path) -> int:
        facts = read_record(record)
        key = _key(facts)
        if key not in numbers:
            inputs = []
            for path, sha256 in sorted(facts.inputs.items()):
                behind = records.find(path)
                inputs.append((shown(path), sha256, visit(behind) if behind else None))
            numbers[key] = len(jobs) + 1
            outputs = facts.outputs or [facts.output.path]
            jobs.append(Job(len(jobs) + 1, [shown(path) for path in outputs], facts, inputs))
        return numbers[key]

    for path in paths:
        record = records.find(path)
        if record is None:
            raise UserError(f"{path}: has no .prov.json beside it")
        visit(record)
    return jobs


def changed_since(job: Job) -> list[str]:
    """Inputs that are no longer what the job read, with ``changed`` or ``missing``."""
    return [
        f"{path} ({now})"
        for path, sha256, _ in job.inputs
        if (now := records.state(_place(path), sha256)) != "same"
    ]


def _place(path: str) -> Path:
    """A path as the record has it: of the working folder, else of the checkout."""
    return Path(path) if Path(path).exists() else ROOT / path


def hardware(facts: JobRecord) -> str:
    """``2 of 8 cores of Xeon, 16.8 GB, 1 x NVIDIA H200``."""
    has = facts.hardware
    cores = f"{has.cpus_allowed or has.cpus or '?'} of {has.cpus or '?'} cores"
    words = [f"{cores}, {has.cpu or has.machine or 'unknown'}"]
    if has.memory_gb is not None:
        words.append(f"{has.memory_gb:g} GB")
    if has.gpus:
        words.append(f"{has.gpus.count} x {has.gpus.name}")
    if has.slurm_job is not None:
        words.append(f"SLURM job {has.slurm_job}")
    return ", ".join(words)


def seconds_of_steps(metrics: Path) -> float:
    """What all steps of a ``metrics.jsonl`` took, whichever process took them."""
    lines = metrics.read_text(encoding="utf-8").splitlines()
    return sum(float(json.loads(line).get("seconds", 0)) for line in lines)


def spent(facts: JobRecord) -> float:
    """A job's seconds; of training that was continued, all its steps and not the last attempt's."""
    found = [Path(path) for path in facts.outputs if path.endswith("metrics.jsonl")]
    return max(facts.seconds, *(seconds_of_steps(path) for path in found if path.is_file()), 0.0)


def pinned(job: Job) -> str | None:
    """Where a download is from, in one line; None for a job that is none."""
    spec = job.facts.spec
    if not isinstance(spec, dict) or not isinstance(spec.get("from"), dict):
        return None
    place = spec["from"]
    if "random" in place:
        origin = f"random weights, seed {place['random'].get('seed')}"
    elif "index" in place:
        origin = f"{place['index']}: {place['package']} {place['version']}, {place.get('file', '')}"
    elif "hub" in place:
        origin = f"hub: {place['hub']} at {place.get('revision')}"
    elif local_files.is_local(place):
        origin = (
            f"files of this machine: {place['path']}, hash of all {spec.get('listing', 'unknown')}"
        )
    elif "repository" in place:
        origin = f"{place['repository']} at {place.get('commit')}"
    else:
        origin = json.dumps(place, sort_keys=True)
    sha = f", sha256 {spec['sha256']}" if isinstance(spec.get("sha256"), str) else ""
    return f"{spec.get('name', '?')}: {origin}{sha}, licence {spec.get('licence', 'unknown')}"


def _without_spec(command: str) -> str:
    """The command up to its settings, and what follows them."""
    before, mark, after = command.partition("--spec ")
    if not mark:
        return command
    quoted = after.startswith("'")
    end = after.find("' --", 1) + 1 if quoted else after.find(" --")
    rest = after[end:] if end > 0 else ""
    return f"{before}--spec @spec.json{rest}"


def text(paths: Sequence[Path]) -> str:
    """What ``snakemake provenance --config of=PATH`` prints: the last job first."""
    jobs = walk(paths)
    made = {path for job in jobs for path in job.outputs}
    lines, committed = [], {}
    for job in reversed(jobs):
        facts = job.facts
        lock = facts.lock
        lines += [f"[{job.number}] {', '.join(job.outputs)}"]
        facts_of = {
            "command": _without_spec(facts.command),
            "recipe": facts.recipe or f"digest {facts.recipe_digest}",
            "commit": facts.commit or "unknown: not a git checkout",
            "lock": f"envs/{lock.environment}/{lock.variant}.lock {lock.sha256}" if lock else "unknown",
            "ran": f"{facts.started}, {facts.seconds:g} s, {hardware(facts)}",
        }  # fmt: skip
        lines += [f"    {name:<8} {value}" for name, value in facts_of.items()]
        for path, sha256, number in job.inputs:
            lines.append(f"    {'input':<8} {sha256[:16]} {path}{f' [{number}]' if number else ''}")
            if number is None:
                committed[path] = sha256
        lines += [f"    {'now':<8} {path}" for path in changed_since(job)]
    pins = [line for job in jobs if (line := pinned(job))]
    lines += ["", "pinned sources:", *(f"    {line}" for line in sorted(set(pins)))]
    if committed:
        lines += ["files of the repository:"]
        lines += [
            f"    {sha} {path}" for path, sha in sorted(committed.items()) if path not in made
        ]
    return "\n".join(lines) + "\n"
