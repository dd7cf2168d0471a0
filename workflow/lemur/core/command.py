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

# The files that a path stands for where an option names it.
FilesOf = Callable[[Path], Iterable[Path]]


def itself(path: Path) -> list[Path]:
    """What most options name: the file, or the folder, that is read or written."""
    return [path]


def and_beside(*names: str) -> FilesOf:
    """Of a file itself and what has these names in its folder."""
    return lambda path: [path, *(path.parent / name for name in names)]


def and_suffixes(*suffixes: str) -> FilesOf:
    """Of a file itself and what has these suffixes in place of its own."""
    return lambda path: [path, *map(path.with_suffix, suffixes)]


def by_first_rank(files: FilesOf) -> FilesOf:
    """What the first process of a job of several writes, and the others do not."""
    return lambda path: files(path) if os.environ.get("RANK", "0") == "0" else []


def done_of(model: Path) -> list[Path]:
    """Of a model's folder the DONE.json beside it, which holds the hash of every file in it."""
    return [model.parent / "DONE.json"]


class Parser(argparse.ArgumentParser):
    """Arguments of a script: each that names files says whether the job reads or writes them.

    That is all that a script says of them, and provenance is taken from it. ``files`` of an option:
    what is read or written where it names a path, if that is not the path itself.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._reads: dict[str, FilesOf] = {}
        self._writes: dict[str, FilesOf] = {}

    def reads(self, option: str, help: str, *, files: FilesOf = itself, **given: Any) -> None:
        """An option that names what the job reads: one path, which has to be given unless ``given``,
        what ``add_argument`` takes, says otherwise. With ``group`` it is one of that group's."""
        self._reads[self._add(option, help, given)] = files

    def writes(self, option: str, help: str, *, files: FilesOf = itself, **given: Any) -> None:
        """The same of what the job writes."""
        self._writes[self._add(option, help, given)] = files

    def _add(self, option: str, help_: str, given: dict[str, Any]) -> str:
        group = given.pop("group", None)
        if given.get("nargs") == "*":
            given = {"default": [], **given}
        elif group is None:
            given = {"required": "default" not in given, **given}
        return (group or self).add_argument(option, type=Path, help=help_, **given).dest

    def inputs(self, args: argparse.Namespace) -> list[Path]:
        """All that a job with these arguments reads, each once; what is no file is not recorded."""
        return _named(args, self._reads)

    def outputs(self, args: argparse.Namespace) -> list[Path]:
        """All that it writes."""
        return _named(args, self._writes)


def _named(args: argparse.Namespace, options: dict[str, FilesOf]) -> list[Path]:
    found: dict[Path, None] = {}
    for name, files in options.items():
        given = getattr(args, name)
        for path in given if isinstance(given, list) else [given]:
            found.update(dict.fromkeys(files(path) if path is not None else ()))
    return list(found)


def parser(description: str | None) -> Parser:
    """An argument parser whose ``--spec`` is the stage's slice of the recipe."""
    made = Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    arguments: Parser, run: Callable[[argparse.Namespace, Any], None], kind: type | None = None
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
        used, made = arguments.inputs(args), arguments.outputs(args)
        if made:
            record.write(made, used, spec, args.recipe_digest, args.log)
        logger.debug(f"read {', '.join(map(str, used)) or 'no file'}")
        logger.debug(f"wrote {', '.join(map(str, made)) or 'no file'}")

    guarded(action)
