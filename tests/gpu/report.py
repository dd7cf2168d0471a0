"""What the GPU check found: lines of each part, whether a goal is reached, and the page of them all."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.ratios import Ratio
from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json

PASS, MISS, OPEN, ABSENT = "pass", "miss", "not decided", "not here"
NO_GPU = "no GPU is visible"
VERDICTS = {"reached": PASS, "missed": MISS, "not decided": OPEN}


@dataclass(frozen=True)
class Line:
    """One finding. ``goal`` in words and its ``verdict``, both empty of what is only a fact."""

    what: str
    found: str
    goal: str = ""
    verdict: str = ""


def fact(what: str, found: str) -> Line:
    """A number without a goal."""
    return Line(what, found)


def absent(what: str, why: str) -> Line:
    """What could not be tried, and why."""
    return Line(what, f"{ABSENT}: {' '.join(why.split())[:300]}", verdict=ABSENT)


def holds(what: str, good: bool, found: str, goal: str) -> Line:
    """Something that is either so or not."""
    return Line(what, found, goal, PASS if good else MISS)


def at_least(what: str, value: float, goal: float) -> Line:
    """A number that must not be below ``goal``."""
    return Line(what, f"{value:.2f}", f"at least {goal:.2f}", PASS if value >= goal else MISS)


def at_most(what: str, value: float, goal: float) -> Line:
    """A number that must not be above ``goal``; what is no number is a miss."""
    return Line(what, f"{value:.2g}", f"at most {goal:.2g}", PASS if value <= goal else MISS)


def ratio(what: str, found: Ratio, goal: float | None) -> Line:
    """A measured ratio: its goal counts where the whole interval lies on one side of it."""
    if goal is None:
        return Line(what, str(found))
    return Line(what, str(found), f"at least {goal:g}", VERDICTS[found.verdict(goal)])


@dataclass
class Part:
    """What one part found so far, written whole to ``path`` after each line."""

    name: str
    path: Path
    lines: list[Line] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    state: str = "under way"
    seconds: float = 0.0

    def write(self) -> None:
        """Put the file in place at once: a reader never finds half of it."""
        values = {name: value for name, value in asdict(self).items() if name != "path"}
        write_json(self.path, values)

    def add(self, line: Line) -> None:
        """Keep a line and say it."""
        self.lines.append(line)
        verdict = f" [{line.verdict}]" if line.verdict else ""
        print(f"{self.name}: {line.what}: {line.found}{verdict}", flush=True)
        self.write()


def read(path: Path, name: str) -> Part:
    """A part's file as it stands; an empty part where there is none or it cannot be read."""
    try:
        values = read_json(path)
        lines = [Line(**line) for line in values.pop("lines")]
        return Part(path=path, lines=lines, **values)
    except (UserError, OSError, ValueError, KeyError, TypeError):
        return Part(name, path, state="wrote nothing")


def misses(parts: Sequence[Part]) -> list[str]:
    """What failed: parts that did not end by themselves, and lines that miss their goal."""
    ended = [f"{part.name}: {part.state}" for part in parts if part.state not in ("done", ABSENT)]
    lines = [f"{part.name}: {line.what}" for part in parts for line in part.lines
             if line.verdict == MISS]  # fmt: skip
    return ended + lines


def page(parts: Sequence[Part], command: str, machine: Mapping[str, Any], tiny: bool) -> str:
    """The findings as Markdown."""
    counts = {kind: 0 for kind in (PASS, MISS, OPEN, ABSENT)}
    for line in (line for part in parts for line in part.lines):
        if line.verdict:
            counts[line.verdict] += 1
    total = sum(part.seconds for part in parts)
    versions = ", ".join(f"{name} {value}" for name, value in machine.get("versions", {}).items())
    text = ["# GPU check", "", f"Written by `make gpu-check` ({command})."]
    if tiny:
        text += [
            "",
            "Tiny sizes: that the check runs, not what a device reaches. No goal of speed counts.",
        ]
    text += [
        "",
        f"Device: {machine.get('device', 'unknown: the part machine did not end')}.",
        f"Versions: {versions or 'unknown'}.",
        "",
        f"{total:.0f} s in all. Lines: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + ".",
    ]  # fmt: skip
    for part in parts:
        text += ["", f"## {part.name}", "", f"{part.state}, {part.seconds:.0f} s.", ""]
        text += ["| what | found | goal | |", "|---|---|---|---|"] if part.lines else []
        text += [_row(line) for line in part.lines]
    return "\n".join(text).rstrip() + "\n"


def _row(line: Line) -> str:
    cells = (line.what, line.found, line.goal, line.verdict)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
