"""How long a run still takes, from what each kind of job took before."""

from collections.abc import Mapping

from lemur.core.progress import clock


class Estimate:
    """Time left, from what each kind of job took before and how fast this machine has been.

    ``counts``: jobs to do by rule; ``expected``: seconds of one job by rule.
    """

    def __init__(self, counts: Mapping[str, int], expected: Mapping[str, float]):
        self.left, self.expected = dict(counts), expected
        self.total = sum(counts.values())
        self.running: dict[str, tuple[str, float]] = {}
        self.counted = 0.0  # expected seconds of the jobs that ended
        self.spent = 0.0  # what they took
        self.finished = 0
        self.took: dict[str, list[float]] = {}

    def _expected(self, rule: str) -> float:
        return self.expected.get(rule, 2.0)

    def start(self, job: str, rule: str, now: float) -> None:
        """Job number ``job`` begins. ``now``: seconds of a monotonic clock, here and below."""
        self.running[job] = (rule, now)

    def finish(self, job: str, now: float) -> None:
        """It ended well."""
        rule, began = self.running.pop(job, ("", now))
        if rule:
            self.left[rule] = max(self.left.get(rule, 1) - 1, 0)
            self.counted += self._expected(rule)
            self.spent += now - began
            self.took.setdefault(rule, []).append(now - began)
        self.finished += 1

    def seconds_left(self, now: float) -> float:
        """Expected seconds of what is left, times how this machine has compared so far."""
        # The first jobs are short and say little: a prior worth 30 s of expected work steadies it.
        pace = (self.spent + 30) / (self.counted + 30)
        rest = sum(self._expected(rule) * count for rule, count in self.left.items())
        for rule, began in self.running.values():
            rest -= min(self._expected(rule), (now - began) / pace)
        return max(rest, 0) * pace

    def means(self) -> dict[str, float]:
        """Mean seconds of a job by rule: what workflow/expected-seconds.json holds a recipe."""
        return {rule: round(sum(all_) / len(all_), 1) for rule, all_ in sorted(self.took.items())}

    def line(self, now: float) -> str:
        """``[3/57 jobs, about 2m05s left]``."""
        return f"[{self.finished}/{self.total} jobs, about {clock(self.seconds_left(now))} left]"
