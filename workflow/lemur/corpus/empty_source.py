"""Why cleaning dropped files, in words; and a source of which it keeps nothing, which is usually a setting."""

from collections.abc import Mapping


def describe_empty(source: str, files: int, dropped: Mapping[str, int]) -> str:
    """``dropped``: files by reason, ``files`` in all, of a source that keeps none of them."""
    if not files:
        return f"Source {source} keeps no document: its download holds no file."
    reasons = list_reasons(dropped)
    return f"Source {source} keeps no document: {files:,} files read, all dropped ({reasons})."


def list_reasons(dropped: Mapping[str, int]) -> str:
    """``not text 2, other type 1``: files by reason, the most frequent first."""
    by_size = sorted(
        (name for name in dropped if dropped[name]), key=lambda name: (-dropped[name], name)
    )
    return ", ".join(f"{name.replace('_', ' ')} {dropped[name]:,}" for name in by_size)
