"""What an episode asks of its browser's process and what that answers: a line of JSON each way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 1280, 720  # pixels


@dataclass(frozen=True)
class Begin:
    """An episode's tabs: the ``origins`` that may be asked; a ``folder`` whose files answer in place of a
    network; ``clock``: whether pages have a clock that only actions move; ``repeats`` as of
    ``tree.render``; ``state``: cookies and storage, as playwright keeps them."""

    origins: tuple[str, ...]
    folder: str | None = None
    clock: bool = False
    repeats: bool = False
    state: Mapping[str, Any] | None = None
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Seen:
    """The page that is looked at: titles of all ``tabs`` and the number of the ``current`` one, its
    address, its tree as text, and the line of each numbered element. ``failed``: why what was asked for
    before could not be done, empty where it was."""

    tabs: tuple[str, ...]
    current: int
    url: str
    tree: str
    lines: Mapping[str, str]
    failed: str = ""


@dataclass(frozen=True)
class Found:
    """What a script returned, or a page's source, at the address ``url``; ``failed``: why there is none."""

    url: str
    value: Any = None
    failed: str | None = None

    @property
    def text(self) -> str:
        """The value as Python writes it; empty where there is none."""
        return "" if self.failed is not None else str(self.value)
