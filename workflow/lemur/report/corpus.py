"""The corpus table: what each source gave, under which licence, and what was dropped for what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lemur.corpus.empty_source import list_reasons
from lemur.corpus.totals import Entry, read_statistics
from lemur.mixture.planned import Plan
from lemur.mixture.realised import Realised


@dataclass(frozen=True)
class Source:
    """A row: tokens ``planned`` and ``used`` as text, empty where no plan and no packing is given;
    ``packer``: documents that it left out, by reason. Sizes in bytes."""

    name: str
    kind: str
    licence: str
    documents: int
    bytes: int
    reasons: str
    nothing_kept: str | None
    planned: str
    used: str
    packer: str


def table(
    paths: Iterable[Path], plan: Plan | None = None, realised: Realised | None = None
) -> list[Source]:
    """Sources from their parts' ``stats.json``: code first, larger first."""
    planned = {source.name: f"{source.tokens:,}" for source in (plan.sources if plan else ())}
    packed = {source.name: source for source in (realised.sources if realised else ())}
    rows = []
    for entry in read_statistics(paths).values():
        used = packed.get(entry.name)
        rows.append(
            Source(
                name=entry.name,
                kind=entry.kind,
                licence=_licences(entry),
                documents=entry.cleaned["documents"],
                bytes=entry.cleaned["bytes"],
                reasons=list_reasons({why: n["files"] for why, n in entry.dropped.items()}),
                nothing_kept=entry.nothing_kept(),
                planned=planned.get(entry.name, ""),
                used=f"{used.tokens:,}" if used else "",
                packer=list_reasons(used.dropped) if used else "",
            )
        )
    return sorted(rows, key=lambda source: (source.kind != "code", -source.bytes, source.name))


def _licences(entry: Entry) -> str:
    """By number of documents, most first."""
    counts: Mapping[str, int] = {name: n["documents"] for name, n in entry.licences.items()}
    counts = {**dict.fromkeys(entry.declared, 0), **counts}
    return ", ".join(sorted(counts, key=lambda name: (-counts[name], name)))
