"""Training as runs of trackio's board: metrics.jsonl of each stage, by trackio's own storage.

Where training itself feeds TensorBoard or Weights & Biases (``track``), this board is made of what it
left, so that it costs no package in the training environment. Needs the environment ``formats``.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from lemur.figures.inputs import metrics

PROJECT = "lemur"


def write(recipe: str, stages: Mapping[str, Path], out: Path) -> None:
    """Write the folder ``out`` (TRACKIO_DIR) with a run for each of ``stages`` (name: metrics.jsonl)."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".trackio.") as place:
        board = Path(place) / "board"
        # Read by the library when it is imported.
        os.environ["TRACKIO_DIR"] = str(board)
        from trackio import SQLiteStorage

        for stage, path in stages.items():
            steps = metrics(path)
            SQLiteStorage.bulk_log(
                project=PROJECT,
                run=f"{recipe}-{stage}",
                metrics_list=[step.drawn() for step in steps],
                steps=[step.step for step in steps],
                # The step's number stands for its time: no clock is kept in results.
                timestamps=[datetime.fromtimestamp(step.step, UTC).isoformat() for step in steps],
            )
        shutil.rmtree(out, ignore_errors=True)
        board.rename(out)
