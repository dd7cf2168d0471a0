"""What a run was: time and memory by rule, each job with its log, environments and their versions.

Everything is read from the ``.prov.json`` files behind the report's inputs, so it says what made
these results, not what the last command happened to do.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lemur.core.progress import clock
from lemur.core.provenance import ROOT, record_of
from lemur.trace import chain, records
from lemur.trace.chain import Job

MOST_JOBS = 300  # rows of the job table: the longest ones of a run of thousands


def jobs_behind(paths: Iterable[Path]) -> list[Job]:
    """Jobs behind those of ``paths`` that have a record, in the order in which they had to run."""
    return chain.walk([path for path in paths if records.find(path)])


def rule_of(job: Job) -> str:
    """``corpus/clean`` for a job of scripts/1_corpus/clean.py."""
    found = re.search(r"(?:scripts/)?(?:\d_)?(\w+)/(\w+)\.py", job.facts.command)
    return f"{found.group(1)}/{found.group(2)}" if found else "other"


def span(jobs: Sequence[Job]) -> str:
    """From when to when the jobs ran, and how long: ``2026-11-29 22:04 to 22:17 UTC, 68 jobs of
    21m05s together``. Empty without jobs."""
    if not jobs:
        return ""
    began = [datetime.fromisoformat(job.facts.started) for job in jobs]
    spent = [chain.spent(job.facts) for job in jobs]
    ends = [
        start + timedelta(seconds=job.facts.seconds) for start, job in zip(began, jobs, strict=True)
    ]
    first, last = min(began).astimezone(UTC), max(ends).astimezone(UTC)
    end = last.strftime("%H:%M" if first.date() == last.date() else "%Y-%m-%d %H:%M")
    return (
        f"{first.strftime('%Y-%m-%d %H:%M')} to {end} UTC, {len(jobs):,} "
        f"job{'' if len(jobs) == 1 else 's'} of {clock(sum(spent))} together"
    )


@dataclass
class Rule:
    """Sums over the jobs of one rule; ``share`` of the longest rule, for its bar."""

    name: str
    jobs: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    memory_mb: int = 0
    gpu_hours: float = 0.0
    share: float = 0.0
    memory_share: float = 0.0


def by_rule(jobs: Sequence[Job]) -> list[Rule]:
    """Rules in the order in which they first had to run."""
    rules: dict[str, Rule] = {}
    for job in jobs:
        rule = rules.setdefault(rule_of(job), Rule(rule_of(job)))
        seconds = chain.spent(job.facts)
        rule.jobs += 1
        rule.seconds += seconds
        rule.longest = max(rule.longest, seconds)
        rule.memory_mb = max(rule.memory_mb, job.facts.peak_memory_mb or 0)
        gpus = job.facts.hardware.gpus
        rule.gpu_hours += seconds * (gpus.count if gpus else 0) / 3600
    most = max((rule.seconds for rule in rules.values()), default=0) or 1
    largest = max((rule.memory_mb for rule in rules.values()), default=0) or 1
    for rule in rules.values():
        rule.share, rule.memory_share = rule.seconds / most, rule.memory_mb / largest
    return list(rules.values())


@dataclass(frozen=True)
class Ran:
    """A job as the report lists it; ``log``, ``slurm`` (what the scheduler said) and ``record`` are links."""

    rule: str
    output: str
    seconds: float
    started: str
    hardware: str
    log: str
    slurm: str
    record: str


def listed(jobs: Sequence[Job], report: Path) -> list[Ran]:
    """The jobs by start; of very many the longest ``MOST_JOBS``."""
    logs = {path.stem: str(path) for path in sorted(Path("logs/slurm").rglob("*.log"))}
    kept = sorted(jobs, key=lambda job: -chain.spent(job.facts))[:MOST_JOBS]
    return [
        Ran(
            rule=rule_of(job),
            output=job.outputs[0],
            seconds=chain.spent(job.facts),
            started=job.facts.started,
            hardware=chain.hardware(job.facts),
            log=_link(job.facts.log, report),
            slurm=_link(logs.get(job.facts.hardware.slurm_job or ""), report),
            record=_link(str(record_of(job.facts.output.path)), report),
        )
        for job in sorted(kept, key=lambda job: (job.facts.started, job.number))
    ]


def _link(path: str | None, report: Path) -> str:
    """A relative link, to what is there."""
    return os.path.relpath(path, report.parent) if path and Path(path).is_file() else ""


@dataclass(frozen=True)
class Versions:
    """Packages by environment. ``locks``: ``train cpu <sha256>``; ``changed``: locks that differ now."""

    locks: Sequence[str]
    changed: Sequence[str]
    environments: Sequence[str]
    packages: Sequence[tuple[str, Sequence[str]]]
    pythons: Sequence[str]
    commits: Sequence[str]


_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.M)


def versions(jobs: Sequence[Job]) -> Versions:
    """What the jobs' environments hold, from the locks they were built from."""
    used = {}
    for job in jobs:
        lock = job.facts.lock
        if lock:
            used[(lock.environment, lock.variant, lock.sha256)] = None
    table: dict[str, dict[str, str]] = {}
    changed, names = [], []
    for environment, variant, sha256 in sorted(used):
        path = ROOT / "envs" / environment / f"{variant}.lock"
        if not path.is_file() or records.state(path, sha256) != "same":
            changed.append(f"{environment} {variant}")
            continue
        names.append(environment)
        for name, version in _PINNED.findall(path.read_text(encoding="utf-8")):
            table.setdefault(name, {})[environment] = version
    names = list(dict.fromkeys(names))
    return Versions(
        locks=[" ".join(lock) for lock in sorted(used)],
        changed=changed,
        environments=names,
        packages=[
            (name, [found.get(environment, "") for environment in names])
            for name, found in sorted(table.items())
        ],
        pythons=sorted({job.facts.python for job in jobs if job.facts.python}),
        commits=sorted({job.facts.commit for job in jobs if job.facts.commit}),
    )
