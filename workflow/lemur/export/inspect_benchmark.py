"""A model's answers to a benchmark as a log of Inspect (inspect_ai), written by Inspect's own writer.

One log is one model on one benchmark, one sample is one problem: its prompt, the answer, the reference
and the verdict. `inspect view` shows it, and what reads Inspect's logs reads it. Needs the environment
``formats``.
"""

import hashlib
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
        scores = {result.scores["metric"]: score}
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
    scores = result.scores
    metrics = {}
    if scores["value"] is not None:
        found = {"value": scores["value"]}
        if scores["interval"]:
            found |= {"low": scores["interval"][0], "high": scores["interval"][1]}
        metrics = {name: EvalMetric(name=name, value=value) for name, value in found.items()}
    judged = sum(sample.score is not None for sample in result.samples)
    score = EvalScore(
        name=scores["metric"],
        scorer=scores["metric"],
        scored_samples=judged,
        unscored_samples=len(result.samples) - judged,
        metrics=metrics,
        metadata={
            key: scores.get(key) for key in ("interval_method", "higher_is_better", "reason")
        },
    )
    return EvalResults(total_samples=len(result.samples), completed_samples=judged, scores=[score])


def write(result: Result, out: Path) -> None:
    """Write ``out`` (``.eval``)."""
    model = f"lemur/{result.name}"
    known = {key: value for key, value in result.scores.items() if key != "value"}
    digest = hashlib.sha256(canonical(known).encode()).hexdigest()[:22]
    data = result.dataset
    decoding = result.scores.get("decoding") or {}
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            eval_id=digest,
            run_id=digest,
            task_id=digest,
            created=CREATED,
            task=result.benchmark,
            task_version=str(result.scores.get("version", "")),
            dataset=EvalDataset(
                name=result.benchmark,
                location=data.dataset if data else None,
                samples=len(result.samples),
                sample_ids=[f"{sample.task}/{sample.document}" for sample in result.samples],
            ),
            model=model,
            model_generate_config=GenerateConfig(
                max_tokens=decoding.get("max_new_tokens"),
                temperature=decoding.get("temperature"),
                top_p=decoding.get("top_p"),
            ),
            config=EvalConfig(),
            metadata={"asked": result.asked, "base": result.base, "scores": dict(result.scores)},
        ),
        results=_results(result),
        samples=[_sample(sample, result, model) for sample in result.samples],
    )
    with replacing(out) as temporary:
        write_eval_log(log, temporary, format="eval")
