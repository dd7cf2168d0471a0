"""From recorded episodes to verdicts and scores. Nothing is played again."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents import scores
from lemur.agents.environment import Task, Verdict
from lemur.agents.episode import WORLD_FAILED, Episode
from lemur.agents.playing import Settings, open_suite, read, read_settings
from lemur.agents.rates import Rate
from lemur.agents.scores import Played, Reached, Success
from lemur.core.errors import UserError
from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.core.readable import readable


@dataclasses.dataclass(frozen=True)
class Judged:
    """An episode with its verdict."""

    episode: Episode
    verdict: Verdict


def judge(
    spec: Any, episodes: Path, data: Path, games: Path | None = None
) -> tuple[list[Judged], dict[str, str]]:
    """Every episode's verdict, and the tasks that are left out with the reason."""
    given = read_settings(spec)
    settings, left_out, played = read(episodes)
    if settings["environment"] != given.environment or settings["settings"] != given.settings:
        raise UserError(
            f"{episodes}: played in another environment or with other settings: play again"
        )
    suite = open_suite(given, data, games)
    tasks: Mapping[str, Task] = {task.id: task for task in suite.tasks()}
    found = []
    with Progress(f"judge {given.environment} {given.model}", len(played), "episodes") as progress:
        for episode in played:
            if episode.task not in tasks:
                raise UserError(f"{episodes}: the data have no task '{episode.task}': play again")
            if episode.end == WORLD_FAILED:
                verdict = Verdict(0.0, 0.0, left_out=f"{WORLD_FAILED}: {readable(episode.detail)}")
            else:
                verdict = suite.judge(tasks[episode.task], episode)
            found.append(Judged(episode, verdict))
            progress.add()
    return found, left_out


def summarise(judged: Sequence[Judged], left_out: Mapping[str, str]) -> Played:
    """Success rates by both rules, and what they rest on. ``left_out``: tasks that were not played."""
    counted = [attempt for attempt in judged if attempt.verdict.left_out is None]
    out = dict(left_out)
    out |= {
        attempt.episode.task: attempt.verdict.left_out or ""
        for attempt in judged
        if attempt.verdict.left_out
    }
    count = len(counted)
    known = dict(sorted(out.items()))
    if not count:
        return Played(0, known, None)
    differ = [
        attempt
        for attempt in counted
        if (attempt.verdict.paper == 1) != (attempt.verdict.strict == 1)
    ]
    longest = max(len(attempt.episode.turns) for attempt in counted)
    turns = [turn for attempt in counted for turn in attempt.episode.turns]
    solved = [len(attempt.episode.turns) for attempt in counted if attempt.verdict.paper == 1]
    reached = Reached(
        paper=_success([attempt.verdict.paper for attempt in counted]),
        strict=_success([attempt.verdict.strict for attempt in counted]),
        differs_on=len(differ),
        why=dict(Counter(attempt.verdict.why for attempt in differ).most_common()),
        ends=dict(sorted(Counter(attempt.episode.end for attempt in counted).items())),
        by_turn=tuple(
            100 * sum(took <= limit for took in solved) / count for limit in range(1, longest + 1)
        ),
        tokens=sum(attempt.episode.tokens for attempt in counted) / count,
        turns=sum(len(attempt.episode.turns) for attempt in counted) / count,
        restarts=sum(attempt.episode.restarts for attempt in counted),
        worlds=tuple(sorted({str(turn.info["world"]) for turn in turns if "world" in turn.info})),
    )
    return Played(count, known, reached)


def _success(values: Sequence[float]) -> Success:
    """The share of episodes' scores that are 1."""
    rate = Rate(sum(value == 1 for value in values), len(values))
    return Success(rate.percent, rate.solved, rate.interval, sum(values) / len(values))


def write(
    given: Settings,
    judged: Sequence[Judged],
    left_out: Mapping[str, str],
    out: Path,
    verdicts: Path,
) -> None:
    """Write ``out`` (scores.json) and ``verdicts`` (one line an episode)."""
    with replacing(verdicts) as temporary:
        lines = [
            json.dumps(
                {
                    "task": attempt.episode.task,
                    "end": attempt.episode.end,
                    **dataclasses.asdict(attempt.verdict),
                },
                sort_keys=True,
            )
            for attempt in judged
        ]
        temporary.write_text("".join(f"{line}\n" for line in lines))
    named = given.environment, given.model, given.player
    scores.write(out, scores.Scores(*named, summarise(judged, left_out)))


def run(
    spec: Any, episodes: Path, data: Path, out: Path, verdicts: Path, games: Path | None = None
) -> None:
    """Judge what was played and write ``out`` and ``verdicts``."""
    judged, left_out = judge(spec, episodes, data, games)
    write(read_settings(spec), judged, left_out, out, verdicts)
