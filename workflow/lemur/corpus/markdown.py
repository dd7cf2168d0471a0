"""A datasheet's blocks as Markdown; whatever came out of a corpus is escaped."""

import html
import re
from collections.abc import Sequence

from lemur.core.lines import lines as split
from lemur.corpus.page import Block, SourceExample

# What would begin a link, emphasis, code or a tag.
_ACTIVE = re.compile(r"([\\`*_\[\]<>|])")
# Words that hold no more than this are shown as they are: numbers, names, sizes.
_PLAIN = re.compile(r"[\w .,:;%()+/-]*")


def _escaped(text: str) -> str:
    one_line = " ".join(text.split())
    if _PLAIN.fullmatch(one_line) and "_" not in one_line:
        return one_line
    return _ACTIVE.sub(r"\\\1", one_line)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _example(example: SourceExample) -> list[str]:
    reason = f", dropped for {example.reason}" if example.reason is not None else ""
    text = html.escape(example.text) or "(not shown)"
    # A line end in the source of a list item would end the preformatted text.
    shown = "&#10;".join(split(text)).replace("`", "&#96;")
    path = html.escape(" ".join(example.path.split()))
    return [
        f"- {_escaped(example.source)}: <code>{path}</code> "
        f"({_escaped(example.language + reason)})",
        "",
        f"  <pre>{shown}</pre>",
        "",
    ]


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """The whole page."""
    lines = [f"# {_escaped(title)}", ""]
    for block in blocks:
        if block.heading is not None:
            lines += [f"## {block.heading}", ""]
        elif block.text is not None:
            lines += [_escaped(block.text), ""]
        elif block.table is not None:
            lines += [_row(block.table.head), "|" + "---|" * len(block.table.head)]
            lines += [*map(_row, block.table.rows), ""]
        elif block.items is not None:
            lines += [*(f"- {_escaped(item)}" for item in block.items), ""]
        else:
            for example in block.examples or ():
                lines += _example(example)
            lines += [] if block.examples else ["None.", ""]
    return "\n".join(lines)
