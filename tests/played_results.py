"""Small results of agents, written by the project's own writers, for tests of figures and pages."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lemur.agents import episodes_file, scoring
from lemur.agents.environment import Sampling, Verdict
from lemur.agents.episode import Episode, Turn
from lemur.agents.episodes_file import PlayedAs
from lemur.agents.play_spec import PlaySpec


@dataclass(frozen=True)
class Outcome:
    """An episode in short: solved (or not) by its last turn, as the original counts and strictly."""

    task: str
    turns: int
    paper: int = 0
    strict: int | None = None
    why: str = ""
    left_out: str | None = None
    answer: str = "a"
    info: dict[str, Any] = field(default_factory=dict)


def episode(given: Outcome) -> Episode:
    turns = tuple(
        Turn("0" * 64, given.answer, 10, "stop", f"seen {n}", 0.0, n == given.turns, given.info)
        for n in range(1, given.turns + 1)
    )
    end = "solved" if given.paper else "out of turns"
    return Episode(given.task, "start", turns, end)


def played_as(environment: str, settings: dict, model: str = "start", player: str = "model"):
    """How episodes were played, in what no test of results looks at as it may be."""
    return PlayedAs(environment, settings, model, player, 1, Sampling(96), "fp32", None, 1)


def write_result(
    folder: Path, name: str, environment: str, model: str, outcomes: list[Outcome], left_out=None,
    **settings,
) -> Path:  # fmt: skip
    """episodes.jsonl, verdicts.jsonl and scores.json in <folder>/agents/<model>/<name>/."""
    player = "gold" if model == "gold" else "model"
    given = PlaySpec(environment, model, 1, settings, player=player)
    place = folder / "agents" / model / name
    place.mkdir(parents=True)
    played = [episode(outcome) for outcome in outcomes]
    known = played_as(environment, settings, model, player)
    episodes_file.write(place / "episodes.jsonl", known, left_out or {}, played)
    verdicts = [
        Verdict(float(x.paper), float(x.paper if x.strict is None else x.strict), x.why, x.left_out)
        for x in outcomes
    ]
    judged = [scoring.Judged(*pair) for pair in zip(played, verdicts, strict=True)]
    out = place / "scores.json"
    scoring.write(given, judged, left_out or {}, out, place / "verdicts.jsonl")
    return out


def write_results(folder: Path) -> list[Path]:
    """What a recipe's gold, start and chat did in three environments, by environment and player.

    gsm8k, limit of 5 turns: 4 tasks; start solves 2 as MINT counts, by turns 1 and 3, of which the
    second is strictly wrong; chat solves 3. sql, of 10 turns, played by SQLite: start 1 of 2, chat 2
    of 3, since start's third world failed. bfcl could not be played by anybody.
    """
    gsm8k = [f"gsm8k/{n}" for n in range(4)]
    wrong = "a number inside of another"
    start = [Outcome(gsm8k[0], 1, 1), Outcome(gsm8k[1], 3, 1, 0, wrong), Outcome(gsm8k[2], 5), Outcome(gsm8k[3], 2)]  # fmt: skip
    chat = [*(Outcome(task, 2, 1) for task in gsm8k[:3]), Outcome(gsm8k[3], 5)]
    gold = [Outcome(task, 1, 1) for task in gsm8k]
    sqlite = {"world": "SQLite 3.40.1", "action": "SELECT 1"}
    asked = [Outcome(f"sql/{n}", n + 1, int(n != 1), info=sqlite) for n in range(3)]
    lost = Outcome("sql/2", 0, left_out="world failed: no answer")
    made = []
    for model, mint, sql in (
        ("gold", gold, [Outcome(f"sql/{n}", 1, 1, info=sqlite) for n in range(3)]),
        ("start", start, [*asked[:2], lost]),
        ("chat", chat, asked),
    ):
        why = {f"bfcl/{n}": "no sandbox" for n in range(2)}
        made += [
            write_result(folder, "mint_gsm8k", "mint", model, mint, sets=["gsm8k"], turns=5),
            write_result(folder, "sql", "intercode_sql", model, sql, turns=10),
            write_result(folder, "bfcl", "bfcl", model, [], why, steps=20),
        ]
    return sorted(made, key=lambda path: ("mint_gsm8k", "sql", "bfcl").index(path.parent.name))
