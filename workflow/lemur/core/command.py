"""What every script under scripts/ shares: its arguments, its errors, its provenance."""

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from lemur.core import contracts, log, provenance
from lemur.core.errors import Interrupted, UserError
from lemur.core.files import canonical
from lemur.core.log import logger
from lemur.core.run_lock import end_with_run

Parser = argparse.ArgumentParser
Paths = Callable[[argparse.Namespace], Iterable[Path | None]]


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser whose ``--spec`` is the stage's slice of the recipe."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--spec",
        required=True,
        help="the stage's settings: JSON, or @FILE with JSON (snakemake passes what "
        "`python -m lemur.config STAGE --recipe NAME` prints)",
    )
    made.add_argument("--recipe-digest", help="sha256 of the resolved recipe, kept as provenance")
    made.add_argument("--log", help="where this job's log is kept, for provenance")
    log.add_options(made)
    return made


def _spec(text: str) -> Any:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"--spec {text}: {error.strerror}") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--spec is not valid JSON: {error}") from None


def _fail(line: str, code: int) -> NoReturn:
    logger.error(f"error: {' '.join(line.split())}")
    raise SystemExit(code)


def guarded(action: Callable[[], None]) -> None:
    """Run ``action``; a user's mistake or a full disk ends in one line and a code that is not zero."""
    end_with_run()
    try:
        action()
        sys.stdout.flush()  # a reader that is gone shows here, not when Python ends
    except (UserError, Interrupted) as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted; the same command continues", 128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" at {error.filename}" if error.filename else ""
            _fail(f"the disk is full{where}: free some space; the same command continues", 2)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT) and error.filename:
            _fail(f"{error.filename}: {error.strerror}", 2)
        raise


def main(
    arguments: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace, Any], None],
    *,
    kind: type | None = None,
    inputs: Paths = lambda _: (),
    outputs: Paths = lambda _: (),
) -> None:
    """Parse, run, and write ``<output>.prov.json`` beside every output.

    ``kind``: the dataclass that ``run`` gets the spec as; without one it gets what the JSON says.
    """
    record = provenance.Record()
    args = arguments.parse_args()
    log.configure(args)

    def action() -> None:
        spec = _spec(args.spec)
        logger.debug(f"--spec {canonical(spec)}")
        run(args, contracts.read(kind, spec, "--spec") if kind else spec)
        used = [Path(path) for path in inputs(args) if path is not None]
        made = [Path(path) for path in outputs(args) if path is not None]
        record.write(made, used, spec, args.recipe_digest, args.log)
        logger.debug(f"read {', '.join(map(str, used)) or 'no file'}")
        logger.debug(f"wrote {', '.join(map(str, made)) or 'no file'}")

    guarded(action)
