"""A model's answers to a benchmark as a log of Inspect (inspect_ai), written by Inspect's own writer.

One log is one model on one benchmark, one sample is one problem: its prompt, the answer, the reference
and the verdict. `inspect view` shows it, and what reads Inspect's logs reads it. Needs the environment
``formats``.
"""

import hashlib
import json
from pathlib import Path

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score

from lemur.agents.inspect_log import CREATED, utf8_text
from lemur.core import contracts
from lemur.core.files import canonical, replacing
from lemur.evaluation.sample import Sample
from lemur.export.result import Result


def _sample(sample: Sample, result: Result, model: str) -> EvalSample:
    """One problem. It has no score where it was not judged."""
    prompt, said = utf8_text(sample.prompt), [utf8_text(text) for text in sample.responses]
    name = f"{sample.task}/{sample.document}"
    first = said[0] if said else ""
    messages = [ChatMessageUser(content=prompt, id="m0")]
    if said:
        messages.append(ChatMessageAssistant(content=first, id="m1"))
    scores = None
    if sample.score is not None:
        words = sample.detail or sample.verdict
        score = Score(value=sample.score, answer=utf8_text(sample.answer) or None, explanation=utf8_text(words))  # fmt: skip
        scores = {result.score.metric: score}
    return EvalSample(
        id=name,
        epoch=1,
        input=prompt,
        choices=[utf8_text(choice) for choice in sample.choices] or None,
        target=utf8_text(sample.target),
        messages=messages,
        output=ModelOutput.from_content(model, first),
        scores=scores,
        model_usage={model: ModelUsage(output_tokens=sample.tokens, total_tokens=sample.tokens)},
        uuid=hashlib.sha256(name.encode()).hexdigest()[:22],
        metadata={
            "verdict": sample.verdict,
            "detail": utf8_text(sample.detail),
            "finish": sample.finish,
            "repeats": said[1:],
        },
    )


def _results(result: Result) -> EvalResults:
    made = result.score
    metrics = {}
    if made.value is not None:
        found = {"value": made.value}
        if made.interval:
            found |= {"low": made.interval[0], "high": made.interval[1]}
        metrics = {name: EvalMetric(name=name, value=value) for name, value in found.items()}
    judged = sum(sample.score is not None for sample in result.samples)
    score = EvalScore(
        name=made.metric,
        scorer=made.metric,
        scored_samples=judged,
        unscored_samples=len(result.samples) - judged,
        metrics=metrics,
        metadata={
            "interval_method": made.interval_method,
            "higher_is_better": made.higher_is_better,
            "reason": made.reason,
        },
    )
    return EvalResults(total_samples=len(result.samples), completed_samples=judged, scores=[score])


def write(result: Result, out: Path) -> None:
    """Write ``out`` (``.eval``)."""
    model = f"lemur/{result.name}"
    scores = json.loads(contracts.line(result.score))  # with its keys in order
    known = {key: value for key, value in scores.items() if key != "value"}
    digest = hashlib.sha256(canonical(known).encode()).hexdigest()[:22]
    data = result.dataset
    decoding = result.score.decoding
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            eval_id=digest,
            run_id=digest,
            task_id=digest,
            created=CREATED,
            task=result.benchmark,
            task_version=result.score.version,
            dataset=EvalDataset(
                name=result.benchmark,
                location=data.dataset if data else None,
                samples=len(result.samples),
                sample_ids=[f"{sample.task}/{sample.document}" for sample in result.samples],
            ),
            model=model,
            model_generate_config=GenerateConfig(
                max_tokens=decoding.max_new_tokens,
                temperature=decoding.temperature,
                top_p=decoding.top_p,
            ),
            config=EvalConfig(),
            metadata={"asked": result.score.asked, "base": result.base, "scores": scores},
        ),
        results=_results(result),
        samples=[_sample(sample, result, model) for sample in result.samples],
    )
    with replacing(out) as temporary:
        write_eval_log(log, temporary, format="eval")
