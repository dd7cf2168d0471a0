"""The mixture for a terminal: plan against realised, tokens by kind, source and language, and the
share of each source that every filter removed."""

from collections.abc import Mapping

from lemur.core.text_table import aligned
from lemur.corpus.totals import STEPS, Entry
from lemur.mixture.planned import Plan
from lemur.mixture.realised import Realised


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "-"


def render_table(plan: Plan, realised: Realised, entries: Mapping[str, Entry]) -> str:
    """Four tables as plain text, and which sources keep nothing."""
    total = realised.tokens
    ratio = realised.code_to_text
    lines = [
        f"recipe {plan.recipe}: {total:,} tokens in {realised.sequences:,} sequences of "
        f"{realised.context:,}, {plan.tokens:,} planned; code to text "
        f"{'-' if ratio is None else f'{ratio:.3f}'}, {plan.code_to_text} planned",
        f"packing {realised.packing}: {realised.padding:,} places of padding, "
        f"{realised.truncated:,} tokens cut off",
        "",
    ]
    rows = [
        (
            kind,
            f"{plan.kinds[kind].tokens:,}",
            f"{amounts.tokens:,}",
            _percent(plan.kinds[kind].tokens, plan.tokens),
            _percent(amounts.tokens, total),
        )
        for kind, amounts in realised.kinds.items()
    ]
    lines += aligned(("kind", "planned", "realised", "planned", "realised"), rows)
    rows = [
        (
            source.name,
            source.kind,
            f"{source.planned_tokens:,}",
            f"{source.tokens:,}",
            f"{source.tokens - source.planned_tokens:+,}",
            _percent(source.tokens, total),
            f"{source.documents:,}",
            f"{source.epochs:.4f}",
        )
        for source in realised.sources
    ]
    head = ("source", "kind", "planned", "realised", "off by", "share", "documents", "epochs")
    lines += ["", *aligned(head, rows)]
    rows = [
        (
            f"{source.name}/{part.name}",
            f"{part.planned_tokens:,}",
            f"{part.tokens:,}",
            f"{part.tokens - part.planned_tokens:+,}",
            _percent(part.tokens, total),
            f"{part.epochs:.4f}",
        )
        for source in realised.sources
        for part in source.languages or ()
    ]
    if rows:
        head = ("source/language", "planned", "realised", "off by", "share", "epochs")
        lines += ["", *aligned(head, rows)]
    rows = [
        (language, kind, f"{tokens:,}", _percent(tokens, total))
        for kind, amounts in realised.languages.items()
        for language, tokens in sorted(amounts.items(), key=lambda item: (-item[1], item[0]))
    ]
    lines += ["", *aligned(("language", "kind", "tokens", "share"), rows)]
    lines += [
        "",
        "share that each filter removed, of the bytes read (dropped files) and cleaned (the rest)",
    ]
    rows = []
    for entry in entries.values():
        for reason, counts in sorted(
            entry.dropped.items(),
            key=lambda drop: (-drop[1]["bytes"], drop[0]),
        ):
            share = _percent(counts["bytes"], entry.read["bytes"])
            rows.append((entry.name, reason, f"{counts['files']:,}", f"{counts['bytes']:,}", share))
        for step in STEPS:
            counts = entry.taken[step]
            if counts["documents"]:
                share = _percent(counts["bytes"], entry.cleaned["bytes"])
                rows.append(
                    (entry.name, step, f"{counts['documents']:,}", f"{counts['bytes']:,}", share)
                )
    lines += aligned(("source", "filter", "documents", "bytes", "share"), rows)
    empty = [said for entry in entries.values() if (said := entry.nothing_kept())]
    lines += ["", *empty] if empty else []
    return "\n".join(lines) + "\n"
