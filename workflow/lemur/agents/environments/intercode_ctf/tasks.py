"""InterCode-CTF's 100 tasks (picoCTF), the files that they give, and which cannot be played."""

import json
import os
from pathlib import Path
from typing import Any

from lemur.agents.environment import Task
from lemur.agents.intercode import shell
from lemur.agents.intercode.data import Files, read_tasks
from lemur.agents.intercode.state import Entry
from lemur.core.errors import UserError

PATH, ASSETS, LISTED = "data/ctf/ic_ctf.json", "data/ctf/task_assets", "derived/ctf_offline.json"
HERE = Path(__file__).parent  # its derived/ says which files each task gives
_NC = (9, 20, 28, 29, 39, 41, 42, 43, 57, 62, 66, 73, 87, 88, 89, 95)
# What a task wants from the network, which no episode has.
SERVERS = {number: "talks to a server" for number in _NC}
SERVERS |= {1: "downloads a disk image", 7: "downloads a program", 35: "downloads a file"}
SERVERS |= {16: "opens a web page", 54: "opens a web page"}
# Where the task file's flag is wrong (the original's issue 25), what its program says.
FLAGS = {15: r"picoCTF{1|\/|_4_p34|\|ut_f3bc410e}"}


def read(files: Files) -> list[Task]:
    """All tasks in the order of their file."""
    needed = {"task_id": int, "query": str, "gold": str, "tags": list}
    items = read_tasks(files.need(PATH), needed)
    return [Task(str(item["task_id"]), {key: item[key] for key in needed}) for item in items]


def flag(data: Any) -> str:
    """The flag that a task truly has."""
    return FLAGS.get(data["task_id"], data["gold"])


def assets(files: Files, number: int) -> dict[str, Path]:
    """The files that a task gives, by their paths in its folder; without its solution."""
    found = files.under(f"{ASSETS}/{number}")
    return {path: each for path, each in found.items() if not path.startswith("solution/")}


def missing(files: Files, number: int) -> str | None:
    """Why a task cannot be played with these data; None where it can."""
    if number in SERVERS:
        return SERVERS[number]
    found = assets(files, number)
    wanted = _listed(files.find(LISTED) or HERE / LISTED).get(number)
    if wanted is None:  # its files are not known: some have to be there
        return None if found else "the data lack its files"
    lacking = [name for name in wanted if name not in found]
    return f"the data lack its file {lacking[0]}" if lacking else None


def _listed(path: Path) -> dict[int, list[str]]:
    try:
        return {item["task_id"]: item["files"] for item in json.loads(path.read_text("utf-8"))}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a list of tasks and their files ({error!r})") from None


def root(files: Files, number: int) -> dict[str, Entry]:
    """The root folder of a task, with its files in ``/ctf/<number>``."""
    made = shell.base() | {
        "ctf": Entry("folder", 0o755, shell.BUILT),
        f"ctf/{number}": Entry("folder", 0o755, shell.BUILT),
    }
    for path, each in assets(files, number).items():
        place = f"ctf/{number}/{path}"
        above: list[str] = place.split("/")[:-1]
        for depth in range(3, len(above) + 1):
            made.setdefault("/".join(above[:depth]), Entry("folder", 0o755, shell.BUILT))
        mode = 0o755 if os.access(each, os.X_OK) else 0o644
        made[place] = Entry("file", mode, shell.BUILT, each.read_bytes())
    return made
