"""Names that become folders: readable, and different where what they name differs."""

import hashlib
import re
from pathlib import Path

from lemur.core.errors import UserError

# Of a recipe or a corpus: they stand in paths, wildcards and shell text as they are.
_PLAIN = re.compile(r"\w[\w.+-]*")
# Folders under results/ that belong to no recipe: those of rules, and of the crate's own files.
TAKEN = ("agents", "corpus", "figures", "models", "paper", "ro-crate", "tokens")
LONGEST = 100  # letters; a file's name may have 255 bytes, and others are made of these


def plain(name: str, kind: str) -> str:
    """``name`` of a file under config/, where it can be a folder's; else ``UserError``."""
    if not _PLAIN.fullmatch(name):
        raise UserError(f"{kind} '{name}': its name becomes a folder's: letters, digits and . _ + - are allowed")  # fmt: skip
    if name in TAKEN:
        raise UserError(f"{kind} '{name}': results/{name} is taken: another name is needed")
    return name


def folder_name(text: str) -> str:
    """A folder's name for any ``text``: a slash becomes ``--``. Where that could be another text's
    name too, for characters that a path lacks, 8 digits of the text's hash follow."""
    name = re.sub(r"[^\w.+@-]+", "-", text.replace("/", "--"))[:LONGEST].strip("-.")
    whole = text.replace("/", "--") == name and not re.search("--|-/|/-", text)
    return name if whole else f"{name}-{mark(text)}".lstrip("-")


def name_folder(path: Path) -> str:
    """The same for a folder: its last three names, and 8 digits of where it lies."""
    ends = [re.sub(r"[^\w.+@-]+", "-", part).strip("-.") for part in path.parts[-3:]]
    return f"{'--'.join(filter(None, ends))[-LONGEST:].strip('-.')}-{mark(str(path))}"


def mark(text: str) -> str:
    """8 hexadecimal digits of a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
