"""Run a recipe with Snakemake and show how far it is: what ``make mini`` and ``make smoke`` call.

    python -m lemur.dag.runner RECIPE [--cores N] [TARGET or snakemake option ...]

Snakemake's own output is kept whole in logs/run.log; the terminal gets one line a job with the
share done and an estimate, what the stages themselves report, and errors as they are.
"""

import argparse
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from lemur.core import run_lock
from lemur.core.command import guarded
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.core.progress import clock
from lemur.core.provenance import ROOT

_PDEATHSIG = 1  # prctl(2)
EXPECTED = ROOT / "workflow" / "expected-seconds.json"


class Estimate:
    """Time left, from what each kind of job took before and how fast this machine has been.

    ``counts``: jobs to do by rule; ``expected``: seconds of one job by rule.
    """

    def __init__(self, counts: dict[str, int], expected: dict[str, float]):
        self.left, self.expected = dict(counts), expected
        self.total = sum(counts.values())
        self.running: dict[str, tuple[str, float]] = {}
        self.counted = 0.0  # expected seconds of the jobs that ended
        self.spent = 0.0  # what they took
        self.finished = 0
        self.took: dict[str, list[float]] = {}

    def _of(self, rule: str) -> float:
        return self.expected.get(rule, 2.0)

    def start(self, job: str, rule: str, now: float) -> None:
        self.running[job] = (rule, now)

    def finish(self, job: str, now: float) -> None:
        rule, began = self.running.pop(job, ("", now))
        if rule:
            self.left[rule] = max(self.left.get(rule, 1) - 1, 0)
            self.counted += self._of(rule)
            self.spent += now - began
            self.took.setdefault(rule, []).append(now - began)
        self.finished += 1

    def seconds_left(self, now: float) -> float:
        """Expected seconds of what is left, times how this machine has compared so far."""
        # The first jobs are short and say little: a prior worth 30 s of expected work steadies it.
        pace = (self.spent + 30) / (self.counted + 30)
        rest = sum(self._of(rule) * count for rule, count in self.left.items())
        for rule, began in self.running.values():
            rest -= min(self._of(rule), (now - began) / pace)
        return max(rest, 0) * pace

    def means(self) -> dict[str, float]:
        """Mean seconds of a job by rule: what workflow/expected-seconds.json holds a recipe."""
        return {rule: round(sum(all_) / len(all_), 1) for rule, all_ in sorted(self.took.items())}

    def line(self, now: float) -> str:
        return f"[{self.finished}/{self.total} jobs, about {clock(self.seconds_left(now))} left]"


class Screen:
    """Reads Snakemake's log lines and says in one line a job what begins."""

    STARTS = re.compile(r"^(?:local)?rule (\w+):$")
    FAILED = re.compile(r"^Error in rule (\w+):$")
    FIELD = re.compile(r"^    (\w+): (.*)$")
    FINISHED = re.compile(r"^Finished jobid: (\d+) \(Rule: (\w+)\)$")
    # What Snakemake says of itself; it stands in logs/run.log.
    NOISE = re.compile(
        r"^(\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]|\d+ of \d+ steps .*|Select jobs to execute\.\.\.|"
        r"Execute \d+ jobs?\.\.\.|Assuming unrestricted shared filesystem usage.*|host: .*|"
        r"Building DAG of jobs\.\.\.|Using shell: .*|Provided \w+: .*|Complete log.*|SNAKEMAKE|=+|"
        r"Rules claiming more threads.*|Using (workflow specific )?profile.*|Elapsed time: .*|"
        r"(RuleException|WorkflowError|CalledProcessError|SpawnedJobError).*|Command '.*|"
        r"Singularity containers: ignored|Shutting down.*|Exiting because.*|At least one job.*|Removing output files.*|\S+/\S+|"
        r"  [A-Z][\w() ]*: .*|Trying to restart job .*|)$"
    )

    def __init__(self, estimate: Estimate):
        self.estimate = estimate
        self.block: dict[str, str] | None = None
        self.in_table = self.in_error = False

    def show(self, line: str, now: float) -> str | None:
        """What the terminal gets for one line of Snakemake's log, or None for nothing."""
        # The plan's lines are indented by two; so is Snakemake's header, which has "Name: value".
        plan = line.startswith("plan of recipe") or (line.startswith("  ") and self.block is None)
        if plan and not self.in_error:
            return None if self.NOISE.match(line) else line
        if self.in_table:
            self.in_table = not line.startswith("total")
            return None
        if line == "Job stats:":
            self.in_table = True
            return None
        if self.in_error:
            if not line.startswith("    "):
                self.in_error = False
            else:
                field = self.FIELD.match(line)
                return f"  {line.strip()}" if field and field.group(1) == "log" else None
        if started := self.STARTS.match(line):
            self.block = {"rule": started.group(1)}
            return None
        if failed := self.FAILED.match(line):
            self.in_error = True
            return f"failed: {failed.group(1)}"
        if self.block is not None and (field := self.FIELD.match(line)):
            self.block[field.group(1)] = field.group(2)
            return self._begin(now) if field.group(1) == "resources" else None
        if finished := self.FINISHED.match(line):
            self.estimate.finish(finished.group(1), now)
            return None
        return None if self.NOISE.match(line) else line

    def _begin(self, now: float) -> str | None:
        block, self.block = self.block or {}, None
        if block["rule"] in ("all", "fetch"):
            return None
        self.estimate.start(block.get("jobid", ""), block["rule"], now)
        named = re.findall(r"(\w+)=([^,]+)", block.get("wildcards", ""))
        hidden = ("recipe", "corpus", "tokenizer", "part", "parts", "folder")
        wildcards = " ".join(value for key, value in named if key not in hidden)
        return f"{self.estimate.line(now)} {block['rule']} {wildcards}".rstrip()


def job_counts(text: str) -> dict[str, int]:
    """{rule: jobs} from the table of a dry run."""
    table = re.search(r"^Job stats:\njob\s+count\n[-\s]+\n(.*?)^total", text, re.M | re.S)
    rows = (line.split() for line in (table.group(1).splitlines() if table else ()))
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _end_with_parent() -> None:
    """A runner that is killed takes its Snakemake along; jobs end when that is gone."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def run(recipe: str, cores: str, extra: list[str], lock: int) -> int:
    """Exit code of Snakemake, which holds ``lock`` too and ends with this process."""
    command = ["snakemake", "--cores", cores, "--resources", "mem_mb=8000"]
    command += ["--rerun-incomplete", *extra, "--config", f"recipe={recipe}"]
    # The SLURM plugin asks a controller at every start, and waits where there is none.
    environment = {**os.environ, "SLURM_CONF": "/dev/null"}
    dry = subprocess.run(
        [*command, "quiet_plan=true", "--dry-run", "--quiet", "rules"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    if dry.returncode:
        print(dry.stderr.strip(), file=sys.stderr)
        return dry.returncode
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    estimate = Estimate(job_counts(dry.stdout), expected.get(recipe, expected.get("mini", {})))
    screen = Screen(estimate)
    Path("logs").mkdir(exist_ok=True)
    with open("logs/run.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**environment, run_lock.INHERITED: str(lock)}, pass_fds=[lock],
            preexec_fn=_end_with_parent,
        )  # fmt: skip
        assert process.stdout is not None
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        # A terminal's Ctrl-C reaches Snakemake too, which then cleans up: it is not left alone.
        interrupts: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
        for line in process.stdout:
            log.write(line)
            shown = screen.show(line.rstrip("\n"), time.monotonic())
            if shown is not None:
                print(shown, file=sys.stderr, flush=True)
        code = process.wait()
    if interrupts:
        raise KeyboardInterrupt
    write_json("logs/seconds.json", {recipe: estimate.means()})
    return code


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--cores", default="all")
    args, extra = parser.parse_known_args()
    began = time.monotonic()
    code = run(args.recipe, args.cores, extra, run_lock.RunLock().take())
    if code:
        raise UserError(
            "the run stopped: what went wrong stands above and in logs/; the same command continues"
        )
    summary = [sys.executable, str(ROOT / "scripts" / "8_figures" / "summary.py")]
    subprocess.run([*summary, "--report", f"results/{args.recipe}/report.html"], check=False)
    print(f"took {clock(time.monotonic() - began)}", flush=True)


if __name__ == "__main__":
    guarded(main)
