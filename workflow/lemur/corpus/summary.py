"""The corpus for a terminal, when it is cleaned: what each source kept, and which keeps nothing."""

from collections.abc import Mapping

from lemur.core.text_table import aligned
from lemur.corpus.empty_source import list_reasons
from lemur.corpus.totals import Entry


def render_summary(name: str, entries: Mapping[str, Entry]) -> str:
    """One row a source; then a warning for each that keeps no document."""
    head = ("source", "kind", "files read", "documents", "MB kept", "share", "dropped files")
    rows = []
    for entry in entries.values():
        kept, read = entry.cleaned["bytes"], entry.read["bytes"]
        counts = (f"{entry.read['files']:,}", f"{entry.cleaned['documents']:,}")
        share = f"{100 * kept / read:.1f}%" if read else "-"
        dropped = list_reasons({why: found["files"] for why, found in entry.dropped.items()})
        rows.append((entry.name, entry.kind, *counts, f"{kept / 1e6:.2f}", share, dropped or "-"))
    lines = [f"corpus {name}, cleaned:", *aligned(head, rows, words=(0, 1, 6))]
    lines += [f"warning: {said}" for entry in entries.values() if (said := entry.nothing_kept())]
    return "\n".join(lines) + "\n"
