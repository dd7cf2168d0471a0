"""A few documents that a reader can look at: ten kept and ten dropped of every part.

Drawn by the hash of the path, so that they are the same every time; printed after redaction, and
never from a document in which a key or a password stands anywhere.
"""

import hashlib
import heapq

from lemur.corpus.part_statistics import Example
from lemur.corpus.redact import redacted

COUNT = 10
CHARACTERS = 240

_Drawn = tuple[int, str, Example]


class Examples:
    """The documents with the smallest hashes so far, kept ones and dropped ones."""

    def __init__(self) -> None:
        self._kept: list[_Drawn] = []
        self._dropped: list[_Drawn] = []

    def kept(self, path: str, language: str, text: str) -> None:
        """Offer a kept document; its beginning is shown."""
        self._offer(self._kept, path, language, text, None)

    def dropped(self, path: str, language: str, text: str, reason: str) -> None:
        """Offer a dropped one; ``text`` is empty where a licence forbids showing it."""
        self._offer(self._dropped, path, language, text, reason)

    def _offer(
        self, drawn: list[_Drawn], path: str, language: str, text: str, reason: str | None
    ) -> None:
        rank = -int.from_bytes(hashlib.sha256(f"example {path}".encode()).digest()[:8], "big")
        if len(drawn) == COUNT and rank <= drawn[0][0]:
            return
        # The whole text, since a secret further down also bars the document: few come this far.
        shown, counts = redacted(text)
        if counts["key"] or counts["password"]:
            return
        entry = Example(redacted(path)[0], language, shown[:CHARACTERS], reason)
        heapq.heappush(drawn, (rank, path, entry))
        if len(drawn) > COUNT:
            heapq.heappop(drawn)

    def chosen(self) -> dict[str, tuple[Example, ...]]:
        """Those ``kept`` and those ``dropped``, in drawn order."""
        return {
            name: tuple(
                entry
                for _, _, entry in sorted(drawn, key=lambda example: (-example[0], example[1]))
            )
            for name, drawn in (("kept", self._kept), ("dropped", self._dropped))
        }
