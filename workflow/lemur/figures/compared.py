"""Our scores beside the paper's foundation table: every cell with its interval and its files."""

import csv
import math
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.evaluation import caveats
from lemur.evaluation.score import Score, read_score
from lemur.figures import reported, tables
from lemur.figures.foundation import AVERAGE, BENCHMARKS
from lemur.figures.paired import Difference, corrected, difference, otherwise

# Beginning of a benchmark's name in config/benchmarks.yaml -> its column in the paper's table.
COLUMNS = {
    "mmlu": "MMLU",
    "bbh": "BBH",
    "gsm8k": "GSM8K",
    "humaneval": "HumanEval",
    "mbpp": "MBPP",
    "spider": "Spider",
    "multipl_e": "MultiPL-E",
    "ds1000": "DS-1000",
}
FILES = (("prompt", "prompt.txt"), ("answers", "generations.jsonl"),
         ("verdicts", "verdicts.jsonl"), ("settings", "scores.json"))  # fmt: skip
OPENED = "Opened"  # heading of the column with these
FULL = "The paper's own weights were"  # begins the sentence that vouches for the table


def column_of(benchmark: str) -> str | None:
    """The paper's column that a benchmark belongs to, or None."""
    found = [key for key in COLUMNS if benchmark == key or benchmark.startswith(f"{key}_")]
    return COLUMNS[max(found, key=len)] if found else None


def compared(spec: Mapping[str, Any], paths: Sequence[Path], numbers: reported.Numbers,
             dropped: Path | None, out: Path) -> tables.Table:  # fmt: skip
    """``spec``: models, a list of {name, label, paper (a row of the paper's table or None), own
    (whether these are the paper's own weights)}; benchmarks, {name: what differs from the paper};
    explanations, {"model/benchmark": text}."""
    found = {}
    for path in paths:
        score = read_score(path)
        if column_of(score.benchmark) is not None:
            found[score.model, score.benchmark] = score
    hits = contaminated(dropped)
    groups, vouched = [], []
    first = next((model["name"] for model in spec["models"]), None)
    for model in spec["models"]:
        mine = [score for (name, _), score in found.items() if name == model["name"]]
        order = list(COLUMNS.values())
        mine.sort(key=lambda entry: (order.index(str(column_of(entry.benchmark))), entry.benchmark))
        rows = []
        apart = _against(mine, found, str(first))
        for score in mine:
            explanations = explanation(spec, model, score, numbers)
            rows.append(
                [
                    score.benchmark,
                    *beside(score, _printed(model, score.benchmark, numbers), comparable(model)),
                    _asked(score),
                    "; ".join(caveats.all_caveats(score)) or None,
                    otherwise(score, [other for other in mine if _column(other) == _column(score)]),
                    apart[score.benchmark].words() if score.benchmark in apart else None,
                    explanations,
                    None if hits is None else hits.get(score.benchmark, 0),
                    _links(score.path, out),
                ]
            )
        mean = average(model, mine, numbers)
        if mean is not None:
            explanations = _of_average(model, mean, [row[10] for row in rows])
            rows.append([*mean.cells, None, None, None, None, explanations, None, None])
        if rows:
            paper = f", the paper's {model['paper']}" if model.get("paper") else ""
            groups.append((f"{model['label']}{paper}", rows))
        if model.get("own") and mine:
            vouched.append(_vouch(model, mine, numbers))
    start = str(first or "the first model")
    return tables.Table(
        caption=f"Foundation benchmarks: the paper beside ours (recipe {spec['recipe']})",
        columns=[
            tables.Column("Benchmark"),
            tables.Column("Paper", 1),
            tables.Column("Ours", 1),
            tables.Column("Ours, 95% interval"),
            tables.Column("Difference", 1),
            tables.Column("Difference, 95% interval"),
            tables.Column("Problems"),
            tables.Column("Answers"),
            tables.Column("Judged otherwise"),
            tables.Column(f"Against {start}, same problems"),
            tables.Column("Gap"),
            tables.Column("Training documents that overlap", 0),
            tables.Column(OPENED),
        ],
        groups=groups,
        notes=[
            " ".join(vouched)
            or "No model of the paper's own weights was scored in this run, so nothing yet vouches "
            "for this table against published scores.",
            *_unseen(spec.get("hub_only", {})),
            "Answers: how many are empty, were cut at the limit of new tokens, or are programs that share "
            "a process with their test, as the originals have it, so that one written against the judge "
            "can pass without solving anything. "
            "Judged otherwise: the same answers by another rule (strict: the answer's form too; a test "
            "that was seen to end; one process: with the test in the program's reach, as the original "
            "has it; paper: an answer cut as the released script cuts it), or the same problems as "
            "another benchmark asks them, and the number of problems whose verdicts differ. "
            "The paper's number is taken as fixed; the interval is that of our sample of problems. "
            "A star marks a difference on the same problems that is beyond chance at the 5% level by Holm's "
            "correction over the benchmarks of its model. "
            "Overlapping documents were left out of training, or counted where they were not; empty: "
            "nothing was trained.",
        ],
    )


def _against(
    mine: Sequence[Score], found: Mapping[tuple[str, str], Score], first: str
) -> dict[str, Difference]:
    """A model's differences to the ``first`` by benchmark, by Holm's correction over all of them;
    none of the first itself."""
    pairs = [(score, found.get((first, score.benchmark))) for score in mine]
    apart = {
        score.benchmark: between
        for score, other in pairs
        if other is not score and (between := difference(score, other)) is not None
    }
    return dict(zip(apart, corrected(list(apart.values())), strict=True))


def comparable(model: Mapping[str, Any]) -> bool:
    """Whether a difference to the paper's number says anything: of the paper's own weights, and of a
    model that was trained as the paper's was. A small model's would show its size alone."""
    return bool(model.get("own") or model.get("papers_size"))


def beside(score: Score, printed: float | None, apart: bool = True) -> list[Any]:
    """Paper, ours, our interval, and where they are to be set ``apart`` the difference with its
    interval: percentages."""
    if score.value is None:
        return [printed, None, f"not judged: {score.reason or ''}".rstrip(": "), None, None]
    value, (low, high) = 100 * score.value, (100 * edge for edge in score.interval)
    shown = f"{low:.1f} to {high:.1f}"
    if printed is None or not apart:
        return [printed, value, shown, None, None]
    span = f"{low - printed:+.1f} to {high - printed:+.1f}"
    return [printed, value, shown, value - printed, span]


def _asked(score: Score) -> str:
    """How many problems of how many, and what came of those that could not be judged."""
    shown = f"{score.n} of {score.of}"
    if score.value is not None and score.number_judged < score.n:
        missed = sorted((score.not_judged or {}).items(), key=lambda entry: (-entry[1], entry[0]))
        named = "; ".join(f"{number} x {why}" for why, number in missed[:3])
        more = f"; {len(missed) - 3} more reasons" if len(missed) > 3 else ""
        shown += f", {score.n_judged} judged ({named}{more})"
    return shown


def _column(score: Score) -> str | None:
    return column_of(score.benchmark)


def _printed(model: Mapping[str, Any], benchmark: str, numbers: reported.Numbers) -> float | None:
    return numbers.get((str(model.get("paper")), str(column_of(benchmark))))


def another(model: Mapping[str, Any]) -> str:
    """Why no difference to the paper's number is taken."""
    return f"another model than the paper's {model['paper']}: no difference is taken"


def explanation(
    spec: Mapping[str, Any], model: Mapping[str, Any], score: Score, numbers: reported.Numbers
) -> str | None:
    """One line on a gap that our interval does not cover; None where there is none to explain."""
    printed = _printed(model, score.benchmark, numbers)
    if printed is None or score.value is None:
        return None
    if not comparable(model):
        return another(model)
    low, high = score.interval
    if low * 100 <= printed <= high * 100:
        return "within the interval"
    given = spec.get("explanations", {}).get(f"{model['name']}/{score.benchmark}")
    if given:
        return str(given)
    if not model.get("own"):
        return f"trained here, as the paper's {model['paper']} was"
    differs = list(spec.get("benchmarks", {}).get(score.benchmark, []))
    if score.n < score.of:
        differs.append(f"{score.n} of {score.of} problems")
    if (judged := score.number_judged) < score.n:
        differs.append(f"{judged} of {score.n} judged")
    return "; ".join(differs) or "unexplained"


@dataclass(frozen=True)
class Mean:
    """The mean over several benchmarks, in percent: the paper's where it has one, ours with its 95 %
    interval, and ours less the paper's with the same, where that says anything."""

    name: str
    printed: float | None
    ours: float
    interval: tuple[float, float]
    gap: float | None = None
    gap_interval: tuple[float, float] | None = None

    @property
    def cells(self) -> list[str | float | None]:
        """The first cells of its row."""
        apart = self.gap_interval and "{:+.1f} to {:+.1f}".format(*self.gap_interval)
        shown = "{:.1f} to {:.1f}".format(*self.interval)
        return [self.name, self.printed, self.ours, shown, self.gap, apart]


def average(
    model: Mapping[str, Any], scores: Sequence[Score], numbers: reported.Numbers
) -> Mean | None:
    """The mean over the paper's eight benchmarks, as the paper takes it; over those that both have,
    named as such, where ours are fewer. One benchmark a column: asked as the paper's code does,
    else the one with the most problems."""
    scored = [score for score in scores if score.value is not None]
    scored.sort(key=lambda entry: (entry.benchmark.endswith("_paper"), entry.n))
    chosen = {column_of(score.benchmark): score for score in scored}
    if not chosen:
        return None
    columns = [name for name in BENCHMARKS if name in chosen]
    ours = [100 * chosen[name].value for name in columns]
    # Each side on its own: an interval near 0 or 100 is not symmetric (Zou and Donner 2008).
    edges = [[100 * edge for edge in chosen[name].interval] for name in columns]
    mean = sum(ours) / len(ours)
    below, above = (
        math.sqrt(sum((value - edge[side]) ** 2 for value, edge in zip(ours, edges, strict=True)))
        / len(ours)
        for side in (0, 1)
    )
    whole = len(columns) == len(BENCHMARKS)
    key = str(model.get("paper"))
    theirs = [numbers.get((key, name)) for name in columns]
    printed = None
    if whole:
        printed = numbers.get((key, AVERAGE))
    elif all(their is not None for their in theirs):
        printed = sum(their for their in theirs if their is not None) / len(theirs)
    name = "Average" if whole else f"Mean of the {len(columns)} above"
    found = Mean(name, printed, mean, (mean - below, mean + above))
    if printed is None or not comparable(model):
        return found
    gap = mean - printed
    return replace(found, gap=gap, gap_interval=(gap - below, gap + above))


def _of_average(
    model: Mapping[str, Any], mean: Mean, explanations: Sequence[str | None]
) -> str | None:
    """The same for the average, which the rows above explain or not."""
    if mean.printed is None:
        return None
    if mean.gap_interval is None:
        return another(model)
    low, high = (round(edge, 1) for edge in mean.gap_interval)  # as they are shown
    if low <= 0 <= high:
        return "within the interval"
    if not model.get("own"):
        return f"trained here, as the paper's {model['paper']} was"
    gaps = [
        explanation
        for explanation in explanations
        if explanation not in (None, "within the interval")
    ]
    return "unexplained" if "unexplained" in gaps or not gaps else "the gaps above"


def contaminated(dropped: Path | None) -> Counter[str] | None:
    """Training documents that overlap each benchmark, from a mixture's ``dropped.tsv``."""
    if dropped is None:
        return None
    documents: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    try:
        with open(dropped, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                documents[row["benchmark"]].add((row["source"], row["part"], row["row"]))
    except FileNotFoundError:
        raise UserError(f"{dropped}: no such file") from None
    except KeyError as error:
        raise UserError(f"{dropped}: lacks the column {error}") from None
    return Counter({name: len(rows) for name, rows in documents.items()})


def _links(scores: Path, out: Path) -> tuple[tables.Link, ...]:
    folder = os.path.relpath(scores.resolve().parent, out.resolve().parent)
    return tuple(tables.Link(text, f"{folder}/{name}") for text, name in FILES)


def _unseen(hub_only: Mapping[str, bool]) -> list[str]:
    """What is said of benchmarks whose data no test of the project has seen."""
    if not hub_only:
        return []
    names = ", ".join(sorted({str(column_of(name)) for name in hub_only}))
    asked = [name for name, chosen in hub_only.items() if chosen]
    here = f"asked in this recipe: {', '.join(asked)}" if asked else "none is asked in this recipe"
    return [
        f"The data of {names} is on the hub alone, which nobody has asked yet: its revision is the one "
        "that public projects pin, and the path was tested on a local hub server with small problems "
        f"made by hand in the same form, not on the data itself ({here})."
    ]


def _vouch(model: Mapping[str, Any], scores: Sequence[Score], numbers: reported.Numbers) -> str:
    """Whether a public model's scores here are its published ones."""
    judged = [
        score for score in scores if score.value is not None and score.number_judged == score.of
    ]
    pairs = [(score, _printed(model, score.benchmark, numbers)) for score in judged]
    pairs = [(pair, printed) for pair, printed in pairs if printed is not None]
    if not pairs:
        return f"{FULL} scored ({model['label']}), but on no benchmark whole."
    near = sum(
        pair.interval[0] * 100 <= printed <= pair.interval[1] * 100 for pair, printed in pairs
    )
    return f"{FULL} scored: {model['label']} matches its published score on {near} of {len(pairs)}."


def write(spec: Mapping[str, Any], scores: Sequence[Path], source: Path, dropped: Path | None,
          out: Path) -> None:  # fmt: skip
    """The table in four formats, beside ``out`` (.html)."""
    tables.write(compared(spec, scores, reported.table(source, "foundation"), dropped, out), out)
