"""A datasheet's blocks as Markdown; whatever came out of a corpus is escaped."""

import html
import re
from collections.abc import Sequence
from typing import Any

from lemur.core.lines import lines as split

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


def _example(example: dict[str, Any]) -> list[str]:
    reason = f", dropped for {example['reason']}" if "reason" in example else ""
    text = html.escape(example["text"]) or "(not shown)"
    # A line end in the source of a list item would end the preformatted text.
    shown = "&#10;".join(split(text)).replace("`", "&#96;")
    path = html.escape(" ".join(example["path"].split()))
    return [
        f"- {_escaped(example['source'])}: <code>{path}</code> "
        f"({_escaped(example['language'] + reason)})",
        "",
        f"  <pre>{shown}</pre>",
        "",
    ]


def markdown(title: str, blocks: Sequence[dict[str, Any]]) -> str:
    """The whole page."""
    lines = [f"# {_escaped(title)}", ""]
    for block in blocks:
        ((kind, value),) = block.items()
        if kind == "heading":
            lines += [f"## {value}", ""]
        elif kind == "text":
            lines += [_escaped(value), ""]
        elif kind == "table":
            lines += [_row(value["head"]), "|" + "---|" * len(value["head"])]
            lines += [*map(_row, value["rows"]), ""]
        elif kind == "items":
            lines += [*(f"- {_escaped(item)}" for item in value), ""]
        else:
            for example in value:
                lines += _example(example)
            lines += [] if value else ["None.", ""]
    return "\n".join(lines)
