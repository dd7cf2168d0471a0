"""What the terminal shows where a target prints an answer."""

import logging

from lemur.dag import answers


def test_only_targets_that_print_are_answers():
    assert answers.asked(["provenance"]) and answers.asked(["evaluate", "mixture_table"])
    assert not answers.asked([]) and not answers.asked(["evaluate", "report"])


def record(level, event=None):
    made = logging.LogRecord("snakemake", level, "file", 1, "text", (), None)
    if event:
        made.event = event
    return made


def test_problems_stay_and_the_file_keeps_everything(tmp_path):
    logger = logging.Logger("test")
    terminal, file = logging.StreamHandler(), logging.FileHandler(tmp_path / "log")
    logger.addHandler(terminal)
    logger.addHandler(file)
    answers.quieten(logger)
    assert not terminal.filter(record(logging.INFO, "job_info"))
    assert not terminal.filter(record(logging.INFO))
    assert terminal.filter(record(logging.WARNING))
    assert terminal.filter(record(logging.INFO, "job_error"))
    assert file.filter(record(logging.INFO, "job_info"))
    file.close()
