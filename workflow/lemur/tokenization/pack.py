"""A recipe's mixture, realised: an index of packed sequences into the shared token files.

Every sequence is from one source. A source is laid out whole, in an order drawn from the seed and
in another one each further epoch; of the last epoch, a part drawn from all of it is used, not its
beginning: a small budget then still sees many documents of a source and all its languages. The
sequences of all sources are interleaved by one drawn order. ``concatenate`` takes exactly the
plan's sequences, ``best-fit`` exactly the plan's tokens (one run a source is cut there), so that
what comes out differs from the plan by less than one sequence a source.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lemur.core.errors import UserError, nearest
from lemur.mixture.planned import Plan, PlannedSource
from lemur.mixture.realised import Realised, RealisedKind, RealisedSource
from lemur.tokenization.cut import Runs, best_fit, concatenate, pieces
from lemur.tokenization.packed_writer import segments
from lemur.tokenization.selection import REASONS, Source
from lemur.tokenization.shuffle import order
from lemur.tokenization.strata import joined, strata

PACKINGS = ("concatenate", "best-fit")


@dataclass(frozen=True)
class PackSpec:
    """``--spec`` of packing: ``context`` tokens a sequence, at most so many epochs of a source."""

    seed: int
    context: int
    packing: str
    max_epochs: float


def stream(name: str) -> int:
    """A number for a name, so that a source's order does not depend on the other sources."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def _wanted(entry: PlannedSource, packing: str, context: int) -> int:
    return entry.sequences * context if packing == "concatenate" else entry.tokens


def check_supply(
    plan: Plan, sources: Mapping[str, Source], packing: str, max_epochs: float
) -> None:
    """Refuse a plan that some source cannot fill, and say what can be filled."""
    short = []
    largest = None
    for entry, source in strata(plan, sources):
        wanted = _wanted(entry, packing, plan.context)
        have = source.tokens
        if not wanted:
            continue
        fits = int(plan.tokens * (max_epochs * have) / wanted)
        largest = fits if largest is None else min(largest, fits)
        if wanted > max_epochs * have:
            epochs = f"{wanted / have:.2f} epochs" if have else "no number of epochs"
            short.append(f"'{entry.name}' has {have} of {wanted} tokens ({epochs})")
    if short:
        raise UserError(
            f"pretrain.tokens: {plan.tokens} is more than the corpus gives at max_epochs "
            f"{max_epochs:g}: source {'; '.join(short)}. This mixture's largest budget is about "
            f"{largest} tokens; or raise mixture.max_epochs, or give the source less weight"
        )


def _number(source: Source, epoch: int) -> int:
    """The number of the drawn order that a source's epoch has."""
    return stream(source.name) + (epoch << 48)


def _concatenated(source: Source, sequences: int, context: int, seed: int) -> Runs:
    """All whole sequences of the complete epochs, and the rest drawn from those of the last one."""
    epochs = -(-sequences * context // source.tokens) if sequences else 0
    size = len(source.length)
    documents = [order(size, seed, _number(source, epoch)) for epoch in range(epochs)]
    drawn = np.concatenate([np.zeros(0, np.int64), *documents])
    runs = concatenate(source.length[drawn], epochs * source.tokens // context, context)
    complete = max(epochs - 1, 0) * source.tokens // context
    last = order(len(runs.sequence) - 1 - complete, seed, _number(source, epochs))
    chosen = np.sort(complete + last[: sequences - complete])
    taken = runs.take(np.concatenate([np.arange(complete), chosen]))
    return Runs(drawn[taken.document], taken.start, taken.length, taken.sequence)


def _fitted(source: Source, wanted: int, context: int, seed: int) -> tuple[Runs, int]:
    """Runs of all complete epochs and drawn ones of the last, best-fit; and the tokens cut off."""
    document, start, length = pieces(source.length, context)
    drawn, reached = np.zeros(0, np.int64), 0
    for epoch in range(-(-wanted // source.tokens) if wanted else 0):
        shuffled = order(len(length), seed, _number(source, epoch))
        ends = reached + np.cumsum(length[shuffled])
        drawn = np.concatenate([drawn, shuffled[: np.searchsorted(ends, wanted) + 1]])
        reached = int(length[drawn].sum())
    lengths = length[drawn]
    if reached > wanted:
        lengths[-1] -= reached - wanted
    runs = best_fit(lengths, context)
    rows = drawn[runs.document]
    return Runs(
        document[rows], start[rows] + runs.start, runs.length, runs.sequence
    ), reached - wanted


def _ratio(tokens: Mapping[str, int]) -> float | None:
    return tokens["code"] / tokens["text"] if tokens.get("text") else None


def pack(
    spec: PackSpec, plan: Plan, sources: Mapping[str, Source]
) -> tuple[np.ndarray, np.ndarray, list[Path], Realised]:
    """Segments, sequence bounds (both in final order), token files and ``realised.json``.

    The plan's context must be the spec's.
    """
    packing, context, seed = spec.packing, spec.context, spec.seed
    if packing not in PACKINGS:
        raise UserError(f"packing: unknown '{packing}'{nearest(packing, PACKINGS)}")
    if context != plan.context:
        raise UserError(f"context: {context} here, {plan.context} in the plan; plan again")
    check_supply(plan, sources, packing, spec.max_epochs)
    files: list[Path] = []
    columns: dict[str, list[np.ndarray]] = {"file": [], "start": [], "length": [], "count": []}
    entries: dict[str, RealisedSource] = {}
    languages: dict[str, dict[str, int]] = {kind: {} for kind in plan.kinds}
    truncated = 0
    for entry, source in strata(plan, sources):
        if packing == "concatenate":
            runs = _concatenated(source, entry.sequences, context, seed)
        else:
            runs, cut = _fitted(source, entry.tokens, context, seed)
            truncated += cut
        used = runs.document
        columns["file"].append(source.file[used] + len(files))
        columns["start"].append(source.start[used] + runs.start)
        columns["length"].append(runs.length)
        columns["count"].append(np.diff(runs.sequence))
        files += source.files
        tokens = int(runs.length.sum())
        by_language = np.bincount(source.language[used], runs.length, len(source.languages))
        for language, its_tokens in zip(
            source.languages, by_language.astype(np.int64), strict=True
        ):
            if its_tokens:
                amounts = languages[entry.kind]
                amounts[language] = amounts.get(language, 0) + int(its_tokens)
        entries[entry.name] = RealisedSource(
            name=entry.name,
            kind=entry.kind,
            planned_tokens=entry.tokens,
            tokens=tokens,
            sequences=len(runs.sequence) - 1,
            documents=len(np.unique(used)),
            epochs=tokens / source.tokens if source.tokens else 0.0,
            dropped={reason: source.dropped[reason] for reason in REASONS},
        )
    whole = {key: np.concatenate(arrays) for key, arrays in columns.items()}
    bounds = np.concatenate([[0], np.cumsum(whole["count"])])
    runs = Runs(whole["file"], whole["start"], whole["length"], bounds)
    mixed = runs.take(order(len(bounds) - 1, seed, stream("interleave")))
    total = sum(entry.tokens for entry in entries.values())
    kinds = {}
    for kind in plan.kinds:
        mine = [entry for entry in entries.values() if entry.kind == kind]
        tokens = sum(entry.tokens for entry in mine)
        kinds[kind] = RealisedKind(tokens, sum(entry.sequences for entry in mine), tokens / total)
    realised = Realised(
        sequences=len(mixed.sequence) - 1,
        tokens=total,
        context=context,
        packing=packing,
        code_to_text=_ratio({kind: amounts.tokens for kind, amounts in kinds.items()}),
        kinds=kinds,
        sources=joined(plan, sources, entries),
        languages=languages,
        padding=(len(bounds) - 1) * context - total,
        truncated=truncated,
    )
    made = segments(mixed.document, mixed.start, mixed.length)
    return made, mixed.sequence, files, realised
