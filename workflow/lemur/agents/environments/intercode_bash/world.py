"""A task's root folder, and a folder in it to work in."""

import shlex
from collections.abc import Callable

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.intercode import protocol, shell
from lemur.agents.intercode.state import State
from lemur.agents.environments.intercode_bash import judge
from lemur.agents.environments.intercode_bash.judge import End

TIMED_OUT, MALFORMED = "Command timed out", "Malformed command"
NO_FOLDER = 'OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("{}") set in config.json failed: no such file or directory: unknown'
NO_PROGRAM = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "{}": executable file not found in $PATH: unknown'


def split(command: str, repaired: bool) -> list[str] | None:
    """The program and arguments of a command, None where the original cannot read it: it puts the
    command between double quotes as it stands, so that those of its own end the quotation."""
    if repaired:
        return ["/bin/bash", "-c", command]
    try:
        return shlex.split(f'/bin/bash -c "{command.strip()}"')
    except ValueError:
        return None


def execute(
    before: State, argv: list[str] | None, folder: str
) -> tuple[str | None, bool, State]:
    """``(output, whether it ended with 0, files)``; output None: it is malformed, or no UTF-8."""
    if argv is None or any("\0" in part or len(part) > 100_000 for part in argv):
        return None, False, before
    try:
        "".join(argv).encode("utf-8")
    except UnicodeEncodeError:
        return None, False, before
    ran = shell.run(before, argv, folder)
    if ran.status is None:
        return TIMED_OUT, False, ran.after
    if ran.status == 253:
        return NO_FOLDER.format(folder), False, ran.after
    if ran.status == 254:
        return NO_PROGRAM.format(argv[0]), False, ran.after
    try:
        return ran.printed.decode("utf-8"), ran.status == 0, ran.after
    except UnicodeDecodeError:
        return None, False, ran.after


def simplify(current: str, changed: str) -> str:
    """The folder that ``cd changed`` leads to, as the original resolves it."""
    path: list[str] = []
    whole = changed if changed.startswith("/") else f"{current}/{changed}"
    for part in (whole if changed else current).split("/"):
        if part == "..":
            path[-1:] = []
        elif part and part != ".":
            path.append(part)
    return "/" + "/".join(path)


class Session:
    """Files and the folder between the actions of one episode."""

    def __init__(self, files: State, folder: str = "/"):
        self.files, self.folder = files, folder

    def act(
        self, action: str, argv: Callable[[str], list[str] | None]
    ) -> tuple[str | None, bool]:
        """Execute one action; ``(output, whether it ended with 0)``. ``cd`` at the beginning of one
        changes the folder of those that follow."""
        folder = self.folder
        leads = None
        if action.startswith("cd"):
            if "cd " not in action:
                return None, False  # the original fails
            leads = simplify(folder, action[action.index("cd ") + 3 :].strip())
            action, folder = f"cd {leads}", "/"
        output, executed, self.files = execute(self.files, argv(action), folder)
        if leads is not None and executed:
            self.folder = leads
        return output, executed


class World(Environment):
    """One episode of a Bash task."""

    def __init__(self, system: Callable[[int], State], turns: int, repaired: bool):
        self.system, self.turns, self.repaired = system, turns, repaired

    def reset(self, task: Task) -> str:
        self.task, self.taken = task, 0
        self.before = self.system(task.data["system"])
        self.session = Session(self.before)
        return task.data["query"]

    def step(self, action: str) -> Step:
        self.taken += 1
        try:
            command = protocol.parse_bash(action, self.repaired)
        except protocol.Blocked:
            blocked = {"action": "blocked", "code": False, "end": "no tag"}
            return Step("No output", 0, True, blocked)
        output, executed = self.session.act(command, self._argv)
        gold, _, files = execute(self.before, self._argv(self.task.data["gold"]), "/")
        ends = End(MALFORMED if output is None else output, self.session.files), End(gold, files)
        reward = judge.reward(self.before, *ends)
        info = {"action": command, "code": True, "executed": executed}
        info["differs"] = judge.agrees(self.before, *ends)
        if reward == 1:
            info["end"] = "solved"
        elif self.taken >= self.turns:
            info["end"] = "out of turns"
        return Step(protocol.cut(ends[0].output or ""), reward, "end" in info, info)

    def _argv(self, command: str) -> list[str] | None:
        return split(command, self.repaired)

    def close(self) -> None:
        self.session = Session({})
