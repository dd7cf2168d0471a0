"""The 134 games of ALFWorld (Shridhar et al. 2021, arXiv 2010.03768) in rooms never seen, and the
solved examples that stand before each, as they lie in MINT's repository."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from lemur.agents.environment import Task
from lemur.core.errors import UserError

FOLDER = "data/processed/alfworld"
ORDER, GAMES = f"{FOLDER}/gamefile_id.txt", f"{FOLDER}/json_2.1.1/valid_unseen"
EXAMPLES = f"{FOLDER}/prompts/alfworld_3prompts.json"
# Kinds of games by how their names begin, as ReAct's program tells them apart.
KINDS = {
    "pick_and_place": "put",
    "pick_clean_then_place": "clean",
    "pick_heat_then_place": "heat",
    "pick_cool_then_place": "cool",
    "look_at_obj": "examine",
    "pick_two_obj": "puttwo",
}


def read_tasks(data: Path) -> list[Task]:
    """The games in the order of ``gamefile_id.txt``. ``UserError`` for one that is not there."""
    path, found = data / ORDER, []
    for number, name in enumerate(_read(path).split(), 1):
        kinds = [kind for start, kind in KINDS.items() if name.startswith(start)]
        if not kinds:
            raise UserError(
                f"{path}, line {number}: '{name}' is no kind of game (they begin with"
                f" {', '.join(KINDS)})"
            )
        game = _place(data / GAMES / name / "game.tw-pddl")
        found.append(Task(name, {"game": str(game.resolve()), "kind": kinds[0]}))
    repeated = {task.id for task in found if sum(other.id == task.id for other in found) > 1}
    if repeated:
        raise UserError(f"{path}: the game '{min(repeated)}' stands twice")
    return found


def read_examples(data: Path) -> Mapping[str, str]:
    """Solved games by kind and number (``react_put_0``)."""
    path = data / EXAMPLES
    try:
        found = json.loads(_read(path))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None
    wanted = [f"react_{kind}_{number}" for kind in KINDS.values() for number in (0, 1)]
    missing = [name for name in wanted if not isinstance(found, dict) or name not in found]
    if missing:
        raise UserError(f"{path}: no example '{missing[0]}'")
    return found


def _place(path: Path) -> Path:
    """A file, or the same packed by gzip."""
    for found in (path, path.with_name(f"{path.name}.gz")):
        if found.is_file():
            return found
    raise UserError(f"{path}: no such file: ALFWorld's games are not whole")


def _read(path: Path) -> str:
    found = _place(path)
    data = found.read_bytes()
    return (gzip.decompress(data) if found.suffix == ".gz" else data).decode("utf-8")
