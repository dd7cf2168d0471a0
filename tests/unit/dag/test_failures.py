"""The last lines of a run that failed, read from its jobs' logs."""

import threading
import time
from types import SimpleNamespace

import pytest
from lemur.dag import failures


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.log").write_text("reading\nerror: the fi")
    rule = SimpleNamespace(name="clean")
    return SimpleNamespace(log=["job.log"], rule=rule, jobid=1, is_group=lambda: False)


def test_an_error_that_tee_writes_late_is_the_last_line(job, tmp_path):
    def write():
        with open(tmp_path / "job.log", "a") as log:
            log.write("le is empty\n")

    late = threading.Timer(0.2, write)
    late.start()
    assert failures.last_words([job]) == ["error: the file is empty [clean, job.log]"]
    late.join()


def test_a_job_that_was_killed_is_not_waited_for_long(job, tmp_path, monkeypatch):
    """All of them together, not each."""
    monkeypatch.setattr(failures, "PATIENCE", 0.1)
    (tmp_path / "job.log").write_text("reading\nhalf of it\n")
    began = time.monotonic()
    assert failures.last_words([job] * 20) == ["half of it [clean, job.log]"]
    assert time.monotonic() - began < 1
