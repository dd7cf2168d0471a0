"""Programs that are left out of a score."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A program that cannot be judged here, and why: it is left out of the score and counted."""

    reason: str
