"""Targets that print an answer: the terminal shows that answer, and little else.

``snakemake provenance`` is a question. Its answer would otherwise stand below the plan of a recipe,
a table of jobs and Snakemake's account of itself.
"""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

# Rules of rules/9_targets.smk without files of their own, whose shell command prints.
PRINTING = frozenset(
    {
        "provenance",
        "mixture_table",
        "evaluate",
        "agents",
        "replay",
        "init",
        "diff",
        "publish",
        "adopt",
    }
)
# Of these, those whose errors have already been on the terminal when they end.
SHOWING = frozenset({"init", "publish", "adopt"})
# Snakemake's events (snakemake_interface_logger_plugins.common.LogEvent) that say what went wrong.
_ERRORS = frozenset({"job_error", "group_error", "error"})


def targets(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Targets of the command line, which Snakemake keeps to itself until all rules are read, and
    whether it is a dry run, whose answer is what would run.

    ``arguments``: those of the process, its program first.
    """
    program = Path(arguments[0])
    if program.name != "snakemake" and program.parent.name != "snakemake":
        return [], False
    from snakemake.cli import get_argument_parser  # imports all of Snakemake

    parsed = get_argument_parser().parse_args(list(arguments[1:]))
    return parsed.targets, parsed.dryrun


def asked(targets: Collection[object]) -> bool:
    """Whether everything that was asked for on the command line prints an answer."""
    return bool(targets) and {str(target) for target in targets} <= PRINTING


class OnlyProblems(logging.Filter):
    """Passes warnings and errors. Jobs that must run first report their own progress."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the terminal shows this record of Snakemake's."""
        event = str(getattr(record, "event", "") or "")
        return record.levelno >= logging.WARNING or event in _ERRORS


def quieten(logger: logging.Logger) -> None:
    """Let the handlers of Snakemake's logger that write to the terminal pass only problems.

    What Snakemake keeps under ``.snakemake/log`` stays whole.
    """
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(OnlyProblems())
