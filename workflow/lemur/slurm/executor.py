"""The SLURM plugin's executor, made to work whatever a cluster keeps of its jobs.

The plugin asks sacct wherever that binary exists, and waits for ever in silence where SLURM has no
accounting or the controller was away for a while. Here accounting is never asked: a job that
succeeded says so in the last line of its own log, which is a file, and squeue tells of the others.
"""

import contextlib
import shlex
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_slurm import Executor as Plugin
from snakemake_executor_plugin_slurm.utils import get_job_wildcards
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

from lemur.config.site import group_over_limit
from lemur.config.values import Values
from lemur.dag import failures
from lemur.slurm import controller

# The last line of a job's log when all of it succeeded, before the run's id: SLURM counts its jobs
# anew where its state is lost, and a log of an earlier run may have the same number.
SUCCEEDED = "lemur: succeeded in run"
# Seconds between two looks at the logs, and at first and at most between two questions to squeue:
# the longer nothing has happened, the longer the next one waits.
LOOK, LOOK_AT_MOST = 2, 10
ASK, ASK_AT_MOST = 10, 60
# States of squeue that a job leaves by itself or with SLURM's help.
UNDER_WAY = {
    "PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED", "REQUEUE_FED",
    "REQUEUE_HOLD", "RESIZING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED",
    "RESV_DEL_HOLD", "POWER_UP_NODE",
}  # fmt: skip
# Reasons for which every pending job of a busy cluster waits.
USUAL = {"None", "Priority", "Resources", "BeginTime", "Prolog", "Cleaning"}
# sbatch's words when nobody answered it. Where somebody listened, as a controller that hangs does,
# the job may be in the queue all the same.
UNREACHED = (
    "Unable to contact slurm controller", "Socket timed out", "Zero Bytes were transmitted",
    "Communication connection failure", "Message send failure", "Message receive failure",
    "standby mode",
)  # fmt: skip


def install(site: Values) -> None:
    """Have ``executor: slurm`` be this executor, for a cluster with that ``site.yaml``."""
    plugins = ExecutorPluginRegistry().plugins
    if plugin := plugins.get("slurm"):
        made = type("Executor", (Executor,), {"site": site})
        soon = replace(plugin.common_settings, init_seconds_before_status_checks=LOOK)
        plugins["slurm"] = replace(plugin, executor=made, common_settings=soon)


class Executor(Plugin):
    """Submits and watches; ``site``: its limits are what a group of jobs is held against."""

    site: Values = {}

    def __post_init__(self, test_mode: bool = False) -> None:
        missing = [name for name in ("sbatch", "squeue") if shutil.which(name) is None]
        if missing:
            raise WorkflowError(
                f"--profile slurm: no {' and no '.join(missing)} on PATH: start it where SLURM's "
                "clients are installed, or run locally with --cores"
            )
        self._begin_watching()
        self.workflow.executor_settings.status_command = (
            None  # neither command is asked by the plugin
        )
        super().__post_init__(test_mode)
        with contextlib.suppress(controller.NoAnswer):
            values = self._contact.ask(controller.configuration)
            self.logger.info(f"SLURM: {controller.described(values)}.")

    def _begin_watching(self) -> None:
        self._ending = threading.Event()
        self._contact = controller.Contact(self.logger)
        self._submitted: set[str | None] = set()
        self._unanswered: set[Any] = set()  # jobids of what may be in the queue or not
        self._event_at = self._asked_at = time.monotonic()
        self._forgotten: set[str] = set()
        self._reasons: set[str] = set()

    # -- what a job is ----------------------------------------------------------------------------

    def get_python_executable(self) -> str:
        return f"{shlex.quote(sys.executable)} -P"

    def get_job_exec_prefix(self, job: Any) -> str:
        # The shell outlives a SIGTERM that is meant for the work, which may save its state.
        return "trap : TERM"

    def get_job_exec_suffix(self, job: Any) -> str:
        return f"echo {self._success()}"

    def _success(self) -> str:
        return f"{SUCCEEDED} {self.run_uuid}"

    def additional_general_args(self) -> str:
        # The plugin starts a second Snakemake in the job by srun; the batch step is confined alike.
        return "--executor local"

    def format_job_exec(self, job: Any) -> str:
        program = shlex.quote(str(Path(__file__).with_name("job.py")))
        return super().format_job_exec(job).replace("-m snakemake", program, 1)

    def get_account_arg(self, job: Any):
        # SLURM itself knows a user's default account and refuses a wrong one; the plugin would ask
        # the accounting for both.
        account = job.resources.get("slurm_account")
        comment = f"{_mark(job)}{job.name} {get_job_wildcards(job)}".strip()
        # The plugin's own comment, which this one replaces, is the same for several groups.
        yield f" --comment {shlex.quote(comment)}" + (
            f" -A {shlex.quote(str(account))}" if account else ""
        )

    def get_partition_arg(self, job: Any) -> str:
        if job.resources.get("slurm_partition") or self._partitions:
            return super().get_partition_arg(job)
        return ""  # SLURM's default

    # -- submitting -------------------------------------------------------------------------------

    def run_job(self, job: Any) -> None:
        """Submit, as soon as there is a controller. Runs in a thread of the plugin's."""
        try:
            self._submit_when_answered(job)
        except Exception as error:  # of a thread nobody would hear, and the run would never end
            kind = "error: a job could not be submitted"
            text = f"{kind}: {' '.join(str(error).split()) or type(error).__name__}"
            super()._report_job_error_threadsafe(SubmittedJobInfo(job), f"{text}\n")

    def _submit_when_answered(self, job: Any) -> None:
        if job.is_group() and (problem := group_over_limit(job.name, job.resources, self.site)):
            failures.refuse(job, f"error: {problem}")
            self._report_job_error_threadsafe(SubmittedJobInfo(job), f"error: {problem}\n")
            return
        while self._contact.lost and not self._ending.wait(ASK):
            with contextlib.suppress(controller.NoAnswer):
                self._contact.ask(controller.configuration)
        if not self._ending.is_set():
            super().run_job(job)

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        reason, _, call = msg.partition("sbatch call:")
        words = next((words for words in UNREACHED if words in reason), None)
        if words is None or not call:
            super()._report_job_error_threadsafe(job_info, msg)
            return
        self._contact.note_silence(controller.NoAnswer(f"sbatch: {words}"))
        self._submit_unless_queued(job_info.job, call)

    def _submit_unless_queued(self, job: Any, call: str) -> None:
        """Submit a job again, unless the ``call`` of sbatch that got no answer reached the queue."""
        absent = 0
        self._unanswered.add(job.jobid)
        # Asked twice: a controller that goes on takes what was sent to it while it answers already.
        while absent < 2 and not self._ending.wait(ASK):
            try:
                known = self._contact.ask(controller.jobs, self.run_uuid)
            except controller.NoAnswer:
                absent = 0
                continue
            for number in known.keys() - self._submitted:
                if known[number].comment.startswith(_mark(job)):
                    self._adopt(job, number, call)
                    return
            absent += 1
        if not self._ending.is_set():
            self._unanswered.discard(job.jobid)
            self._job_submission_executor.submit(self.run_job, job)

    def _adopt(self, job: Any, number: str, call: str) -> None:
        words = shlex.split(call.partition(" --wrap=")[0].partition(" /dev/stdin")[0])
        log = Path(words[words.index("--output") + 1].replace("%j", number))
        self.logger.info(
            f"Job {job.jobid} has been submitted with SLURM jobid {number} (log: {log}): "
            "it was in the queue though sbatch got no answer."
        )
        self._report_job_submission_threadsafe(
            SubmittedJobInfo(job, external_jobid=number, aux={"slurm_logfile": log})
        )
        self._unanswered.discard(job.jobid)

    # -- watching ---------------------------------------------------------------------------------

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncIterator[SubmittedJobInfo]:
        """Report the jobs that ended, yield the others."""
        waiting = []
        for info in active_jobs:
            if self._says_it_succeeded(info):
                self._succeed(info)
            else:
                waiting.append(info)
        now = time.monotonic()
        quiet = now - self._event_at
        if waiting and now - self._asked_at >= min(ASK_AT_MOST, ASK + quiet / 20):
            self._asked_at = now
            waiting = self._ask(waiting)
        self.next_seconds_between_status_checks = min(LOOK_AT_MOST, LOOK + quiet / 60)
        for info in waiting:
            yield info

    def report_job_submission(self, job_info: SubmittedJobInfo, register_job: bool = True) -> None:
        self._event_at = time.monotonic()
        self._submitted.add(job_info.external_jobid)
        super().report_job_submission(job_info, register_job=register_job)

    def report_job_error(
        self, job_info: SubmittedJobInfo, msg: str | None = None, **more: Any
    ) -> None:
        if msg:
            failures.note(job_info.job, msg)
        super().report_job_error(job_info, msg=msg, **more)

    def _says_it_succeeded(self, info: SubmittedJobInfo) -> bool:
        """Whether a job's log ends in the line that a job writes when all of it succeeded."""
        last = f"{self._success()}\n".encode()
        try:
            with open(info.aux["slurm_logfile"], "rb") as log:
                log.seek(max(0, log.seek(0, 2) - len(last)))
                return log.read() == last
        except OSError:
            return False

    def _ask(self, waiting: list[SubmittedJobInfo]) -> list[SubmittedJobInfo]:
        """What of ``waiting`` has not ended, as squeue has it."""
        try:
            known = self._contact.ask(controller.jobs, self.run_uuid)
        except controller.NoAnswer:
            return waiting
        left = []
        for info in waiting:
            job = known.get(info.external_jobid)
            if job is None:
                if info.external_jobid not in self._forgotten:
                    # Its last line may not be visible here yet: once more after the next question.
                    self._forgotten.add(info.external_jobid)
                    left.append(info)
                    continue
                self._fail(info, "is not known to SLURM any more, and its log has no last line")
            elif job.state == "COMPLETED":
                self._succeed(info)
            elif job.state in UNDER_WAY:
                left.append(info)
            else:
                self._fail(info, f"ended as {job.state}")
        self._say_reasons(known)
        return left

    def _succeed(self, info: SubmittedJobInfo) -> None:
        self._event_at = time.monotonic()
        self.report_job_success(info)

    def _fail(self, info: SubmittedJobInfo, how: str) -> None:
        self._event_at = time.monotonic()
        log = str(info.aux["slurm_logfile"])
        message = f"SLURM job {info.external_jobid} {how}: {log}. "
        self.report_job_error(info, msg=message, aux_logs=[log])

    def _say_reasons(self, known: dict[str, controller.Job]) -> None:
        """A job may wait for ever, for a limit of its partition or because it is held: say so."""
        for number, job in known.items():
            new = job.reason not in USUAL | self._reasons
            if job.state == "PENDING" and new:
                self._reasons.add(job.reason)
                self.logger.warning(f"SLURM: job {number} waits, SLURM's reason: {job.reason}.")

    # -- ending -----------------------------------------------------------------------------------

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        self._ending.set()
        if self._unanswered:
            with contextlib.suppress(controller.NoAnswer):
                controller.cancel(self.run_uuid)
        super().cancel_jobs(active_jobs)

    def shutdown(self) -> None:
        self._ending.set()
        super().shutdown()


def _mark(job: Any) -> str:
    """What a job's comment in SLURM begins with: no other job of the run has the same."""
    return f"job {job.jobid}: "
