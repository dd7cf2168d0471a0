"""metrics.jsonl, line by line, to TensorBoard or Weights & Biases, where somebody asks for it.

Nothing leaves the machine by itself: Weights & Biases writes files that `wandb sync` uploads,
unless WANDB_MODE says otherwise. A run that continues writes all its lines again, so that nothing
in them is there twice and nothing of an abandoned stretch remains.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lemur.config.values import Values
from lemur.core import contracts
from lemur.core.errors import UserError, nearest
from lemur.training.metrics import Metrics
from lemur.training.settings import Spec
from lemur.training.step_metrics import StepMetrics
from lemur.training.throughput import Meter


class TensorBoard:
    """Event files in ``<stage>/tensorboard``: `tensorboard --logdir results`."""

    def __init__(self, folder: Path, _: str, __: Values):
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(folder, ignore_errors=True)
        self.writer = SummaryWriter(str(folder))

    def log(self, line: StepMetrics) -> None:
        for name, value in line.drawn().items():
            self.writer.add_scalar(f"train/{name}", value, line.step)

    def close(self) -> None:
        self.writer.close()


class WandB:
    """A run in ``<stage>/wandb``, offline unless WANDB_MODE is online."""

    def __init__(self, folder: Path, run: str, settings: Values):
        import wandb

        mode = os.environ.get("WANDB_MODE", "offline")
        if mode != "online":
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("CONFIG", "CACHE", "DATA"):  # else in the home folder
            os.environ.setdefault(f"WANDB_{kind}_DIR", str(folder / kind.lower()))
        self.run = wandb.init(
            project="lemur",
            name=f"{settings['recipe']}-{settings['stage']}",
            id=run,
            resume="allow",
            dir=str(folder),
            mode=mode,
            config=settings,
            settings=wandb.Settings(console="off", silent=True, disable_git=True, save_code=False),
        )

    def log(self, line: StepMetrics) -> None:
        self.run.log(line.drawn(), step=line.step)

    def close(self) -> None:
        self.run.finish()


KINDS = {"tensorboard": TensorBoard, "wandb": WandB}


def check(names: Iterable[str]) -> tuple[str, ...]:
    """The names, once each; UserError for one that is not known."""
    for name in names:
        if name not in KINDS:
            raise UserError(f"--track: '{name}'{nearest(name, KINDS)}")
    return tuple(dict.fromkeys(names))


class Trackers:
    """All trackers of a run; none on ranks other than 0."""

    def __init__(self, open_: Iterable[Any] = ()):
        self.open = list(open_)

    @classmethod
    def start(
        cls, names: tuple[str, ...], folder: Path, spec: Spec, metrics: Metrics | None, meter: Meter
    ) -> "Trackers":
        """``folder``: checkpoints/<fingerprint> of the run, beside which trackers write."""
        if metrics is None or not names:
            return cls()
        settings = {**spec.raw, "matrix_rate_tflops": meter.peak / 1e12}
        stage = folder.parent.parent
        made = cls(KINDS[name](stage / name, folder.name, settings) for name in names)
        for line in metrics.path.read_text(encoding="utf-8").splitlines():
            made.log(contracts.read(StepMetrics, json.loads(line), str(metrics.path)))
        return made

    def log(self, line: StepMetrics) -> None:
        """One line of metrics.jsonl."""
        for tracker in self.open:
            tracker.log(line)

    def __enter__(self) -> "Trackers":
        return self

    def __exit__(self, *_: object) -> None:
        for tracker in self.open:
            tracker.close()
