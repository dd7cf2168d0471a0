"""Stop strings, checked on the tokens of a row as they come."""

from collections.abc import Callable, Sequence
from typing import Any


def stops_of(options: dict[str, Any]) -> tuple[str, ...]:
    """Texts that end the answer to a request of lm-eval, from its generation options."""
    until = options.get("until") or []
    return tuple([until] if isinstance(until, str) else until)


def cut(text: str, stops: Sequence[str]) -> str:
    """``text`` before the first of ``stops`` that occurs in it."""
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


class StopCheck:
    """Whether the text of a growing row contains a stop string.

    Looks at the last tokens alone, since decoding a whole row at every step would cost its
    length squared, and looks at the whole row before it says yes: a window that begins inside a
    character or a word may read differently from the row.
    """

    def __init__(self, stops: Sequence[str]):
        self.stops = [stop for stop in stops if stop]
        # A token holds at least one byte; a few more tokens cover a character cut in two.
        longest = max((len(stop.encode()) for stop in self.stops), default=0)
        self.window = longest + 8

    def __call__(self, ids: Sequence[int], text: Callable[[Sequence[int]], str]) -> bool:
        """Whether a row of ``ids``, of which ``text`` gives the text, contains a stop string."""
        if not self.stops or not self._in(text(ids[-self.window :])):
            return False
        return self._in(text(ids))

    def _in(self, text: str) -> bool:
        return any(stop in text for stop in self.stops)
