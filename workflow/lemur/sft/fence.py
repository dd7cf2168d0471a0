"""Code blocks of Markdown."""

import re

_TICKS = re.compile("`{3,}")


def fenced(language: str, code: str) -> str:
    """``code`` between fences longer than any run of backticks in it (CommonMark, section 4.5)."""
    longest = max((len(run) for run in _TICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
