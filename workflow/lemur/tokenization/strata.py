"""What is packed on its own: a source, or each language of one whose languages have weights."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lemur.mixture.planned import Plan, PlannedSource
from lemur.mixture.realised import RealisedLanguage, RealisedSource
from lemur.tokenization.selection import Source


def strata(plan: Plan, sources: Mapping[str, Source]) -> Iterator[tuple[PlannedSource, Source]]:
    """(entry, documents) of every stratum, in the plan's order.

    A language's stratum is named ``<source>/<language>``, so that its order is its own; its entry
    is the source's otherwise.
    """
    for entry in plan.sources:
        source = sources[entry.name]
        if not entry.languages:
            yield entry, source
        for part in entry.languages or ():
            name = f"{entry.name}/{part.name}"
            stratum = replace(entry, name=name, tokens=part.tokens, sequences=part.sequences)
            yield stratum, select_language(source, part.name, name)


def select_language(source: Source, language: str, name: str) -> Source:
    """The usable documents of ``source`` in one language."""
    number = source.languages.index(language) if language in source.languages else -1
    mine = source.language == number
    columns = {key: getattr(source, key)[mine] for key in ("file", "start", "length", "language")}
    return replace(source, name=name, **columns)


def joined(
    plan: Plan, sources: Mapping[str, Source], packed: Mapping[str, RealisedSource]
) -> tuple[RealisedSource, ...]:
    """``realised.json``'s entry of every source, from those of its strata by their names."""
    entries = []
    for entry in plan.sources:
        if not entry.languages:
            entries.append(packed[entry.name])
            continue
        mine = {part.name: packed[f"{entry.name}/{part.name}"] for part in entry.languages}
        tokens = sum(found.tokens for found in mine.values())
        whole = sources[entry.name].tokens
        entries.append(
            replace(
                next(iter(mine.values())),
                name=entry.name,
                planned_tokens=sum(found.planned_tokens for found in mine.values()),
                tokens=tokens,
                sequences=sum(found.sequences for found in mine.values()),
                documents=sum(found.documents for found in mine.values()),
                epochs=tokens / whole if whole else 0.0,
                languages=tuple(
                    RealisedLanguage(
                        name, found.planned_tokens, found.tokens, found.sequences, found.epochs
                    )
                    for name, found in mine.items()
                ),
            )
        )
    return tuple(entries)
