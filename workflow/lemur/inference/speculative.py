"""Guesses of a row's next tokens, which one forward pass confirms together or refuses.

Prompt lookup (Saxena 2023, "Prompt Lookup Decoding"; speculative decoding of Leviathan et al. 2023,
arXiv 2211.17192, without a second model): what followed the last tokens where they stood before,
in the prompt, in the answer or in the answers to other prompts, may follow again. Only guesses that
are the model's own greedy choice are taken, so that answers are those of decoding token by token.
"""

from collections.abc import Sequence

# Tokens that must recur, the longer first.
_LENGTHS = (5, 3, 2, 1)
MOST = 16  # guesses a row in one pass
_MEMORY = 0.85  # of the share of guesses that held, from pass to pass
_HEARD = 1 << 18  # runs of tokens that are remembered, some 50 MB


class Heard:
    """What followed which tokens in the answers of all rows."""

    def __init__(self) -> None:
        self._after: dict[tuple[int, ...], tuple[list[int], int]] = {}

    def note(self, key: tuple[int, ...], answer: list[int]) -> None:
        """``key`` is followed by what comes after ``answer`` as it is now."""
        if len(self._after) >= _HEARD:
            self._after.clear()
        self._after[key] = answer, len(answer)

    def after(self, key: tuple[int, ...]) -> list[int]:
        """At most ``MOST`` tokens that followed ``key`` last."""
        answer, at = self._after.get(key, ([], 0))
        return answer[at : at + MOST]


class Guesser:
    """Guesses for one row. ``held`` is how often one of its guesses was confirmed lately, of those
    that were confirmed or were the first to be refused."""

    def __init__(self, prompt: Sequence[int], heard: Heard | None = None):
        self.held = 0.5
        self._ids: list[int] = []
        self._answer: list[int] = []  # held by ``heard``, so that it holds no prompt
        self._after: dict[tuple[int, ...], int] = {}
        self._heard: Heard | None = None
        for token in prompt:
            self.add(token)
        self._heard = heard

    def add(self, token: int) -> None:
        """The row's next token."""
        ids = self._ids
        for length in _LENGTHS:  # what ended before this token is now followed by it
            if len(ids) >= length:
                key = tuple(ids[-length:])
                self._after[key] = len(ids)
                if self._heard is not None:
                    self._heard.note(key, self._answer)
        ids.append(token)
        if self._heard is not None:
            self._answer.append(token)

    def guess(self) -> list[int]:
        """At most ``MOST`` tokens; none where the last one is new."""
        ids = self._ids
        for length in _LENGTHS:
            key = tuple(ids[-length:])
            at = self._after.get(key)
            if at is not None and len(ids) >= length:
                found: list[int] = []
                for place in range(at, at + MOST):  # past the end: what repeats goes on repeating
                    found.append(ids[place] if place < len(ids) else found[place - len(ids)])
                return found
            if self._heard is not None and (others := self._heard.after(key)):
                return others
        return []

    def record(self, guessed: int, confirmed: int) -> None:
        """How many of ``guessed`` tokens held."""
        if guessed:
            share = confirmed / min(guessed, confirmed + 1)
            self.held = _MEMORY * self.held + (1 - _MEMORY) * share


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
