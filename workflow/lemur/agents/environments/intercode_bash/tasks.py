"""InterCode-Bash's 200 tasks, and the file systems that they are about."""

import base64
import datetime
import json
import re
import shutil
from pathlib import Path

from lemur.agents.environment import Task
from lemur.agents.intercode import shell
from lemur.agents.intercode.data import Files, read_tasks
from lemur.agents.intercode.state import Entry
from lemur.core.errors import UserError

SYSTEMS = (1, 2, 3, 4)
HERE = Path(__file__).parent  # derived/ holds the file systems, which no address serves
# What the original's image installs beside coreutils: a machine may lack it.
PROGRAMS = ("cal", "column", "hexdump", "convert", "cpio", "crontab", "curl", "dig", "host")
PROGRAMS += (
    "ifconfig",
    "jq",
    "killall",
    "netstat",
    "nslookup",
    "ping",
    "pstree",
    "python3",
    "tree",
)


def read(files: Files) -> list[Task]:
    """All tasks, in the order of their file systems."""
    tasks = []
    for number in SYSTEMS:
        path = files.need(f"data/nl2bash/nl2bash_fs_{number}.json")
        for index, item in enumerate(read_tasks(path, {"query": str, "gold": str})):
            data = {"query": item["query"], "gold": item["gold"], "system": number}
            tasks.append(Task(f"{number}/{index}", data))
    return tasks


def needs(gold: str) -> str | None:
    """The program of the original's image that a gold command uses and this machine lacks."""
    for word in re.findall(r"[A-Za-z0-9_.+-]+", gold):
        if word in PROGRAMS and shutil.which(word, path="/usr/bin:/usr/sbin") is None:
            return word
    return None


def system(files: Files, number: int) -> dict[str, Entry]:
    """The root folder of file system ``number`` (1 to 4).

    ``derived/file_system_<number>.json`` is what the original's setup script made, of the data or as
    it comes with the code; where the data have the script alone, it is run in the shell's sandbox.
    """
    root = shell.base()
    listed = files.find(f"derived/file_system_{number}.json")
    if listed is not None:
        return root | _listed(listed)
    script = f"docker/bash_scripts/setup_nl2b_fs_{number}.sh"
    found = files.find(script)
    if found is None:
        return root | _listed(HERE / f"derived/file_system_{number}.json")
    text = found.read_bytes()
    before = root | {"setup.sh": Entry("file", 0o755, shell.BUILT, text)}
    ran = shell.run(before, ["/bin/bash", "/setup.sh"])
    if ran.problem:
        raise UserError(f"{script}: cannot be run here ({ran.problem})")
    now = max(entry.mtime for entry in ran.after.values())
    return {
        path: Entry(each.kind, each.mode, _whole(each.mtime, now), each.data, each.target)
        for path, each in ran.after.items()
        if path != "setup.sh"
    }


def _whole(mtime: int, now: int) -> int:
    """A time that the script has set; of what it made without one, the time of the image."""
    return mtime if now - mtime > 3600 * 10**9 else shell.BUILT


def _listed(path: Path) -> dict[str, Entry]:
    made = {}
    try:
        for item in json.loads(path.read_text("utf-8"))["entries"]:
            kind = {"directory": "folder", "file": "file", "symlink": "link"}[item["type"]]
            data = item.get("text", "").encode()
            if "base64" in item:
                data = base64.b64decode(item["base64"])
            mtime = shell.BUILT
            if "mtime" in item:
                mtime = int(datetime.datetime.fromisoformat(item["mtime"]).timestamp()) * 10**9
            place = item["path"].lstrip("/")
            made[place] = Entry(kind, int(item["mode"], 8), mtime, data, item.get("target", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a list of a file system's entries ({error!r})") from None
    return made
