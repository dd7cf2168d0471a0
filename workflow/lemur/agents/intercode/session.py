"""The shell of one episode: its files and the folder in which the next action begins."""

from collections.abc import Callable

from lemur.agents.intercode import shell
from lemur.agents.intercode.ahead import Ahead
from lemur.agents.intercode.state import State

LONGEST = 100_000  # letters of a command: the kernel takes an argument of 128 KiB
TIMED_OUT, MALFORMED = "Command timed out", "Malformed command"
NO_FOLDER = 'OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("{}") set in config.json failed: no such file or directory: unknown'
NO_PROGRAM = 'OCI runtime exec failed: exec failed: unable to start container process: exec: "{}": executable file not found in $PATH: unknown'


def execute(
    before: State, argv: list[str] | None, folder: str, ahead: Ahead | None = None
) -> tuple[str | None, bool, State]:
    """``(output, whether it ended with 0, files)``; output None: it is malformed, or no UTF-8.
    ``ahead`` may have a shell that has been started already."""
    if argv is None or any("\0" in part or len(part) > LONGEST for part in argv):
        return None, False, before
    try:
        "".join(argv).encode("utf-8")
    except UnicodeEncodeError:
        return None, False, before
    if ahead is None:
        ran = shell.run(before, argv, folder)
    else:
        ran = shell.run(before, argv, folder, started=ahead.take(), take_down=ahead.take_down)
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
        self.files, self.folder, self.ahead = files, folder, Ahead()

    def act(self, action: str, argv: Callable[[str], list[str] | None]) -> tuple[str | None, bool]:
        """Execute one action; ``(output, whether it ended with 0)``. ``cd`` at the beginning of one
        changes the folder of those that follow."""
        folder = self.folder
        leads = None
        if action.startswith("cd"):
            if "cd " not in action:
                return None, False  # the original fails
            leads = simplify(folder, action[action.index("cd ") + 3 :].strip())
            action, folder = f"cd {leads}", "/"
        output, executed, self.files = execute(self.files, argv(action), folder, self.ahead)
        self.ahead.start()
        if leads is not None and executed:
            self.folder = leads
        return output, executed

    def close(self) -> None:
        """End the shell that waits for the next action."""
        self.ahead.close()
