"""Keep a part's documents that are worth training on; count why each other file was dropped."""

import hashlib
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import IO

from lemur.core.contracts import write_file
from lemur.core.progress import Progress
from lemur.corpus import filters, redact
from lemur.corpus.candidates import Candidate, list_candidates
from lemur.corpus.part_statistics import Replacements
from lemur.corpus.source_rules import Rules
from lemur.corpus.spec import CleanSpec
from lemur.corpus.writer import Kept, capped, statistics, write
from lemur.data.manifest import read_manifest


def run(spec: CleanSpec, manifest: Path, part: int, parts: int, out: Path) -> None:
    """Write ``out`` (parquet, one row a document, sorted by path) and its ``.stats.json``.

    Raises ``UserError`` for damaged archives, an unknown setting and a licence that contradicts.
    """
    source, share = spec.source, spec.heldout.share
    rules = Rules(source, spec.cleaning)
    dropped: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    out.parent.mkdir(parents=True, exist_ok=True)
    total = sum(file.size or 0 for file in read_manifest(manifest))
    with (
        tempfile.TemporaryFile(dir=out.parent) as spool,
        Progress(f"clean {source.name}", total / 1e3, "kB") as progress,
    ):
        kept, read = _sift(rules, manifest, spool, dropped, progress)
        kept = capped(kept, spec.max_mb, parts, dropped)
        kept.sort(key=lambda document: (document.path, document.id))
        write(out, kept, spool, share)
    found = replace(
        statistics(source, kept, read, dropped, share),
        part=part,
        parts=parts,
        downloaded_bytes=total,
        examples=rules.examples.chosen(),
        redacted={kind: Replacements(**counts) for kind, counts in rules.redacted.items()},
    )
    write_file(stats_path(out), found)


def stats_path(out: Path) -> Path:
    """``part-i-of-P.stats.json`` beside ``part-i-of-P.parquet``."""
    return out.with_suffix(".stats.json")


def _sift(
    rules: Rules,
    manifest: Path,
    spool: IO[bytes],
    dropped: dict[str, list[int]],
    progress: Progress,
) -> tuple[list[Kept], list[int]]:
    kept: list[Kept] = []
    read = [0, 0]
    seen: set[str] = set()
    for found in list_candidates(rules.source, manifest, lambda done: progress.add(done / 1e3)):
        read[0] += 1
        read[1] += found.size
        if found.replaced or found.path in seen:
            result: str | tuple[str, str, str] = "repeated_path"
        else:
            seen.add(found.path)
            result = _judge(rules, found)
        if isinstance(result, str):
            dropped[result][0] += 1
            dropped[result][1] += found.size
            continue
        text, language, licence = result
        data = text.encode("utf-8")
        identity = hashlib.sha256(data).hexdigest()
        start = spool.tell()
        spool.write(data)
        kept.append(Kept(found.path, identity, language, licence, start, len(data), found.size))
    return kept, read


def _judge(rules: Rules, found: Candidate) -> str | tuple[str, str, str]:
    """A reason to drop, or (text, language, licence)."""
    reason = rules.unread(found)
    if reason:
        return reason
    text = filters.decoded(found.read())
    if text is None:
        return "not_text"
    language = rules.language(found, text)
    if language is None:
        return "unknown_language"
    if language not in rules.languages:
        return "other_language"
    reason = filters.by_text(text, language, rules.cleaning)
    if reason:
        rules.examples.dropped(found.path, language, text, reason)
        return reason
    licence, reason = rules.licence(found, text)
    if not licence:
        rules.examples.dropped(found.path, language, "", str(reason))
        return str(reason)
    rules.examples.kept(found.path, language, text)
    text, replaced = redact.redacted(text, rules.cleaning.redact)
    for kind, count in replaced.items():
        rules.redacted[kind]["documents"] += 1
        rules.redacted[kind]["replaced"] += count
    return text, language, licence
