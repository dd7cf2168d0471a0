"""Score answers that are programs: each is run in the sandbox and judged by what it does."""

import dataclasses
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.evaluation import intervals
from lemur.evaluation.benchmark import Judge, Runnable, Skipped
from lemur.evaluation.items import Item
from lemur.evaluation.score import Measured, Share
from lemur.evaluation.spec import BenchmarkSpec, SandboxSpec
from lemur.evaluation.tasks import Bench
from lemur.evaluation.verdicts import NOT_JUDGED, PASSED
from lemur.sandbox.judge import VERDICTS, Job, Verdict, stable
from lemur.sandbox.judge import judge as judge_program
from lemur.sandbox.policy import Limits
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent, Sandbox

Work = Job | Runnable | Skipped
_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)")


def limits_of(given: SandboxSpec) -> Limits:
    """``seconds`` bounds processor time; wall time may be three times that, so that a busy machine does
    not turn a pass into a timeout."""
    seconds = float(given.seconds or Limits.cpu_seconds)
    memory = given.memory_mb or Limits.memory_mb
    return Limits(
        cpu_seconds=max(1, math.ceil(seconds)), wall_seconds=3 * seconds, memory_mb=memory
    )


def verdict_on(sandbox: Sandbox, job: Work, limits: Limits) -> Verdict:
    """Verdict of one program. A judge that falls is no verdict on the program: it is said so."""
    if isinstance(job, Skipped):
        return Verdict(NOT_JUDGED, job.reason, 0.0)
    try:
        if isinstance(job, Job):
            return judge_program(sandbox, job, limits)
        return job.run(sandbox, limits)
    except UserError:
        raise
    except Exception as error:
        return Verdict(NOT_JUDGED, f"the judge fell: {type(error).__name__}: {error}"[:300], 0.0)


def _all(sandbox: Sandbox, jobs: Sequence[Work], limits: Limits, label: str) -> list[Verdict]:
    """Verdicts in the order of ``jobs``, as many at a time as there are cores."""
    with (
        ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool,
        Progress(label, len(jobs), "programs") as progress,
    ):
        verdicts = []
        for verdict in pool.map(lambda job: verdict_on(sandbox, job, limits), jobs):
            progress.add()
            verdicts.append(verdict)
    return verdicts


def score(spec: BenchmarkSpec, bench: Bench, judge: Judge, items: list[Item]) -> Measured:
    """pass@1 over the problems that could be judged, and how many could not, by reason."""
    sandbox = probe()
    nothing = Measured(metric=bench.definition.metric, value=None, interval=None, judged=False)
    if isinstance(sandbox, Absent):
        for item in items:
            item.verdict, item.detail = NOT_JUDGED, sandbox.reason
        return dataclasses.replace(nothing, reason=sandbox.reason)
    judge.prepare([item.document for item in items])
    limits = limits_of(spec.sandbox)
    label = f"judge {bench.name} {spec.model}"
    jobs = [judge.job(item.document, response) for item in items for response in item.responses]
    verdicts = _all(sandbox, jobs, limits, label)
    left = iter(verdicts)
    of_items = [[next(left) for _ in item.responses] for item in items]
    estimates, drawn = [], []
    for item, found in zip(items, of_items, strict=True):
        _note(item, found, judge)
        judged = [verdict for verdict in found if verdict.verdict != NOT_JUDGED]
        if judged:
            passed = sum(verdict.verdict == PASSED for verdict in judged)
            drawn.append((len(judged), passed))
            estimates.append(intervals.pass_at_k(len(judged), passed, 1))
    _judge_again(sandbox, judge, items, limits, f"{label} again")
    missed = Counter(
        stable(verdict.detail) for verdict in verdicts if verdict.verdict == NOT_JUDGED
    )
    summary = judge.summary(items)
    nothing = dataclasses.replace(
        nothing,
        not_judged=dict(sorted(missed.items())) or None,
        lacking_modules=_lacking(verdicts) or None,
        beside=summary.beside,
        details=summary.details,
    )
    if not estimates:
        reason = "; ".join(f"{number} x {why}" for why, number in sorted(missed.items())[:3])
        return dataclasses.replace(nothing, reason=reason)
    counts = Counter(verdict.verdict for verdict in verdicts)
    single = all(len(found) == 1 for found in of_items)
    return dataclasses.replace(
        nothing,
        judged=True,
        interval_method="Wilson 95%" if single else "bootstrap over problems 95%",
        value=sum(estimates) / len(estimates),
        interval=intervals.wilson(sum(estimates), len(estimates))
        if single
        else intervals.bootstrap_mean(estimates),
        verdicts={name: counts.get(name, 0) for name in VERDICTS},
        sandbox=sandbox.name,
        pass_at=None if single else _pass_at(drawn),
        n_judged=len(estimates) if missed else None,
    )


def _note(item: Item, found: list[Verdict], judge: Judge) -> None:
    """Put the verdicts ``found`` on an item's answers into it."""
    first = found[0]
    item.verdict, item.detail = first.verdict, stable(first.detail)
    if item.judged:
        item.notes |= {name: rule(first) for name, rule in judge.alternatives().items()}
    if len(found) > 1:
        item.samples = tuple(verdict.verdict for verdict in found)


def _judge_again(
    sandbox: Sandbox, judge: Judge, items: list[Item], limits: Limits, label: str
) -> None:
    """Run the other job that a judge may have of each first answer."""
    again = [(item, judge.second_job(item.document, item.responses[0])) for item in items]
    chosen = [(item, job) for item, job in again if job is not None]
    if not chosen:
        return
    verdicts = _all(sandbox, [job for _, job in chosen], limits, label)
    for (item, _), verdict in zip(chosen, verdicts, strict=True):
        item.second = verdict.verdict


def _lacking(verdicts: list[Verdict]) -> dict[str, int]:
    """Answers that ended for want of a module, by its name: a sandbox for functions has Python's
    standard library, and ``numpy`` is not of it."""
    named = (_MODULE.match(verdict.detail) for verdict in verdicts if verdict.verdict == "error")
    return dict(sorted(Counter(match.group(1) for match in named if match).items()))


def _pass_at(drawn: list[tuple[int, int]]) -> dict[str, Share]:
    """pass@k beside pass@1, from (samples, passed) of each problem: for 10 and 100, as Chen et al.
    2021 report it, and for as many as every problem has."""
    least = min(samples for samples, _ in drawn)
    found = {}
    for k in sorted({k for k in (10, 100, least) if 1 < k <= least}):
        each = [intervals.pass_at_k(samples, passed, k) for samples, passed in drawn]
        value = sum(each) / len(each)
        found[str(k)] = Share(value, interval=intervals.bootstrap_mean(each))
    return found
