"""MiniWoB++'s pages (Liu et al. 2018, arXiv 1802.08802) as the package ``miniwob`` holds them."""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.browser.process import ENVIRONMENT
from lemur.agents.environment import Task
from lemur.agents.sessions.packages import find_packages
from lemur.core.errors import UserError, nearest

FOLDER = "miniwob/html"
POINTER = "wants a pointer that is dragged or draws, for which there is no action"
PICTURE = "wants to see shapes, colours or places, which an accessibility tree does not have"
TIMED = "goes by its own clock, which stands still while a model thinks"
# What cannot be played by actions on the elements of an accessibility tree.
WANTS = {
    POINTER: (
        "daily-calendar", "drag-box", "drag-circle", "drag-cube", "drag-items", "drag-items-grid",
        "drag-shapes", "drag-shapes-2", "drag-single-shape", "drag-sort-numbers", "draw-circle",
        "draw-line", "highlight-text", "highlight-text-2", "resize-textarea", "text-editor",
    ),
    PICTURE: (
        "bisect-angle", "circle-center", "click-color", "click-shades", "click-shape", "count-shape",
        "count-sides", "find-greatest", "find-midpoint", "grid-coordinate", "hot-cold", "hover-shape",
        "identify-shape", "number-checkboxes", "right-angle", "simon-says", "tic-tac-toe",
        "visual-addition",
    ),
    TIMED: ("chase-circle", "moving-items", "stock-market"),
}  # fmt: skip


def find_pages() -> Path | None:
    """The folder of the pages, where the environment ``web`` is built."""
    packages = find_packages(ENVIRONMENT, "miniwob")
    return None if packages is None else packages / FOLDER


def names(pages: Path) -> list[str]:
    """All games of the folder."""
    return sorted(path.stem for path in (pages / "miniwob").glob("*.html"))


def tasks(pages: Path | None, games: Sequence[str] | None, episodes: int, seed: int) -> list[Task]:
    """Each game with each seed, all games of a seed before the next; ``games`` None takes all.

    Raises:
        UserError: no such game.
    """
    known = [] if pages is None else names(pages)
    for game in games or ():
        if pages is not None and game not in known:
            raise UserError(f"miniwob: game '{game}'{nearest(game, known)}")
    return [
        Task(f"{game}-{number}", {"game": game, "seed": number})
        for number in range(seed, seed + episodes)
        for game in (known if games is None else games)
    ]


def unplayable(game: str) -> str | None:
    """Why a game cannot be played by such actions."""
    return next((why for why, found in WANTS.items() if game in found), None)
