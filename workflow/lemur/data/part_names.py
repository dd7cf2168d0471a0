"""How the parts of a source are named: ``part-<i>-of-<P>``."""

import re
from pathlib import Path

from lemur.core.errors import UserError

_PART = re.compile(r"^part-(\d+)-of-(\d+)$")


def part_of(path: Path) -> int:
    """The i of a file ``part-<i>-of-<P>.<suffix>``; ``UserError`` for any other name."""
    found = _PART.match(path.name.split(".")[0])
    if not found:
        raise UserError(f"{path}: not named part-<i>-of-<P>")
    return int(found[1])
