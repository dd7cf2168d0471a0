"""Guesses of a row's next tokens, which one forward pass confirms together or refuses.

Prompt lookup (Saxena 2023, "Prompt Lookup Decoding"; speculative decoding of Leviathan et al. 2023,
arXiv 2211.17192, without a second model): what followed the last tokens where they stood before,
in the prompt or in the answer, may follow again. Only guesses that are the model's own greedy choice
are taken, so that answers are those of decoding token by token.
"""

from collections.abc import Sequence

# Tokens that must recur, the longer first.
_LENGTHS = (3, 2)
MOST = 16  # guesses a row in one pass
_MEMORY = 0.7  # of the share of guesses that held, from pass to pass


class Guesser:
    """Guesses for one row. ``held`` is the share of its guesses that the model confirmed lately."""

    def __init__(self, ids: Sequence[int]):
        self.held = 0.5
        self._ids: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        for token in ids:
            self.add(token)

    def add(self, token: int) -> None:
        """The row's next token."""
        ids = self._ids
        for length in _LENGTHS:  # what ended before this token is now followed by it
            if len(ids) >= length:
                self._after[tuple(ids[-length:])] = len(ids)
        ids.append(token)

    def guess(self) -> list[int]:
        """At most ``MOST`` tokens; none where the last ones are new."""
        ids = self._ids
        for length in _LENGTHS:
            at = self._after.get(tuple(ids[-length:]))
            if at is not None and len(ids) >= length:
                found: list[int] = []
                for place in range(at, at + MOST):  # past the end: what repeats goes on repeating
                    found.append(ids[place] if place < len(ids) else found[place - len(ids)])
                return found
        return []

    def told(self, guessed: int, confirmed: int) -> None:
        """How many of ``guessed`` tokens held."""
        if guessed:
            self.held = _MEMORY * self.held + (1 - _MEMORY) * confirmed / guessed


def width(rows: Sequence[tuple[int, float]], token: float) -> int:
    """Tokens a row of the next pass: what promises most new tokens a unit of time.

    ``rows`` are (guesses, share that holds) of each row; ``token`` is what one more token adds to
    the time of a pass, as a share of the time of a pass with none.
    """
    best, chosen = len(rows) / (1 + token * len(rows)), 1
    gained = float(len(rows))
    for number in range(1, MOST + 1):
        more = sum(held**number for guesses, held in rows if guesses >= number)
        if not more:
            break
        gained += more
        rate = gained / (1 + token * len(rows) * (number + 1))
        if rate > best:
            best, chosen = rate, number + 1
    return chosen
