"""The one logger of the package: what it tells its user, on stderr, as plain lines.

Progress and notes are INFO, warnings and errors what their names say. A command that has ``--quiet``
shows the latter alone; ``--verbose`` adds what is only of use to look for a fault (DEBUG), and begins
each line with the time and the module that says it.
"""

import argparse
import logging
import sys
from typing import TextIO

logger = logging.getLogger("lemur")


class _Terminal(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is at the time, which tests and libraries exchange."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A reader that is gone ends the command as it does for ``print``."""
        raise


_terminal = _Terminal()
if not logger.handlers:
    logger.addHandler(_terminal)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--quiet`` and ``--verbose`` for a command line."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--quiet", action="store_true", help="warnings and errors alone, no progress"
    )
    either.add_argument("--verbose", action="store_true", help="also what helps to find a fault")


def configure(arguments: argparse.Namespace) -> None:
    """Show as much as those options ask for."""
    if arguments.quiet:
        logger.setLevel(logging.WARNING)
    if arguments.verbose:
        logger.setLevel(logging.DEBUG)
        _terminal.setFormatter(logging.Formatter("%(asctime)s %(module)s: %(message)s", "%H:%M:%S"))
