"""Ratios of what sides cost, measured in turns until their intervals are narrow enough.

A machine that others use slows down and speeds up. Each turn measures every side once, every second
turn in reverse, and gives one ratio for each pair; the interval is Student's over the logarithms of
those. A ratio of one turn has no interval, and a goal counts as reached only where the interval lies
above it.

Turns end where the intervals happen to be narrow, and one that is narrow by chance covers less often
than its 95%: with three turns at least it may be 90%, with five 93 to 95% in simulation.
"""

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import TypeVar

Side = TypeVar("Side")
Measured = TypeVar("Measured")

# 97.5% quantiles of Student's distribution, by degrees of freedom from 1.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
STUDENT += (2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)
# What multiplies bfloat16 in hardware, as Linux names it.
HALF = ("avx512_bf16", "amx_bf16", "bf16")


@dataclass(frozen=True)
class Pace:
    """At least ``least`` turns, then more up to ``most`` until every ratio's interval reaches from
    its middle no further than the share ``within``, or until ``seconds`` have passed."""

    least: int = 5
    most: int = 10
    within: float = 0.05
    seconds: float = 3_600.0


@dataclass(frozen=True)
class Ratio:
    """The geometric mean of a ratio over ``turns`` and its 95% interval."""

    middle: float
    low: float
    high: float
    turns: int
    within: float = Pace.within

    @property
    def narrow(self) -> bool:
        return self.turns > 1 and self.high <= self.middle * (1 + self.within)

    def verdict(self, goal: float) -> str:
        """Whether the ratio is at least ``goal``."""
        if self.low >= goal:
            return "reached"
        return "missed" if self.high < goal else "not decided"

    def __str__(self) -> str:
        if self.turns < 2:
            return f"{self.middle:.2f} (one turn)"
        wide = "" if self.narrow else "; not narrow"
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f}{wide})"


def ratio(above: Sequence[float], below: Sequence[float], within: float = Pace.within) -> Ratio:
    """``above`` over ``below``, of which the k-th values were measured in the same turn."""
    logs = [math.log(a / b) for a, b in zip(above, below, strict=True)]
    middle, turns = fmean(logs), len(logs)
    if turns < 2:
        return Ratio(math.exp(middle), 0.0, math.inf, turns, within)
    quantile = STUDENT[min(turns - 1, len(STUDENT)) - 1]
    half = quantile * stdev(logs) / math.sqrt(turns)
    low, high = math.exp(middle - half), math.exp(middle + half)
    return Ratio(math.exp(middle), low, high, turns, within)


def in_turns(
    sides: Mapping[Side, Callable[[], Measured]],
    judged: Callable[[dict[Side, list[Measured]]], Iterable[Ratio]],
    pace: Pace,
    said: Callable[[str], None] = lambda line: None,
) -> dict[Side, list[Measured]]:
    """What each side gave in each turn, until all ratios that ``judged`` makes of it are narrow."""
    found: dict[Side, list[Measured]] = {name: [] for name in sides}
    began = time.monotonic()
    for turn in range(1, pace.most + 1):
        for name in sides if turn % 2 else reversed(sides):
            found[name].append(sides[name]())
        ratios = list(judged(found))
        said(f"turn {turn}: {', '.join(map(str, ratios))}")
        late = time.monotonic() - began > pace.seconds
        if turn >= pace.least and (late or all(ratio.narrow for ratio in ratios)):
            break
    return found


def described(found: Iterable[Ratio], pace: Pace) -> str:
    """A sentence about what the ratios of a page are worth."""
    wide = sum(not one.narrow for one in found)
    rest = f"{wide} did not become so narrow." if wide else "All became so narrow."
    return (
        f"Ratios: geometric mean and 95% interval over {pace.least} to {pace.most} turns of all sides, "
        f"until the interval reaches no further than {100 * pace.within:.0f}% from the mean. {rest}"
    )


def processor() -> str:
    """This machine's processor: its name, what it has for bfloat16, and the cores of this process."""
    about: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text(errors="replace").split("\n"):
        key, _, value = line.partition(":")
        about.setdefault(key.strip(), value.strip())
    name = about.get("model name") or f"CPU part {about.get('CPU part', 'unknown')}"
    flags = set((about.get("flags") or about.get("Features") or "").split())
    half = [flag for flag in HALF if flag in flags]
    return f"{name} ({', '.join(half) or 'no bfloat16'}), {len(os.sched_getaffinity(0))} cores"
