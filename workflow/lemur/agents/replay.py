"""Recorded episodes executed again: do verdicts, counters and observations come out as recorded?

What a model said is taken from the record and everything else is done anew: the worlds execute it,
the judge judges it. A difference is named with its cause, as far as the environment knows one.
"""

import contextlib
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environment import Suite
from lemur.agents.episode import CONTEXT_FULL, Episode
from lemur.agents.players.scripted import Scripted
from lemur.agents.recorded import Recorded, Run
from lemur.data.journal import Journal
from lemur.errors import UserError
from lemur.files import write_json

DIFFERENCES = 5  # of each cause that are shown


@dataclasses.dataclass(frozen=True)
class Difference:
    """What came out in another way: ``kind`` is verdict, counters or observation."""

    run: str
    task: str
    kind: str
    cause: str
    recorded: str
    now: str


@dataclasses.dataclass
class Tally:
    """How many of what there was came out as recorded."""

    episodes: int = 0
    verdicts: int = 0
    counted: int = 0
    counters: int = 0
    observed: int = 0
    observations: int = 0

    def add(self, other: "Tally") -> None:
        """Add another tally's numbers."""
        for field in dataclasses.fields(self):
            name = field.name
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def rates(self) -> dict[str, float]:
        """Percent that came out as recorded."""
        parts = {
            "verdicts": (self.verdicts, self.episodes),
            "counters": (self.counters, self.counted),
            "observations": (self.observations, self.observed),
        }
        return {name: 100 * same / count for name, (same, count) in parts.items() if count}


REWORDED = "the problem was worded otherwise when it was recorded"


def compare(
    suite: Suite, label: str, recorded: Recorded, episode: Episode, cause: str = ""
) -> tuple[Tally, list[Difference]]:
    """One episode against its record; ``cause`` is what is known of both beforehand."""
    tally, found = Tally(episodes=1), []
    solved = episode.end == "solved"
    if solved == recorded.solved:
        tally.verdicts = 1
    else:
        said = (f"{'' if recorded.solved else 'not '}solved", episode.end)
        found.append(Difference(label, episode.task, "verdict", cause, *said))
    if recorded.counters is not None:
        tally.counted = 1
        now = episode.turns[-1].info.get("counts", {}) if episode.turns else {}
        if dict(recorded.counters) == now or not (now or any(recorded.counters.values())):
            tally.counters = 1
        else:
            found.append(
                Difference(label, episode.task, "counters", cause, str(recorded.counters), str(now))
            )
    for before, turn in zip(recorded.observations, episode.turns, strict=False):
        tally.observed += 1
        pair = suite.normalised(before), suite.normalised(turn.observation)
        if pair[0] == pair[1]:
            tally.observations += 1
        else:
            cause = suite.explain(*pair)
            shown = (_shown(before), _shown(turn.observation))
            found.append(Difference(label, episode.task, "observation", cause, *shown))
    return tally, found


def _shown(text: str, most: int = 400) -> str:
    """The end of a long text: that is where an error says what it is."""
    return text if len(text) <= most else "..." + text[-most:]


def replay(
    suite: Suite, run: Run, folder: Path, batch: int, limit: int | None
) -> tuple[Tally, list[Difference], list[str]]:
    """All records of a run, and the recorded tasks that the data do not have."""
    tasks = {task.id: task for task in suite.tasks()}
    known = [record for record in run.records if record.task in tasks][:limit]
    missing = [record.task for record in run.records if record.task not in tasks]
    answers = {record.task: record.answers for record in known}
    # Where a record ends without the environment's word, the model had no room for another turn.
    player = Scripted(answers, CONTEXT_FULL)
    teacher = Scripted({(record.task, "teacher"): record.feedback for record in known})
    name = hashlib.sha256(f"{run.label} {run.sha256}".encode()).hexdigest()[:16]
    with Journal(folder / f"{name}.jsonl") as journal:
        driver = Driver(suite, player, journal, batch, 0, teacher)
        with contextlib.closing(suite):
            played = driver.play([tasks[record.task] for record in known], run.label)
    tally, found = Tally(), []
    for record, episode in zip(known, played, strict=True):
        (first, *_) = suite.messages(tasks[record.task], episode.start, [])
        same = record.prompt is None or record.prompt.strip() == first["content"].strip()
        cause = "" if same else REWORDED
        mine, differences = compare(suite, run.label, record, episode, cause)
        tally.add(mine)
        found += differences
    return tally, found, missing


def run(
    name: str, settings: Mapping[str, Any], records: Path, data: Path, out: Path,
    batch: int = 4, limit: int | None = None,
) -> str:  # fmt: skip
    """Write ``out`` and return the table. A killed replay continues.

    Raises:
        UserError: the environment reads no records, or there are none in ``records``.
    """
    whole, rows, found, missing = Tally(), [], [], []
    runs = environments.find_records(name, records)
    if not runs:
        raise UserError(f"{records}: no recorded episodes of environment '{name}'")
    for one in runs:
        suite = environments.load(name, {"data": data, **settings, **one.settings})
        tally, differences, lacking = replay(suite, one, out.parent / "replay", batch, limit)
        whole.add(tally)
        rows.append({"run": one.label, **dataclasses.asdict(tally), "rates": tally.rates})
        found += differences
        missing += [f"{one.label}: {task}" for task in lacking]
    causes = Counter((one.kind, one.cause) for one in found)
    shown: Counter[tuple[str, str]] = Counter()
    examples = []
    for one in found:
        shown[one.kind, one.cause] += 1
        if one.kind != "observation" or shown[one.kind, one.cause] <= DIFFERENCES:
            examples.append(dataclasses.asdict(one))
    made = {
        "environment": name,
        **dataclasses.asdict(whole),
        "rates": whole.rates,
        "runs": rows,
        "causes": [
            {"kind": kind, "cause": cause, "count": count}
            for (kind, cause), count in causes.most_common()
        ],
        "differences": examples,
        "not_in_the_data": missing,
    }
    write_json(out, made)
    return _table(made)


def _table(made: dict[str, Any]) -> str:
    lines = [f"{made['episodes']} recorded episodes of {made['environment']} executed again"]
    counts = {"verdicts": "episodes", "counters": "counted", "observations": "observed"}
    for name, total in counts.items():
        if name in made["rates"]:
            lines.append(
                f"{name}: {made[name]} of {made[total]} as recorded ({made['rates'][name]:.2f} %)"
            )
    for cause in made["causes"]:
        lines.append(
            f"{cause['count']} {cause['kind']} differ: {cause['cause'] or 'each is listed'}"
        )
    if made["not_in_the_data"]:
        lines.append(
            f"{len(made['not_in_the_data'])} records are of tasks that the data do not have"
        )
    return "\n".join(lines)
