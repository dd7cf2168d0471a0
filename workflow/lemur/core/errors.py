"""What a user did wrong, said in one line."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in input or surroundings. Its text is one line: what, where, what is allowed."""

    exit_code = 2


class Interrupted(Exception):
    """Work was stopped by a signal after its state was saved; running it again continues."""

    exit_code = 75  # EX_TEMPFAIL: worth another attempt


class LostRank(Exception):
    """Another rank does not answer any more; the launcher says which, and why."""

    exit_code = 76


def nearest(word: str, allowed: Iterable[str]) -> str:
    """``"; did you mean 'x'? allowed: x, y"`` for a misspelt ``word`` (no suggestion if none is near)."""
    names = sorted(str(name) for name in allowed)
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    shown = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    return f"{hint} (allowed: {shown or 'none'})"


def first_line(error: BaseException) -> str:
    """The first line of an exception's text that is not blank, or its type's name where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
