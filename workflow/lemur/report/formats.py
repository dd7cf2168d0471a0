"""What stages hand to each other, as a page: ``docs/formats.md`` from the types that read and write it.

``workflow/env-run workflow python -m lemur.report.formats docs/formats.md`` writes the page.
"""

import argparse
import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from lemur.agents.episode import Episode, Turn
from lemur.agents.scores import Played, Reached, Scores, Success
from lemur.core import contracts
from lemur.core.files import write_text
from lemur.evaluation import response_journal
from lemur.evaluation.fingerprint import Settings
from lemur.evaluation.sample import Sample
from lemur.evaluation.score import Responses, Score, Share
from lemur.evaluation.spec import Decoding
from lemur.evaluation.verdicts import ProblemVerdict
from lemur.study import findings
from lemur.training.manifest import Manifest
from lemur.training.step_metrics import StepMetrics

HEAD = """# Formats

What one stage writes and another reads, from the types in the package: this page is made by
`workflow/env-run workflow python -m lemur.report.formats docs/formats.md`, and a test holds it to them. Where
a type has a default, a line may lack the key.
"""


@dataclasses.dataclass(frozen=True)
class Format:
    """A file of results: its place, what a line or the whole of it is, who writes and who reads it."""

    path: str
    types: tuple[type, ...]
    unit: str
    writer: str
    readers: str


FORMATS = (
    Format(
        "results/<recipe>/<pretrain or sft>/checkpoints/<run>/step-<n>/checkpoint.json",
        (Manifest,),
        "the whole of it; the other files of the folder are safetensors and metrics.jsonl up to the step",
        "rules continue_pretraining and supervised_fine_tuning",
        "the same rules where they continue, scripts/4_pretrain/checkpoint_model.py",
    ),
    Format(
        "results/<recipe>/<pretrain or sft>/metrics.jsonl",
        (StepMetrics,),
        "a line each step",
        "rules continue_pretraining and supervised_fine_tuning",
        "figures (loss), report, watch, exports, claims, trackers",
    ),
    Format(
        "results/<recipe>/evaluate/<model>/<benchmark>/generations.jsonl",
        (response_journal.Head, Settings, Decoding, response_journal.Generation),
        "the head, then a line each response, in the order of tasks, problems, choices and repeats",
        "rule generate",
        "judging, samples, report (answers side by side)",
    ),
    Format(
        "results/<recipe>/evaluate/<model>/<benchmark>/scores.json",
        (Score, Share, Responses),
        "one model on one benchmark",
        "rule judge",
        "figures, report, claims, exports, diff, cards of models, study",
    ),
    Format(
        "results/<recipe>/evaluate/<model>/<benchmark>/samples.jsonl",
        (Sample,),
        "a line each problem, in the order of `verdicts.jsonl`",
        "rule benchmark_samples",
        "exports",
    ),
    Format(
        "results/<recipe>/evaluate/<model>/<benchmark>/verdicts.jsonl",
        (ProblemVerdict,),
        "a line each problem, in the order of tasks and problems",
        "rule judge",
        "figures (paired differences), report (answers side by side), claims, study, diff",
    ),
    Format(
        "results/<recipe>/agents/<player>/<environment>/episodes.jsonl",
        (Episode, Turn),
        "a line each episode, in the order of the environment's tasks",
        "rule play",
        "judging of episodes, pages, exports, figures of agents",
    ),
    Format(
        "results/<recipe>/agents/<player>/<environment>/scores.json",
        (Scores, Played, Reached, Success),
        "the whole file, in which the keys of all but Success stand beside each other; judged says whether "
        "anything was reached, and reason why not",
        "rule judge_episodes",
        "the table of agents, figures of agents",
    ),
    Format(
        "results/<study>/study/analysis.json",
        (
            findings.Analysis,
            findings.BaseFindings,
            findings.MeasureFindings,
            findings.Contrast,
            findings.FittedLaw,
            findings.Best,
            findings.Control,
            findings.OverTokens,
            findings.OverSizes,
            findings.SizesFit,
            findings.Outcome,
        ),
        "one object",
        "rule analyse_study",
        "the study's figure",
    ),
)


def attribute_docs(kind: type) -> dict[str, str]:
    """The text below each field of a dataclass, in one line; fields without one are left out."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found |= _own_docs(base) if dataclasses.is_dataclass(base) else {}
    return found


def _own_docs(kind: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def type_text(annotation: object) -> str:
    """A field's type as its source has it, without the modules that names are of."""
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


def described(kind: type) -> Iterator[str]:
    """A type's part of the page: its docstring, then a row a field."""
    yield f"### {kind.__name__}\n"
    yield (
        re.sub(r":class:`~?(?:\w+\.)*(\w+)`", r"`\1`", inspect.cleandoc(kind.__doc__ or "")) + "\n"
    )
    docs = attribute_docs(kind)
    columns = ("key", "type", "default", "says") if docs else ("key", "type", "default")
    yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key, written in contracts.fields(kind).items():
        field = fields[written.name]
        default = "" if field.default is dataclasses.MISSING else f"`{field.default!r}`"
        default = default if field.default_factory is dataclasses.MISSING else "empty"
        shown = type_text(field.type).replace("|", "\\|")
        cells = [f"`{key}`", f"`{shown}`", default, docs.get(field.name, "")]
        yield f"| {' | '.join(cells[: len(columns)])} |"
    yield ""


def page() -> str:
    """The text of ``docs/formats.md``."""
    parts = [HEAD]
    for form in FORMATS:
        parts.append(f"## {form.path.rpartition('/')[2]}\n")
        parts.append(f"`{form.path}`: {form.unit}. Written by {form.writer}; read by {form.readers}.\n")  # fmt: skip
        for kind in form.types:
            parts += described(kind)
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the page to write")
    out = parser.parse_args().out
    write_text(out, page())
    print(f"{out}: {len(FORMATS)} formats")
