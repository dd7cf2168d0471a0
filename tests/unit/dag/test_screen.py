"""What the terminal shows of a run, what logs/run.log keeps, and the time left."""

import json
import logging
from types import SimpleNamespace

import pytest
from lemur.dag.estimate import Estimate
from lemur.dag.screen import LOG, SECONDS, Screen
from snakemake_interface_logger_plugins.common import LogEvent

SETTINGS = {
    "printshellcmds": False, "nocolor": True, "quiet": None, "debug_dag": False, "verbose": False,
    "show_failed_logs": False, "stdout": False, "dryrun": False,
}  # fmt: skip


def record(message, event=None, level=logging.INFO, **facts):
    made = logging.LogRecord("snakemake", level, "file", 1, message, (), None)
    vars(made).update(facts, **({"event": event} if event else {}))
    return made


def job(number, rule, **wildcards):
    facts = {"jobid": number, "rule_name": rule, "wildcards": wildcards, "rule_msg": None, "input": ["a"],
             "output": ["b"], "log": [f"logs/{rule}.log"], "benchmark": None, "reason": "Missing output files",
             "priority": 0, "threads": 1, "resources": {}, "local": False, "is_checkpoint": False}  # fmt: skip
    return record(f"Rule: {rule}, Jobid: {number}", LogEvent.JOB_INFO, **facts)


def finished(number, rule):
    return record(f"Finished jobid: {number} (Rule: {rule})", LogEvent.JOB_FINISHED, job_id=number)


def failed(number, rule):
    facts = {"jobid": number, "rule_name": rule, "rule_msg": None, "input": [], "output": [], "aux": {},
             "log": [f"logs/{rule}.log"], "conda_env": None, "shellcmd": "python x.py"}  # fmt: skip
    return record("Error in rule", LogEvent.JOB_ERROR, logging.ERROR, **facts)


STATS = {"clean": 1, "download": 2, "all": 1, "total": 4}
RUN = [
    record("Building DAG of jobs..."),
    record("Job stats:\njob  count", LogEvent.RUN_INFO, stats=STATS),
    record("Select jobs to execute...", LogEvent.JOB_STARTED),
    job(7, "clean", corpus="mini", source="django", part="0", parts="1"),
    finished(7, "clean"),
    record("1 of 4 steps (25%) done", LogEvent.PROGRESS, done=1, total=4),
    record("RuleException:\nCalledProcessError in file \"rules/1_corpus.smk\", line 21:\nCommand 'x' failed", level=logging.ERROR),
    failed(3, "download"),
    record("error: the pin is another [download, logs/download.log]", level=logging.ERROR),
    record("Elapsed time: 0:01"),
]  # fmt: skip


@pytest.fixture
def screen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(**changed):
        return Screen(SimpleNamespace(**SETTINGS | changed), None)

    return made


def test_a_run_is_a_line_a_job_and_errors_and_its_log_is_whole(screen, capsys):
    shown = screen()
    for one_record in RUN[:3]:
        shown.emit(one_record)
    shown.keep()
    for one_record in RUN[3:]:
        shown.emit(one_record)
    shown.close()
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith("[0/4 jobs, about ") and first.endswith(" left] clean django")
    assert rest == [
        "failed: download",
        "  log: logs/download.log (check log file(s) for error details)",
        "error: the pin is another [download, logs/download.log]",
    ]
    kept = LOG.read_text()
    for text in ("Building DAG of jobs...", "rule clean:", "reason: Missing output files",
                 "Error in rule download:", "CalledProcessError", "Elapsed time"):  # fmt: skip
        assert kept.count(text) == 1, text
    assert json.loads(SECONDS.read_text())[""].keys() == {"clean"}


def test_what_is_no_run_of_its_own_leaves_the_log_of_the_one_that_is(screen, capsys):
    """A dry run says what Snakemake says, on its output; so does what is refused beside a run."""
    LOG.parent.mkdir()
    LOG.write_text("of another run\n")
    dry = screen(dryrun=True, stdout=True)
    for one_record in RUN[:4]:
        dry.emit(one_record)
    dry.close()
    said = capsys.readouterr()
    assert "Job stats:\n" in said.out and "rule clean:" in said.out and not said.err
    assert LOG.read_text() == "of another run\n" and not SECONDS.exists()


@pytest.mark.parametrize("changed", [{"verbose": True}, {"debug_dag": True}])
def test_who_asks_for_more_gets_all_that_snakemake_says(changed, screen, capsys):
    shown = screen(**changed)
    shown.emit(job(7, "clean"))
    assert "rule clean:" in capsys.readouterr().err


def test_a_finished_run_says_what_it_took(screen, capsys):
    shown = screen()
    shown.keep()
    shown.emit(record("stats", LogEvent.RUN_INFO, stats={"clean": 1, "total": 1}))
    shown.emit(job(1, "clean"))
    shown.emit(finished(1, "clean"))
    shown.close()
    assert capsys.readouterr().err.splitlines()[-1].startswith("took ")


def test_the_estimate_follows_the_machines_pace():
    estimate = Estimate({"train": 4}, {"train": 100.0})
    assert estimate.seconds_left(0.0) == 400
    estimate.start("1", "train", 0.0)
    assert estimate.seconds_left(50.0) == 350
    estimate.finish("1", 200.0)  # twice as slow as expected
    assert 300 < estimate.seconds_left(200.0) <= 600
    for number in ("2", "3", "4"):
        estimate.start(number, "train", 200.0)
        estimate.finish(number, 400.0)
    assert estimate.seconds_left(400.0) == 0
    assert estimate.line(400.0) == "[4/4 jobs, about 0s left]"


def test_a_job_that_takes_longer_than_expected_never_shows_less_than_nothing():
    estimate = Estimate({"train": 1}, {"train": 10.0})
    estimate.start("1", "train", 0.0)
    assert estimate.seconds_left(1000.0) == 0
