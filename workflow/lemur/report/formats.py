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

from lemur.agents.environment import Sampling
from lemur.agents.episode import Episode, Turn
from lemur.agents.episodes_file import Head, PlayedAs, PlayedTeacher
from lemur.agents.scores import Played, Reached, Scores, Success
from lemur.agents.scoring import EpisodeVerdict
from lemur.core import contracts
from lemur.core.energy import Energy
from lemur.core.files import write_text
from lemur.core.hardware import Gpus, Hardware
from lemur.core.record import JobRecord, Lock, Output
from lemur.corpus.deduplication import Duplicates, Removed, Settings
from lemur.corpus.page import Block, Datasheet, SourceExample, Table
from lemur.corpus.part_statistics import (
    DocumentCount,
    Example,
    FileCount,
    PartStatistics,
    Replacements,
)
from lemur.data.manifest import Download, Manifest
from lemur.download.hub_lock import HubFile, Locked
from lemur.evaluation import fingerprint, response_journal
from lemur.evaluation.sample import Sample
from lemur.evaluation.score import Responses, Score, Share
from lemur.evaluation.spec import Decoding
from lemur.evaluation.verdicts import ProblemVerdict
from lemur.mixture.planned import Plan, PlannedKind, PlannedLanguage, PlannedSource
from lemur.mixture.realised import Realised, RealisedKind, RealisedLanguage, RealisedSource
from lemur.sft.conversation import Conversation, Conversed, RealisedConversations
from lemur.study import findings
from lemur.tokenization.described import Index, TokenFile
from lemur.training.manifest import Manifest as CheckpointManifest
from lemur.training.step_metrics import StepMetrics

HEAD = """# Formats

What one stage writes and another reads, from the types in the package: this page is made by
`workflow/env-run workflow python -m lemur.report.formats docs/formats.md`, and a test holds it to them. Where
a type has a default, a line may lack the key; `left out` is a key that the file lacks where there is nothing to say.
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
        "config/hub.lock.json",
        (Locked, HubFile),
        "by kind and name of the hub's sources, a Locked each",
        "scripts/1_corpus/resolve.py",
        "rule download, figures (benchmarks whose data are on the hub alone)",
    ),
    Format(
        "resources/<folder>/<name>/part-<i>-of-<P>/manifest.json",
        (Manifest, Download),
        "the files of one part of a download, which lie beside it in files/",
        "rule download, rule generate_mathematics",
        "cleaning, instruction data, decontamination, benchmarks, environments, models",
    ),
    Format(
        "results/corpus/<corpus>/<source>/part-<i>-of-<P>.stats.json",
        (PartStatistics, FileCount, DocumentCount, Replacements, Example),
        "what cleaning read, dropped and kept of one part",
        "rule clean",
        "plan of the mixture, datasheet, tables, report, Croissant, publishing",
    ),
    Format(
        "results/corpus/<corpus>/duplicates.json",
        (Duplicates, Settings, Removed),
        "what was found across a corpus, beside the drop lists",
        "rule duplicates",
        "datasheet",
    ),
    Format(
        "results/corpus/<corpus>/datasheet.json",
        (Datasheet, Block, Table, SourceExample),
        "the datasheet as plain text, from top to bottom",
        "rule write_datasheet",
        "report, Croissant",
    ),
    Format(
        "results/<recipe>/mix/plan.json",
        (Plan, PlannedKind, PlannedSource, PlannedLanguage),
        "tokens and packed sequences that a recipe takes of each source",
        "rule plan_mixture",
        "packing, table of the mixture, figures, report",
    ),
    Format(
        "results/tokens/<corpus>/<tokenizer>/<source>/part-<i>-of-<P>.json",
        (TokenFile,),
        "one part of a source as token ids, which lie beside it in .bin",
        "rule tokenize, adopting",
        "packing, adopting",
    ),
    Format(
        "results/<recipe>/{tokens,sft/data}/index.json",
        (Index,),
        "a packed data set, with segments.npy and sequences.npy beside it",
        "rule pack, rule sft_tokens",
        "training",
    ),
    Format(
        "results/<recipe>/tokens/realised.json",
        (Realised, RealisedKind, RealisedSource, RealisedLanguage),
        "what packing made of a plan",
        "rule pack",
        "table of the mixture, figures, report, model cards, study",
    ),
    Format(
        "results/<recipe>/{sft/data,heldout}/conversations.jsonl",
        (Conversation,),
        "a line each conversation",
        "rule conversations, rule heldout_conversations",
        "rule sft_tokens, rule heldout_conversations, benchmarks of held-out conversations",
    ),
    Format(
        "results/<recipe>/sft/data/realised.json",
        (RealisedConversations, Conversed),
        "instruction data as they were packed",
        "rule sft_tokens",
        "model cards",
    ),
    Format(
        "<output>.prov.json",
        (JobRecord, Output, Lock, Hardware, Gpus, Energy),
        "how the file or folder beside it was made",
        "every script",
        "report, `snakemake provenance`, `make clean-*`, diff, RO-Crate",
    ),
    Format(
        "results/<recipe>/<pretrain or sft>/checkpoints/<run>/step-<n>/checkpoint.json",
        (CheckpointManifest,),
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
        (response_journal.Head, fingerprint.Settings, Decoding, response_journal.Generation),
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
        (Head, PlayedAs, PlayedTeacher, Sampling, Episode, Turn),
        "the head, then a line each episode, in the order of the environment's tasks",
        "rule play",
        "judging of episodes, pages, exports, figures of agents",
    ),
    Format(
        "results/<recipe>/agents/<player>/<environment>/verdicts.jsonl",
        (EpisodeVerdict,),
        "a line each episode, in the order of `episodes.jsonl`",
        "rule judge_episodes",
        "pages, exports, figures of agents",
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
        default = "left out" if field.metadata.get("omitted") else default
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
