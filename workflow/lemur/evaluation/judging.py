"""Judge recorded generations: lm-eval's metrics over a replay, or programs in the sandbox."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.log import logger
from lemur.evaluation import executed, intervals, paper_filters, response_journal
from lemur.evaluation.definition import Scoring
from lemur.evaluation.fingerprint import Settings, collect
from lemur.evaluation.items import Item, LoggedSample
from lemur.evaluation.lm import LONGEST, ReplayLM
from lemur.evaluation.response_journal import Response
from lemur.evaluation.score import Measured, Responses, Score, Share
from lemur.evaluation.spec import BenchmarkSpec
from lemur.evaluation.tasks import Bench
from lemur.evaluation.verdicts import FAILED, FILE, PASSED, SCORED

VERSION = 7  # of judging


@dataclass(frozen=True)
class Replay:
    """A benchmark asked again of what was recorded. ``settings`` and ``recorded`` are of the
    generations; ``samples`` are lm-eval's, by task."""

    bench: Bench
    settings: Settings
    recorded: Mapping[str, Response]
    lm: ReplayLM
    samples: Mapping[str, Sequence[LoggedSample]]

    def refused(self) -> set[tuple[str, int]]:
        """Task and number of the problems that a server refused: of a refused choice nothing says how
        likely it is, so that none was chosen."""
        return {
            (request.task, request.number)
            for request in self.lm.places
            if self.recorded[request.key].finish == "refused"
        }


def replay(spec: BenchmarkSpec, generations: Path, data: Path) -> Replay:
    """Ask the benchmark of ``spec`` again; nothing is generated. Programs are not run: what judges them
    is no metric of lm-eval's."""
    bench = Bench(spec, data)
    found, recorded = response_journal.read(generations)
    response_journal.refuse_other(generations, found, collect(spec, bench, found.model_sha256))
    measured = bench.benchmark.judge is None
    lm = ReplayLM(recorded, str(generations), LONGEST if measured else None)
    return Replay(bench, found, recorded, lm, bench.evaluate(lm, metrics=measured))


def run(spec: BenchmarkSpec, generations: Path, data: Path, out: Path) -> None:
    """Write ``out`` (scores.json) and beside it ``verdicts.jsonl`` and ``prompt.txt``, the first
    problem as the model got it. Nothing is generated."""
    replayed = replay(spec, generations, data)
    bench, found, judge = replayed.bench, replayed.settings, replayed.bench.benchmark.judge
    items = [
        Item(name, sample)
        for name in bench.tasks
        for sample in replayed.samples[name]
        if bench.definition.score is None or sample.filter == bench.definition.score.filter
    ]
    if judge is not None:
        measured = executed.score(spec, bench, judge(bench.source), items)
    elif bench.definition.coded is not None:
        measured = _bits(items, bench.definition.coded)
    else:
        measured = _shares(replayed, items)
    score = Score(
        **vars(measured),
        benchmark=bench.name,
        model=spec.model,
        format=spec.format,
        shots=spec.shots,
        decoding=found.decoding,
        precision=spec.precision,
        computed=found.computed,
        n=bench.n,
        of=bench.of,
        prompt_sha256=items[0].sample.prompt_sha256,
        prompts_sha256=_prompts(items),
        version=_version(spec, bench),
        model_sha256=found.model_sha256,
        responses=_responses([replayed.recorded[request.key] for request in replayed.lm.places]),
    )
    shown = items[0].sample.prompt.encode("utf-8", "backslashreplace").decode()
    write_text(out.parent / "prompt.txt", shown)
    contracts.write_lines(out.parent / FILE, (item.recorded() for item in items))
    contracts.write_file(out, score)
    if score.value is None:
        logger.warning(f"{bench.name} {spec.model}: not judged: {score.reason}")


def _prompts(items: list[Item]) -> str:
    together = "\n".join(item.sample.prompt_sha256 for item in items)
    return hashlib.sha256(together.encode()).hexdigest()


def _version(spec: BenchmarkSpec, bench: Bench) -> str:
    from importlib.metadata import version

    tasks = ",".join(sorted({str(task.VERSION) for task in bench.tasks.values()}))
    return f"{spec.version} (task {tasks}, judge {VERSION}, lm-eval {version('lm-eval')})"


def _responses(used: Sequence[Response]) -> Responses:
    finish = Counter(entry.finish for entry in used if entry.finish is not None)
    return Responses(
        finish=dict(sorted(finish.items())),
        empty=sum(entry.response == "" for entry in used),
        truncated_prompts=sum(bool(entry.truncated) for entry in used),
        tokens=sum(entry.tokens for entry in used),
    )


def _bits(items: list[Item], field: str) -> Measured:
    """-log2 p summed over documents, by the UTF-8 bytes of their ``field`` summed over documents."""
    bits, sizes = [], []
    for item in items:
        response = item.sample.responses[0]
        # Of an action: its likelihood, and whether it is the likeliest.
        likelihood = response[0] if isinstance(response, list | tuple) else response
        bits.append(-float(likelihood) / math.log(2))
        sizes.append(len(item.document[field].encode("utf-8")))
        item.bits, item.bytes = round(bits[-1], 4), sizes[-1]
        item.verdict = SCORED
    return Measured(
        metric="bits per byte",
        higher_is_better=False,
        value=sum(bits) / sum(sizes),
        interval=intervals.bootstrap_ratio(bits, sizes),
        interval_method="bootstrap over documents 95%",
        judged=True,
        bytes=sum(sizes),
        verdicts={"scored": len(items)},
    )


def _shares(replayed: Replay, items: list[Item]) -> Measured:
    bench, refused = replayed.bench, replayed.refused()
    scoring = bench.definition.score
    if scoring is None:
        raise UserError(f"{bench.name}: its task has neither 'score' nor 'coded', and no judge")

    def right(task: str, sample: LoggedSample, how: Scoring) -> bool:
        return (task, sample.number) not in refused and _right(sample, how)

    loosely, written = scoring.compare == "loosely", 0
    for item in items:
        sample = item.sample
        item.verdict = PASSED if right(item.task, sample, scoring) else FAILED
        if loosely and item.verdict == PASSED and _otherwise_written(sample):
            item.notes["otherwise_written"] = True
            written += 1
        item.answer, item.target = sample.found[:200], sample.target[:200]
    main = [item.verdict == PASSED for item in items]
    weights, alike = [1.0] * len(items), bench.definition.average == "tasks"
    if alike:  # a task weighs as much as any other, however many problems it has
        sizes = Counter(item.task for item in items)
        weights = [1.0 / sizes[item.task] for item in items]
    passed = sum(main)
    value, interval = intervals.weighted_share(main, weights)
    beside = {}
    for name, other in bench.definition.beside.items():
        rights = [
            right(task, sample, other)
            for task in bench.tasks
            for sample in replayed.samples[task]
            if sample.filter == other.filter
        ]
        differ = sum(by_other != by_main for by_other, by_main in zip(rights, main, strict=True))
        beside[name] = Share(intervals.weighted_share(rights, weights)[0], differs_on=differ)
    return Measured(
        metric="accuracy" if scoring.key == "acc" else "exact match",
        value=value,
        interval=interval,
        interval_method="Wilson 95%, tasks weighed alike" if alike else "Wilson 95%",
        judged=True,
        verdicts={"passed": passed, "failed": len(items) - passed},
        otherwise_written=written if loosely else None,
        beside=beside or None,
    )


def _right(sample: LoggedSample, how: Scoring) -> bool:
    """By lm-eval's metric, or by a comparison that passes over case and punctuation."""
    if how.compare == "loosely":
        return paper_filters.loosely(sample.found, sample.target)
    return float(sample.measured[how.key]) > 0


def _otherwise_written(sample: LoggedSample) -> bool:
    """Whether an answer differs from its target in more than case: 2.5 is right where 25 is asked
    for, and any brackets are where brackets are, if punctuation is passed over."""
    return sample.found.strip().lower() != sample.target.strip().lower()
