"""Commands that a page of documentation shows: in its blocks and in its sentences."""

import re
from pathlib import Path

PROGRAMS = ("snakemake", "make", "workflow/env-run", "workflow/env-build", "workflow/env-lock", "python",
            "source", "nix", "scontrol", "scancel", "tensorboard", "wandb", "git", "pip", "bash", "apt-get")  # fmt: skip


def _is_command(text: str) -> bool:
    words = text.split()
    return bool(words) and words[0] in PROGRAMS and (len(words) > 1 or "/" in words[0])


def shown(page: Path) -> list[str]:
    """Each command once, in reading order, without its comment; a block that holds one holds no other text.

    Blocks of another language (``text``, ``json``) are excerpts, not commands.
    """
    text = page.read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"^[ \t]*```(?:console|sh|bash)?\n(.*?)^[ \t]*```", text, re.M | re.S):
        lines = [re.sub(r"\s{2,}#.*", "", line).strip() for line in block.splitlines()]
        lines = [line.removeprefix("$ ") for line in lines if line]
        if any(map(_is_command, lines)):
            strange = [line for line in lines if not _is_command(line)]
            assert not strange, f"{page.name}: no command that a test knows: {strange[0]}"
            found += lines
    prose = re.sub(r"^[ \t]*```.*?^[ \t]*```", "", text, flags=re.M | re.S)
    found += filter(
        _is_command, (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))
    )
    return list(dict.fromkeys(found))
