"""Task to shell command, from the examples of the package ``eg`` (MIT, Srivastava)."""

import re
from collections.abc import Iterator
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.lines import lines
from lemur.data.members import manifest_members
from lemur.sft.fence import fenced

EXAMPLES = ("*/eg/examples/*.md",)
_PLACEHOLDER = re.compile(r"\s+")


def _command(block: list[str]) -> str | None:
    """The command of an indented block: what follows ``$ `` where it has prompts, else all of it.

    A block of prompts also shows output; a continued line (ending in a backslash) stays whole. None
    where a prompt is another program's.
    """
    block = [line[4:] if line.startswith("    ") else line.strip() for line in block]
    if not any(line.startswith("$ ") for line in block):
        return "\n".join(block).strip() or None
    taken, going = [], False
    for line in block:
        if line.startswith("$ "):
            taken.append(line[2:])
        elif going:
            taken.append(line)
        going = bool(taken) and taken[-1].endswith("\\")
    return "\n".join(taken).strip() or None


def blocks(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """(paragraph, lines of the indented block right after it)."""
    paragraph: list[str] = []
    code: list[str] = []
    open_paragraph = False
    for line in [*lines(markdown), "end"]:
        if line.startswith("    ") and line.strip() and paragraph:
            code.append(line)
            continue
        if code:
            if not line.strip():
                continue  # a blank line may stand inside a block
            yield " ".join(paragraph), code
            paragraph, code = [], []
        if line.startswith("#"):
            paragraph, open_paragraph = [], False
        elif line.strip():
            if not open_paragraph:
                paragraph = []
            paragraph.append(line.strip())
            open_paragraph = True
        else:
            open_paragraph = False


def conversations(manifest: Path) -> Iterator[list[dict[str, str]]]:
    """One question and one command each: "With `cut`: show columns 2-8" to a ```` ```bash ```` block."""
    for name, content in manifest_members(manifest, EXAMPLES):
        program = name.rsplit("/", 1)[-1].removesuffix(".md")
        try:
            markdown = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{manifest}: '{name}' is not UTF-8 ({error})") from None
        for paragraph, block in blocks(markdown):
            task = _PLACEHOLDER.sub(" ", paragraph).strip().rstrip(":").strip()
            command = _command(block)
            words = task.split()
            # A command names its program; a file listing or a session of another tool does not.
            if command is None or program not in command or not 3 <= len(words) <= 80:
                continue
            if command.count("\n") > 8:
                continue
            yield [
                {"role": "user", "content": f"With `{program}`: {task}."},
                {"role": "assistant", "content": fenced("bash", command)},
            ]
