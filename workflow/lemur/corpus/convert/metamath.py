"""The prose of a Metamath database: its comments, a document each section.

Format: Megill and Wheeler 2019, Metamath, 4.2.1 (comments) and 4.4.1 (headings): ``$( ... $)``, and
a comment that begins with a line of one of four decorations opens a part, a section or below.
"""

import re
from collections.abc import Iterator

_COMMENT = re.compile(rb"\$\((\s.*?\s)\$\)", re.DOTALL)
_HEADING = re.compile(r"^\s*(?:#\*#\*|=-=-|-\.-\.|\*\*\*\*)")
_RULE = re.compile(r"^\s*(?:[#*]{4,}|[=-]{4,}|[-.]{4,})\s*$", re.MULTILINE)
# Who wrote and who shortened a proof, a sixth of the text: names, and no mathematics.
_CREDIT = re.compile(
    r"\((?:Contributed|Revised|Proof (?:shortened|modification|rewritten|revised)|New usage|Moved|"
    r"Created|Modified)\b[^()]*\)"
)
# Sections run from a line to chapters; a document of this size is whole and not too long.
_SIZE = 50_000


def documents(data: bytes) -> Iterator[tuple[str, str]]:
    """Comments of each section, in order, at most about 50,000 characters a document."""
    held: list[str] = []
    size = number = 0
    for found in _COMMENT.finditer(data):
        raw = found[1].decode("utf-8", "replace")
        if held and (_HEADING.match(raw) or size > _SIZE):
            yield f"{number:05d}.txt", "\n\n".join(held) + "\n"
            held, size, number = [], 0, number + 1
        lines = [line.strip() for line in _RULE.sub("", raw).splitlines()]
        text = re.sub(r"\n{3,}", "\n\n", _CREDIT.sub("", "\n".join(lines))).strip()
        if text:
            held.append(text)
            size += len(text)
    if held:
        yield f"{number:05d}.txt", "\n\n".join(held) + "\n"
