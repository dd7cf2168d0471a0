"""What the scripts of figures share: what they read, by the options that name it, and what they write."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lemur.agents import judged
from lemur.core import command
from lemur.figures.tables import FORMATS


@dataclass(frozen=True)
class Read:
    """Files that a figure is made of. ``count``: whether the option names one, perhaps none, at least
    one, or any number; ``files``: all that is read where the option names a path."""

    option: str
    help: str
    count: Literal["one", "perhaps", "some", "any"] = "one"
    files: command.FilesOf = command.itself

    def add_to(self, parser: command.Parser) -> None:
        """The option."""
        counts = {"perhaps": {"required": False}, "some": {"nargs": "+"}, "any": {"nargs": "*"}}
        more = counts.get(self.count, {})
        parser.reads(f"--{self.option}", self.help, files=self.files, **more)


def _with_verdicts(scores: Path) -> list[Path]:
    return [scores, scores.with_name("verdicts.jsonl")]


REPORTED = Read("reported", "the paper's numbers, reports/paper/reported.csv")
OUTCOMES = Read("outcomes", "per-episode outcome table (.tsv or .tsv.gz)")
SCORES = Read("scores", "scores.json of models and benchmarks", "some")
BESIDE = "scores.json of {}; what lies beside each is read too: {}"
JUDGED = Read("scores", BESIDE.format("models", "verdicts.jsonl"), "some", _with_verdicts)
PLAYERS = BESIDE.format("players", "verdicts.jsonl and episodes.jsonl")
PLAYED = Read("scores", PLAYERS, "some", judged.files)


def draw(
    description: str | None, write: Callable[..., None], *reads: Read, more: tuple[str, ...] = ()
) -> None:
    """Run ``write(spec, *what each option was given, out)``, which draws an SVG, its data, and ``more``."""
    said = " and ".join((".csv", *more))
    _main(description, write, reads, f"SVG; its data go beside it as {said}", ".csv", *more)


def tabulate(
    description: str | None, write: Callable[..., None], *reads: Read, more: tuple[str, ...] = ()
) -> None:
    """The same of a table in four formats, and ``more`` beside them."""
    beside = (*FORMATS[1:], *more)
    _main(description, write, reads, f"page, .html; {', '.join(beside)} go beside it", *beside)


def _main(
    description: str | None,
    write: Callable[..., None],
    reads: Iterable[Read],
    out: str,
    *beside: str,
) -> None:
    def run(args: Namespace, spec: Any) -> None:
        write(spec, *(getattr(args, read.option) for read in reads), args.out)

    arguments = command.parser(description)
    for read in reads:
        read.add_to(arguments)
    arguments.writes("--out", out, files=command.and_suffixes(*beside))
    command.main(arguments, run)
