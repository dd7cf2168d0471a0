"""A run may be restarted any number of times as long as it gets further."""

from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json

MOST = 3


class Restarts:
    """Counts the starts of a stage since its last new checkpoint, in ``<folder>/.starts.json``.

    ``folder`` is where DONE.json goes; checkpoints lie in ``checkpoints/<run>/step-<n>`` there.
    """

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / ".starts.json"
        self.before = read_json(self.path) if self.path.is_file() else None

    def _checkpoints(self) -> list[str]:
        found = (self.folder / "checkpoints").glob("*/step-*")
        return sorted(str(path.relative_to(self.folder)) for path in found)

    def begin(self) -> None:
        """Count this start; UserError when three restarts in a row brought no new checkpoint."""
        now = self._checkpoints()
        same = self.before is not None and self.before["checkpoints"] == now
        restarts = self.before["restarts"] + 1 if same else 0
        if restarts > MOST:
            steps = [int(name.rpartition("-")[2]) for name in now]
            place = f"step {max(steps)}" if steps else "the start"
            raise UserError(
                f"{self.folder}: {MOST} restarts without a new checkpoint after {place}: see what "
                f"ended them in the logs (out of memory? a time limit shorter than "
                f"checkpoint.every_steps?), then remove {self.path} and run the same command"
            )
        write_json(self.path, {"checkpoints": now, "restarts": restarts})

    def forget(self) -> None:
        """This start did not count: it was refused before any work."""
        if self.before is None:
            self.path.unlink(missing_ok=True)
        else:
            write_json(self.path, self.before)

    def finish(self) -> None:
        self.path.unlink(missing_ok=True)
