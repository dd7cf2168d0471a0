"""Recorded episodes executed again: do verdicts, counters and observations come out as recorded?

What a model said is taken from the record and everything else is done anew: the worlds execute it,
the judge judges it. A difference is named with its cause, as far as the environment knows one.
"""

import contextlib
import csv
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environment import Suite
from lemur.agents.episode import CONTEXT_FULL, WORLD_FAILED, Episode
from lemur.agents.players.scripted import Scripted
from lemur.agents.recorded import Recorded, Run
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import canonical, replacing, write_json
from lemur.core.readable import readable
from lemur.data.journal import Journal


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
    def parts(self) -> dict[str, tuple[int, int]]:
        """How many came out as recorded, and of how many."""
        return {
            "verdicts": (self.verdicts, self.episodes),
            "counters": (self.counters, self.counted),
            "observations": (self.observations, self.observed),
        }

    @property
    def rates(self) -> dict[str, float]:
        """Percent that came out as recorded."""
        return {name: 100 * same / count for name, (same, count) in self.parts.items() if count}


@dataclasses.dataclass(frozen=True)
class RunTally:
    """One run's numbers; ``run`` is its label."""

    run: str
    tally: Tally


@dataclasses.dataclass(frozen=True)
class Cause:
    """How many differences of a ``kind`` have a cause."""

    kind: str
    cause: str
    count: int


@dataclasses.dataclass(frozen=True)
class Replayed:
    """What ``replay.json`` says; in the file a tally's numbers stand beside the other keys, with rates in
    percent."""

    environment: str
    records_of_each_run: int | None
    tally: Tally
    runs: tuple[RunTally, ...]
    causes: tuple[Cause, ...]
    differences: tuple[Difference, ...]
    not_in_the_data: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write ``replay.json``."""
        told = contracts.plain(self)
        told |= {**told.pop("tally"), "rates": self.tally.rates}
        told["runs"] = [
            {"run": run.run, **contracts.plain(run.tally), "rates": run.tally.rates}
            for run in self.runs
        ]
        write_json(path, told)


REWORDED = "the problem was worded otherwise when it was recorded"
AFTER = "an earlier observation of the episode differs:"
UNKNOWN = "no cause known: see both"


def compare(
    suite: Suite, label: str, recorded: Recorded, episode: Episode, cause: str = ""
) -> tuple[Tally, list[Difference]]:
    """One episode against its record; ``cause`` is what is known of both beforehand."""
    tally, found = Tally(episodes=1), []
    for before, turn in zip(recorded.observations, episode.turns, strict=False):
        tally.observed += 1
        pair = suite.normalised(before), suite.normalised(turn.observation)
        if pair[0] == pair[1]:
            tally.observations += 1
            continue
        why = suite.explain(*pair)
        if found and why.startswith("another "):  # what the cell used was not there
            why = _following(found[0].cause)
        shown = (_shown(before), _shown(turn.observation))
        found.append(Difference(label, episode.task, "observation", why, *shown))
    if not cause and episode.end == WORLD_FAILED:
        cause = episode.detail
    if not cause and found:
        cause = _following(found[0].cause)
    solved = episode.end == "solved"
    if solved == recorded.solved:
        tally.verdicts = 1
    else:
        said = (f"{'' if recorded.solved else 'not '}solved", episode.end)
        found.append(Difference(label, episode.task, "verdict", cause or UNKNOWN, *said))
    if recorded.counters is not None:
        tally.counted = 1
        now = episode.turns[-1].info.get("counts", {}) if episode.turns else {}
        if dict(recorded.counters) == now or not (now or any(recorded.counters.values())):
            tally.counters = 1
        else:
            counts = str(dict(recorded.counters)), str(now)
            found.append(Difference(label, episode.task, "counters", cause or UNKNOWN, *counts))
    return tally, found


def _following(cause: str) -> str:
    """The cause of what differs after something else did."""
    return cause if cause.startswith(AFTER) else f"{AFTER} {cause}"


def _shown(text: str, most: int = 400) -> str:
    """The end of a long text: that is where an error says what it is."""
    return text if len(text) <= most else "..." + text[-most:]


def sample(records: Sequence[Recorded], limit: int | None) -> list[Recorded]:
    """``limit`` records of a run in their own order, spread over all by their tasks' hashes: a larger
    sample holds each smaller one, so that nothing is executed twice. All where ``limit`` is None."""

    def drawn(record: Recorded) -> str:
        return hashlib.sha256(record.task.encode()).hexdigest()

    chosen = {record.task for record in sorted(records, key=drawn)[:limit]}
    return [record for record in records if record.task in chosen]


def replay(
    suite: Suite, run: Run, folder: Path, batch: int, limit: int | None, label: str
) -> tuple[Tally, list[Difference], list[str]]:
    """The sampled records of a run, and the recorded tasks that the data do not have. ``label`` is
    shown with the progress."""
    tasks = {task.id: task for task in suite.tasks()}
    known = sample([record for record in run.records if record.task in tasks], limit)
    missing = [record.task for record in run.records if record.task not in tasks]
    answers = {record.task: record.answers for record in known}
    # Where a record ends without the environment's word, the model had no room for another turn.
    player = Scripted(answers, CONTEXT_FULL)
    teacher = Scripted({(record.task, "teacher"): record.feedback for record in known})
    # What was executed with other settings, or other recorded answers of a tool, is not continued.
    given = canonical([run.label, run.sha256, dict(run.settings)])
    name = hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    with Journal(folder / f"{name}.jsonl") as journal:
        driver = Driver(suite, player, journal, batch, 0, teacher)
        with contextlib.closing(suite):
            played = driver.play([tasks[record.task] for record in known], label)
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
    batch: int = 4, limit: int | None = None, listed: Path | None = None,
) -> str:  # fmt: skip
    """Write ``out``, and to ``listed`` every difference with its cause; return the table. A killed
    replay continues.

    Raises:
        UserError: the environment reads no records, or there are none in ``records``.
    """
    whole, rows, found, missing = Tally(), [], [], []
    runs = environments.find_records(name, records)
    if not runs:
        raise UserError(f"{records}: no recorded episodes of environment '{name}'")
    for number, run in enumerate(runs, 1):
        suite = environments.load(name, {"data": data, **settings, **run.settings})
        label = f"{run.label} ({number} of {len(runs)} runs)"
        tally, differences, lacking = replay(suite, run, out.parent / "replay", batch, limit, label)
        whole.add(tally)
        rows.append(RunTally(run.label, tally))
        found += differences
        missing += [f"{run.label}: {task}" for task in lacking]
    causes = Counter((difference.kind, difference.cause) for difference in found)
    if listed is not None:
        _write_differences(listed, found)
    ordered = tuple(Cause(*named, count) for named, count in causes.most_common())
    made = Replayed(name, limit, whole, tuple(rows), ordered, tuple(found), tuple(missing))
    made.write(out)
    return _table(made)


def _write_differences(path: Path, found: Sequence[Difference]) -> None:
    """Every difference as a line of tab-separated text; line ends in a cell are written as ``\\n``."""
    names = [field.name for field in dataclasses.fields(Difference)]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(names)
        for difference in found:
            cells = dataclasses.astuple(difference)
            table.writerow([readable(cell.replace("\n", "\\n")) for cell in cells])


def _table(made: Replayed) -> str:
    limit, tally = made.records_of_each_run, made.tally
    drawn = f", {limit} drawn of each of {len(made.runs)} files" if limit else ""
    lines = [f"{tally.episodes} recorded episodes of {made.environment} executed again{drawn}"]
    for name, (same, count) in tally.parts.items():
        if count:
            lines.append(f"{name}: {same} of {count} as recorded ({tally.rates[name]:.2f} %)")
    for cause in made.causes:
        lines.append(f"{cause.count} {cause.kind} differ: {cause.cause}")
    if made.not_in_the_data:
        lines.append(f"{len(made.not_in_the_data)} records are of tasks that the data do not have")
    return "\n".join(lines)
