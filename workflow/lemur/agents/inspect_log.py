"""A player's episodes as a log of Inspect (inspect_ai), written by Inspect's own writer.

One log is one player in one environment, one sample is one episode: what the model read first, what it
said and heard, and two scores, ``strict`` and ``paper``. `inspect view` shows it, and what reads
Inspect's logs reads it. Needs the environment ``export``.
"""

import hashlib
from collections.abc import Mapping
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
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score

from lemur.agents.environment import Suite, Task
from lemur.agents.judged import GOLD, Opened
from lemur.agents.scoring import Judged, summarise
from lemur.core import contracts
from lemur.core.files import replacing

# When a run was made is not part of what it gives: the same episodes are the same log.
CREATED = "1970-01-01T00:00:00+00:00"
RULES = {"strict": "without the original's faults", "paper": "as the original counts"}


def utf8_text(value: str) -> str:
    """Text that UTF-8 can hold: half of a surrogate pair becomes its escape."""
    return value.encode("utf-8", "backslashreplace").decode()


def _message(role: str, content: str, number: int) -> ChatMessage:
    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return kinds[role](content=utf8_text(content), id=f"m{number}")


def sample(suite: Suite, task: Task, judged: Judged, model: str) -> EvalSample:
    """One episode. Scores are left out where the episode could not be played."""
    episode, verdict = judged.episode, judged.verdict
    first = [
        (message["role"], message["content"]) for message in suite.messages(task, episode.start, [])
    ]
    said = [
        part
        for turn in episode.turns
        for part in (("assistant", turn.answer), ("user", turn.observation))
    ]
    messages = [_message(*pair, number) for number, pair in enumerate([*first, *said])]
    scores = None
    if verdict.left_out is None:
        values = {"strict": verdict.strict, "paper": verdict.paper}
        scores = {rule: Score(value=value, explanation=utf8_text(verdict.why) or None) for rule, value in values.items()}  # fmt: skip
    last = episode.turns[-1].answer if episode.turns else ""
    return EvalSample(
        id=episode.task,
        epoch=1,
        input=messages[: len(first)],
        target="",
        messages=messages,
        output=ModelOutput.from_content(model, utf8_text(last)),
        scores=scores,
        model_usage={model: ModelUsage(output_tokens=episode.tokens, total_tokens=episode.tokens)},
        turn_count=len(episode.turns),
        uuid=hashlib.sha256(episode.task.encode()).hexdigest()[:22],
        metadata={
            "end": episode.end,
            "detail": utf8_text(episode.detail),
            "restarts": episode.restarts,
            "left_out": verdict.left_out and utf8_text(verdict.left_out),
            "rewards": [turn.reward for turn in episode.turns],
        },
    )


def _results(found: list[Judged], left_out: Mapping[str, str]) -> EvalResults:
    """Success rates from 0 to 1 over the episodes that count, as ``scores.json`` has them."""
    made = summarise(found, left_out)
    rates = made.reached
    reached = {"strict": rates.strict, "paper": rates.paper} if rates else {}
    scores = [
        EvalScore(
            name=rule,
            scorer=rule,
            scored_samples=made.n,
            unscored_samples=len(found) - made.n,
            metrics={
                "success": EvalMetric(name="success", value=success.value / 100),
            },
            metadata={"rule": RULES[rule]},
        )
        for rule, success in reached.items()
    ]
    return EvalResults(total_samples=len(found), completed_samples=made.n, scores=scores)


def write(opened: Opened, out: Path) -> None:
    """Write ``out`` (``.eval``)."""
    given, found = opened.given, [judged for _, judged in opened.episodes]
    model = f"lemur/{given.model}"
    digest = opened.settings.digest[:22]
    left_out = {utf8_text(task): utf8_text(why) for task, why in opened.left_out.items()}
    log = EvalLog(
        status="success",
        eval=EvalSpec(
            eval_id=digest,
            run_id=digest,
            task_id=digest,
            created=CREATED,
            task=opened.name,
            dataset=EvalDataset(
                name=given.environment,
                samples=len(found),
                sample_ids=[attempt.episode.task for attempt in found],
            ),
            model=model,
            tags=["known solutions, no model"] if given.player == GOLD else None,
            config=EvalConfig(),
            metadata={
                "player": given.player,
                "settings": contracts.plain(opened.settings),
                "left_out": left_out,
            },
        ),
        results=_results(found, opened.left_out),
        samples=[sample(opened.suite, task, judged, model) for task, judged in opened.episodes],
    )
    with replacing(out) as temporary:
        write_eval_log(log, temporary, format="eval")
