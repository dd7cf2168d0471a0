"""From recorded episodes to verdicts and scores. Nothing is played again."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lemur.agents import episodes_file, scores
from lemur.agents.environment import Task, Verdict
from lemur.agents.episode import WORLD_FAILED, Episode
from lemur.agents.play_spec import PlaySpec, open_suite, read_spec
from lemur.agents.rates import Rate
from lemur.agents.scores import Played, Reached, Success
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.core.readable import readable


@dataclasses.dataclass(frozen=True)
class Judged:
    """An episode with its verdict."""

    episode: Episode
    verdict: Verdict


@dataclasses.dataclass(frozen=True)
class EpisodeVerdict:
    """A line of ``verdicts.jsonl``: of the episode of ``task``, which came to its ``end``, what its
    :class:`~lemur.agents.environment.Verdict` says."""

    task: str
    end: str
    paper: int | float
    strict: int | float
    why: str
    left_out: str | None


def judge(
    spec: object, episodes: Path, data: Path, games: Path | None = None
) -> tuple[list[Judged], Mapping[str, str]]:
    """Every episode's verdict, and the tasks that are left out with the reason."""
    given, found = read_spec(spec), episodes_file.read(episodes)
    known, played = found.settings, found.episodes
    if (known.environment, known.settings) != (given.environment, given.settings):
        raise UserError(
            f"{episodes}: played in another environment or with other settings: play again"
        )
    suite = open_suite(given, data, games)
    tasks: Mapping[str, Task] = {task.id: task for task in suite.tasks()}
    judged = []
    with Progress(f"judge {given.environment} {given.model}", len(played), "episodes") as progress:
        for episode in played:
            if episode.task not in tasks:
                raise UserError(f"{episodes}: the data have no task '{episode.task}': play again")
            if episode.end == WORLD_FAILED:
                verdict = Verdict(0.0, 0.0, left_out=f"{WORLD_FAILED}: {readable(episode.detail)}")
            else:
                verdict = suite.judge(tasks[episode.task], episode)
            judged.append(Judged(episode, verdict))
            progress.add()
    return judged, found.left_out


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
    given: PlaySpec,
    judged: Sequence[Judged],
    left_out: Mapping[str, str],
    out: Path,
    verdicts: Path,
) -> None:
    """Write ``out`` (scores.json) and ``verdicts`` (one line an episode)."""
    contracts.write_lines(
        verdicts,
        [
            EpisodeVerdict(attempt.episode.task, attempt.episode.end, **vars(attempt.verdict))
            for attempt in judged
        ],
    )
    named = given.environment, given.model, given.player
    scores.write(out, scores.Scores(*named, summarise(judged, left_out)))


def run(
    spec: object, episodes: Path, data: Path, out: Path, verdicts: Path, games: Path | None = None
) -> None:
    """Judge what was played and write ``out`` and ``verdicts``."""
    judged, left_out = judge(spec, episodes, data, games)
    write(read_spec(spec), judged, left_out, out, verdicts)
