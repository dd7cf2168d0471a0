"""Snakemake's logger plugin of this project: what the terminal shows of a run.

A run gets one line a job with the share done and an estimate, what the stages themselves report, and
errors as they are; Snakemake's own account is kept whole in logs/run.log. Everything that is no run
on this machine shows what Snakemake says: dry runs, runs on nodes of a cluster, ``--verbose``.
The Snakefile chooses it (``install``), where the command line chooses no other logger. A profile's
``logger`` could not: Snakemake refuses a name that it does not find before it reads any rule, and an
environment of an earlier version, or a Snakemake of the user's own, does not find this one.
``workflow/snakemake_logger_plugin_lemur`` is the name for ``--logger lemur``.
"""

import contextlib
import json
import logging
import re
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from lemur.core.files import write_json
from lemur.core.progress import clock
from lemur.core.provenance import ROOT
from lemur.dag.estimate import Estimate

EXPECTED = ROOT / "workflow" / "expected-seconds.json"
LOG = Path("logs") / "run.log"
SECONDS = Path("logs") / "seconds.json"
# Rules that only gather files.
GATHERING = ("all", "fetch")
# Wildcards that a recipe has one value of, and numbers.
UNTOLD = ("recipe", "corpus", "tokenizer", "part", "parts", "folder")
# What Snakemake says of itself; it stands in logs/run.log.
NOISE = re.compile(
    r"^(Assuming unrestricted shared filesystem usage.*|host: .*|Building DAG of jobs\.\.\.|"
    r"Using shell: .*|Provided \w+: .*|Complete log.*|Rules claiming more threads.*|"
    r"Select jobs to execute\.\.\.|Execute \d+ jobs?\.\.\.|Elapsed time: .*|"
    r"(RuleException|WorkflowError|CalledProcessError|SpawnedJobError).*|Command '.*|"
    r"Singularity containers: ignored|Shutting down.*|Exiting because.*|At least one job.*|"
    r"Removing output files.*|\S+/\S+|Trying to restart job .*|)$"
)
# Events of which one line is made, or none.
SILENT = (
    LogEvent.WORKFLOW_STARTED,
    LogEvent.RUN_INFO,
    LogEvent.PROGRESS,
    LogEvent.RESOURCES_INFO,
    LogEvent.JOB_STARTED,
)


class Screen(LogHandlerBase):
    """Shows what Snakemake logs. ``recipe``: whose jobs' seconds are expected; ``whole``: what
    Snakemake says is shown as it says it; ``answers``: nothing but the cause where a job fails."""

    def __post_init__(self) -> None:
        settings = self.common_settings
        formatter = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        stream = sys.stdout if settings.stdout else sys.stderr
        self.plain = ColorizingTextHandler(settings.nocolor, stream, formatter)
        self.wanted = DefaultFilter(
            settings.quiet,
            settings.debug_dag,
            settings.verbose,
            settings.dryrun,
            settings.printshellcmds,
        )
        self.whole = settings.dryrun or settings.verbose or settings.debug_dag
        self.answers = False
        self.recipe = ""
        self.started = time.monotonic()
        self.estimate = Estimate({}, {})
        # What was logged before it was known whether a file is to hold it.
        self.early: list[str] = []
        self.log: TextIO | None = None

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def keep(self) -> None:
        """Keep all that was logged and will be in logs/run.log: this is a run, and the only one here."""
        with self.lock:  # the listener's thread writes
            LOG.parent.mkdir(exist_ok=True)
            self.log = LOG.open("w", encoding="utf-8", buffering=1)
            self.log.writelines(f"{text}\n" for text in self.early)
            self.early.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, and keep it."""
        wanted = self.wanted.filter(record)
        if wanted:
            text = self.plain.format(record)
            if self.log:
                print(text, file=self.log)
            else:
                self.early.append(text)
            if self.whole:
                self.plain.emit(record)
        if not self.whole:
            lines = self.lines(record, time.monotonic())
            if lines and wanted:
                # Whoever read it may be gone: the run goes on.
                with contextlib.suppress(BrokenPipeError):
                    print(*lines, sep="\n", file=sys.stderr, flush=True)

    def lines(self, record: logging.LogRecord, now: float) -> list[str]:
        """What the terminal gets for a record. ``now``: seconds of a monotonic clock."""
        facts, event = vars(record), getattr(record, "event", None)
        if event == LogEvent.WORKFLOW_STARTED:
            self.started = now
        elif event == LogEvent.RUN_INFO and "stats" in facts:
            self.estimate = self._estimate(facts["stats"])
        if event in SILENT:
            return []
        if event == LogEvent.JOB_INFO:
            return self._begin(facts, now)
        if event == LogEvent.JOB_FINISHED:
            self.estimate.finish(str(facts["job_id"]), now)
            return []
        if event == LogEvent.JOB_ERROR and self.answers:
            return []
        if event == LogEvent.JOB_ERROR:
            logs = ", ".join(facts["log"])
            seen = [f"  log: {logs} (check log file(s) for error details)"] if logs else []
            return [f"failed: {facts['rule_name']}", *seen]
        text = self.plain.format(record)
        return [line for line in text.splitlines() if not NOISE.match(line)]

    def _estimate(self, stats: dict[str, int]) -> Estimate:
        counts = {rule: count for rule, count in stats.items() if rule != "total"}
        known = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
        return Estimate(counts, known.get(self.recipe, known.get("mini", {})))

    def _begin(self, facts: dict[str, Any], now: float) -> list[str]:
        rule = facts["rule_name"]
        if rule in GATHERING:
            return []
        self.estimate.start(str(facts["jobid"]), rule, now)
        values = [str(v) for key, v in (facts["wildcards"] or {}).items() if key not in UNTOLD]
        return [" ".join([self.estimate.line(now), rule, *values])]

    def close(self) -> None:
        """The end of a run: what it took, for the user and for the next estimate."""
        if self.log:
            self.log.close()
            self.log = None
            write_json(SECONDS, {self.recipe: self.estimate.means()})
            if not self.whole and self.estimate.finished >= self.estimate.total > 0:
                spent = clock(time.monotonic() - self.started)
                print(f"took {spent}", file=sys.stderr, flush=True)
        super().close()


def install(manager: Any) -> Screen | None:
    """The ``Screen`` that shows this call, in place of Snakemake's own where no logger was chosen.

    ``manager``: Snakemake's LoggerManager. None where another logger was chosen, where this is a job of
    another Snakemake, and with releases that keep their loggers elsewhere: those show their own account.
    """
    chosen = getattr(manager, "plugin_handlers", None)
    if chosen is None or manager.settings.skip_plugin_handlers:
        return None
    if chosen:
        return next((handler for handler in chosen if isinstance(handler, Screen)), None)
    for handler in list(manager.logger.handlers):
        if isinstance(handler, ColorizingTextHandler):
            manager.logger.removeHandler(handler)
    screen = Screen(manager.settings, None)
    chosen.append(screen)  # closed with the others when Snakemake ends
    manager.logger.addHandler(screen)
    return screen
