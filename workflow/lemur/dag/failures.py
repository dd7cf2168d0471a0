"""What Snakemake does with a job that failed: a user's mistake is not tried again, and is said last.

Every command of this project leaves with code 2 where its user made a mistake (``UserError``). A
rule's shell notes that in a file beside Snakemake's own, which is where the process that decides
about another attempt sees it, whether the job ran here or on another node.
"""

import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.jobs import GroupJob, Job

REFUSED = Path(".snakemake/refused")
# What follows a rule's command; Snakemake fills in {log}.
NOTE = (
    f"|| {{{{ code=$?; [ $code != 2 ] || install -D /dev/null {REFUSED}/"
    + "{log:q}; exit $code; }}"
)
# What is known of failed jobs besides their logs, by the id() of the job.
_notes: dict[int, str] = {}
_began = time.time()
# Seconds for which all logs together are read again while they hold no error.
PATIENCE = 2.0


def install(main_process: bool) -> None:
    """Decide about further attempts: none after a user's mistake, none by the Snakemake in a job."""

    def restarts_of_job(job: Job) -> int:
        return job.rule.restart_times if main_process and not _refused(job) else 0

    def restarts_of_group(group: GroupJob) -> int:
        refused = any(_refused(job) for job in group.jobs)
        return 0 if refused else max(restarts_of_job(job) for job in group.jobs)

    Job.restart_times = property(restarts_of_job)
    GroupJob.restart_times = property(restarts_of_group)


def forget() -> None:
    """What earlier runs noted says nothing of this one."""
    shutil.rmtree(REFUSED, ignore_errors=True)


def refuse(job: Any, line: str) -> None:
    """Note the one line of a mistake that was found before the job began: it is not tried again."""
    for path in job.log:
        (REFUSED / path).parent.mkdir(parents=True, exist_ok=True)
        (REFUSED / path).touch()
    note(job, line)


def note(job: Any, text: str) -> None:
    """Keep the first line of what was found out about a failed job."""
    _notes[id(job)] = text.strip().partition("\n")[0]


def last_words(failed: Iterable[Any]) -> list[str]:
    """What ended a run, a line a cause: to be Snakemake's last lines."""
    lines = []
    deadline = time.monotonic() + PATIENCE
    for job in failed:
        if job.is_group():
            for member in sorted(job.jobs, key=lambda member: member.jobid):
                lines += _line(member, _refused(member), deadline)
        else:
            lines += _line(job, True, deadline)
        if known := _notes.get(id(job)):
            lines.append(known)
    return list(dict.fromkeys(lines))


def _refused(job: Job) -> bool:
    return any((REFUSED / path).exists() for path in job.log)


def _line(job: Job, failed: bool, deadline: float) -> list[str]:
    """The line of a job's log that says what went wrong, with the rule and the log's path.

    Where none begins with ``error:``, it is the last one of a job that ``failed``. Its shell ends
    before `tee` has written all, so that until the ``deadline`` (monotonic) one may still come.
    """
    for path in map(Path, job.log):
        # One of an earlier run says nothing; a minute is for clocks of other nodes.
        if not path.is_file() or path.stat().st_mtime < _began - 60:
            continue
        while True:
            text = path.read_text(errors="replace")
            said = [line for line in text.splitlines() if line.strip()]
            errors = [line for line in said if line.startswith("error: ")]
            whole = errors and text.endswith("\n")
            if whole or not failed or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if line := (errors or (said if failed else []))[-1:]:
            return [f"{line[0]} [{job.rule.name}, {path}]"]
    return []
