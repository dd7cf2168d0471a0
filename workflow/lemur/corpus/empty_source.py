"""What is said of a source of which cleaning keeps no document: usually a setting that fits nothing."""

from collections.abc import Mapping


def describe_empty(source: str, files: int, dropped: Mapping[str, int]) -> str:
    """``dropped``: files by reason, ``files`` in all, of a source that keeps none of them."""
    if not files:
        return f"Source {source} keeps no document: its download holds no file."
    by_size = sorted(
        (name for name in dropped if dropped[name]), key=lambda name: (-dropped[name], name)
    )
    reasons = ", ".join(f"{name.replace('_', ' ')} {dropped[name]:,}" for name in by_size)
    return f"Source {source} keeps no document: {files:,} files read, all dropped ({reasons})."
