"""Bring together what a benchmark's files hold of each problem: prompt, responses, verdict.

Generations keep a prompt's digest and verdicts its answer, so that neither file repeats few-shot
examples a thousand times. Here the prompts are made again, by the same code that asked them, and held
against those digests.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.evaluation.items import LoggedSample
from lemur.evaluation.judging import replay
from lemur.evaluation.response_journal import Response
from lemur.evaluation.sample import Sample, write
from lemur.evaluation.spec import BenchmarkSpec
from lemur.evaluation.verdicts import NOT_JUDGED, PASSED, SCORED, ProblemVerdict, read_verdicts

CORRECT = {PASSED: True, NOT_JUDGED: None, SCORED: None}


def run_all(
    specs: Sequence[BenchmarkSpec],
    generations: Sequence[Path],
    data: Sequence[Path],
    out: Sequence[Path],
) -> None:
    """``run`` for each of a recipe's scores; verdicts stand beside generations."""
    with Progress("samples", len(specs), "scores") as progress:
        for spec, answers, problems, path in zip(specs, generations, data, out, strict=True):
            run(spec, answers, answers.with_name("verdicts.jsonl"), problems, path)
            progress.add(note=f"{spec.model} {spec.benchmark}")


def run(spec: BenchmarkSpec, generations: Path, verdicts: Path, data: Path, out: Path) -> None:
    """Write ``out`` (samples.jsonl), one line a problem in the order of ``verdicts``."""
    replayed = replay(spec, generations, data)
    asked = {
        (name, sample.document["_id"]): sample
        for name, samples in replayed.samples.items()
        for sample in samples
    }
    responses: dict[tuple[str, int], list[Response]] = defaultdict(list)
    for request in replayed.lm.places:
        responses[request.task, request.number].append(replayed.recorded[request.key])
    judged = read_verdicts(verdicts)
    write(out, [_joined(verdict, asked, responses, str(verdicts)) for verdict in judged])


def _joined(
    judged: ProblemVerdict,
    asked: Mapping[tuple[str, str], LoggedSample],
    responses: Mapping[tuple[str, int], list[Response]],
    where: str,
) -> Sample:
    sample = asked.get(judged.name)
    if sample is None:
        raise UserError(f"{where}: '{judged.document}' is not asked now: judge again")
    if sample.prompt_sha256 != judged.prompt_sha256:
        raise UserError(f"{where}: '{judged.document}' is asked otherwise now: judge again")
    given = responses[judged.task, sample.number]
    texts = [answer.response for answer in given if isinstance(answer.response, str)]
    pairs = [answer.response for answer in given if isinstance(answer.response, tuple)]
    choices: Sequence[str] = ()
    if len(pairs) > 1:
        choices = sample.choices
        likeliest = max(range(len(pairs)), key=lambda number: pairs[number][0])
        texts = [choices[likeliest]]
    correct = CORRECT.get(judged.verdict, False)
    score = None if correct is None else float(correct)
    if judged.bits is not None and judged.bytes:
        score = judged.bits / judged.bytes
    elif drawn := [word for word in judged.samples or () if word != NOT_JUDGED]:
        score = drawn.count(PASSED) / len(drawn)
    return Sample(
        task=judged.task,
        document=judged.document,
        prompt=sample.prompt,
        target=sample.target if judged.target is None else judged.target,
        responses=tuple(texts),
        choices=tuple(choices),
        answer=judged.answer or "",
        verdict=judged.verdict,
        detail=judged.detail or "",
        correct=correct,
        score=score,
        finish=given[0].finish or "",
        tokens=sum(answer.tokens for answer in given),
    )
