"""What the models of a run answered to the same problems, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.evaluation import response_journal
from lemur.evaluation.response_journal import Generation
from lemur.evaluation.score import Score
from lemur.evaluation.verdicts import read_verdicts

MOST = 3  # problems of a benchmark
LONGEST = 1_500  # characters of an answer or a prompt
Name = tuple[str, str]  # task and document of a problem


@dataclass(frozen=True)
class Answer:
    """``text`` as the model gave it, empty where the answer is; ``verdict`` as judged."""

    label: str
    verdict: str
    text: str
    ended: str  # stop, length, ... as recorded


@dataclass(frozen=True)
class Problem:
    """``prompt``: what the first model was given, where it is kept (of the first problem alone)."""

    name: str
    prompt: str
    answers: Sequence[Answer]


@dataclass(frozen=True)
class Benchmark:
    """``asked``: on how many problems the models shown were asked; ``problems`` are some of them."""

    name: str
    asked: int
    problems: Sequence[Problem]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _answers(scores: Path) -> dict[Name, Generation]:
    """The first answer to each problem, in the order of the problems; none for choices."""
    path = scores.with_name("generations.jsonl")
    if not path.is_file():
        return {}
    found: dict[Name, Generation] = {}
    for entry in response_journal.read(path)[1].values():
        if isinstance(entry.response, str):
            found.setdefault((entry.task, entry.document), entry)
    return found


def _chosen(order: Sequence[Name], verdicts: Sequence[Mapping[Name, str]]) -> list[Name]:
    """The first problem, those on which verdicts differ, then the next ones: ``MOST`` in all."""
    differ = [name for name in order if len({verdict.get(name) for verdict in verdicts}) > 1]
    return list(dict.fromkeys([*order[:1], *differ, *order]))[:MOST]


def side_by_side(scores: Sequence[Score], labels: Mapping[str, str]) -> list[Benchmark]:
    """For each benchmark that several models answered in words, some problems with all answers.

    ``labels``: what models are called.
    Which problems are shown depends on the verdicts alone: nothing is picked by hand.
    """
    made = []
    for benchmark in dict.fromkeys(score.benchmark for score in scores):
        mine = [score for score in scores if score.benchmark == benchmark]
        given = [(score, _answers(score.path)) for score in mine]
        given = [(score, found) for score, found in given if found]
        if len(given) < 2:
            continue
        order = [name for name in given[0][1] if all(name in found for _, found in given)]
        judged = [
            {problem.name: problem.verdict for problem in read_verdicts(score.path)}
            for score, _ in given
        ]
        problems = []
        for name in _chosen(order, judged):
            answers = [
                Answer(
                    label=labels.get(score.model, score.model),
                    verdict=verdict.get(name, ""),
                    text=_short(str(found[name].response)),
                    ended=found[name].finish or "",
                )
                for (score, found), verdict in zip(given, judged, strict=True)
            ]
            first = name == next(iter(given[0][1]))
            prompt = given[0][0].path.with_name("prompt.txt")
            shown = prompt.read_text(encoding="utf-8") if first and prompt.is_file() else ""
            problems.append(Problem(name[1], _short(shown), answers))
        made.append(Benchmark(benchmark, len(order), problems))
    return made
