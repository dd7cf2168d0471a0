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
    one, or any number; ``beside``: all that is read where the option names these."""

    option: str
    help: str
    count: Literal["one", "perhaps", "some", "any"] = "one"
    beside: Callable[[list[Path]], list[Path]] = list

    def add_to(self, parser: command.Parser) -> None:
        """The option."""
        some = {"some": {"nargs": "+"}, "any": {"nargs": "*", "default": []}}
        needed = self.count in ("one", "some")
        parser.add_argument(
            f"--{self.option}", type=Path, help=self.help, required=needed, **some.get(self.count, {})
        )  # fmt: skip

    def files(self, args: Namespace) -> list[Path]:
        """What is read of what the option was given."""
        given = getattr(args, self.option)
        if self.count in ("one", "perhaps"):
            given = [] if given is None else [given]
        return self.beside(given)


def _with_verdicts(scores: Iterable[Path]) -> list[Path]:
    return [path.with_name(name) for path in scores for name in ("scores.json", "verdicts.jsonl")]


REPORTED = Read("reported", "the paper's numbers, reports/paper/reported.csv")
OUTCOMES = Read("outcomes", "per-episode outcome table (.tsv or .tsv.gz)")
SCORES = Read("scores", "scores.json of models and benchmarks", "some")
BESIDE = "scores.json of {}; what lies beside each is read too: {}"
JUDGED = Read("scores", BESIDE.format("models", "verdicts.jsonl"), "some", _with_verdicts)
PLAYERS = BESIDE.format("players", "verdicts.jsonl and episodes.jsonl")
PLAYED = Read("scores", PLAYERS, "some", judged.files)


def parser(description: str | None, reads: Iterable[Read], out: str) -> command.Parser:
    """Arguments of a figure's script; ``out`` says what is written."""
    made = command.parser(description)
    for read in reads:
        read.add_to(made)
    made.add_argument("--out", type=Path, required=True, help=out)
    return made


def draw(
    description: str | None, write: Callable[..., None], *reads: Read, more: tuple[str, ...] = ()
) -> None:
    """Run ``write(spec, *what each option was given, out)``, which draws an SVG, its data, and ``more``."""
    said = " and ".join((".csv", *more))
    arguments = parser(description, reads, f"SVG; its data go beside it as {said}")
    _main(arguments, write, reads, ".svg", ".csv", *more)


def tabulate(
    description: str | None, write: Callable[..., None], *reads: Read, more: tuple[str, ...] = ()
) -> None:
    """The same of a table in four formats, and ``more`` beside them."""
    said = ", ".join((*FORMATS[1:], *more))
    arguments = parser(description, reads, f"page, .html; {said} go beside it")
    _main(arguments, write, reads, *FORMATS, *more)


def _main(
    arguments: command.Parser, write: Callable[..., None], reads: Iterable[Read], *suffixes: str
) -> None:
    def run(args: Namespace, spec: Any) -> None:
        write(spec, *(getattr(args, read.option) for read in reads), args.out)

    command.main(
        arguments,
        run,
        inputs=lambda args: [path for read in reads for path in read.files(args)],
        outputs=lambda args: [args.out, *(args.out.with_suffix(suffix) for suffix in suffixes[1:])],
    )
