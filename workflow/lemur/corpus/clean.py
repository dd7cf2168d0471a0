"""Keep a part's documents that are worth training on; count why each other file was dropped."""

import hashlib
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import IO, Any

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.core.progress import Progress
from lemur.corpus import filters, redact
from lemur.corpus.candidates import Candidate, list_candidates
from lemur.corpus.filters import Cleaning
from lemur.corpus.source_rules import Rules
from lemur.corpus.writer import Kept, capped, statistics, write


def run(spec: dict[str, Any], manifest: Path, part: int, parts: int, out: Path) -> None:
    """Write ``out`` (parquet, one row a document, sorted by path) and its ``.stats.json``.

    ``spec`` = {source, cleaning, heldout: {share}, max_mb}. read = documents + dropped, in files.
    Raises ``UserError`` for damaged archives, an unknown setting and a licence that contradicts.
    """
    source, cleaning = spec["source"], Cleaning.parse(spec.get("cleaning"))
    share = float((spec.get("heldout") or {}).get("share", 0.0))
    if not 0 <= share <= 1:
        raise UserError(f"heldout.share is {share}: allowed is 0 to 1")
    rules = Rules(source, cleaning)
    dropped: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    out.parent.mkdir(parents=True, exist_ok=True)
    total = sum(entry["size"] for entry in read_json(manifest)["files"])
    with (
        tempfile.TemporaryFile(dir=out.parent) as spool,
        Progress(f"clean {source['name']}", total / 1e3, "kB") as progress,
    ):
        kept, read = _sift(rules, manifest, spool, dropped, progress)
        kept = capped(kept, spec.get("max_mb"), parts, dropped)
        kept.sort(key=lambda document: (document.path, document.id))
        write(out, kept, spool, share)
    stats = statistics(source, kept, read, dropped, share)
    stats |= {"part": part, "parts": parts, "downloaded_bytes": total}
    stats["examples"] = rules.examples.chosen()
    stats["redacted"] = {kind: dict(counts) for kind, counts in rules.redacted.items()}
    write_json(stats_path(out), stats)


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
