"""What reads the conversations of a source of the user's own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from lemur.sft.instructions import Messages, Skipped


class Reader(ABC):
    """The class ``READER`` of a folder that ``path`` of an entry in sources.yaml names."""

    @abstractmethod
    def conversations(self, manifest: Path) -> Iterator[Messages | Skipped]:
        """The conversations of one download, in an order that depends on its bytes alone.

        ``manifest``: its manifest.json; ``lemur.data.members.manifest_members`` gives the files. A
        conversation is a list of ``{"role": ..., "content": ...}`` that ends with the assistant;
        one that is left out is a ``Skipped`` with the reason under which it is counted.
        """
