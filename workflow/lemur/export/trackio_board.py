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
from typing import Any

from lemur.figures import inputs

PROJECT = "lemur"


def _numbers(line: Mapping[str, Any]) -> dict[str, float]:
    """What can be drawn of a step, without the step itself."""
    return {
        key: float(value)
        for key, value in line.items()
        if isinstance(value, int | float) and key != "step"
    }


def write(recipe: str, stages: Mapping[str, Path], out: Path) -> None:
    """Write the folder ``out`` (TRACKIO_DIR) with a run for each of ``stages`` (name: metrics.jsonl)."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".trackio.") as place:
        board = Path(place) / "board"
        # Read by the library when it is imported.
        os.environ["TRACKIO_DIR"] = str(board)
        from trackio import SQLiteStorage

        for stage, path in stages.items():
            lines = inputs.metrics(path)
            SQLiteStorage.bulk_log(
                project=PROJECT,
                run=f"{recipe}-{stage}",
                metrics_list=[_numbers(line) for line in lines],
                steps=[int(line["step"]) for line in lines],
                # The step's number stands for its time: no clock is kept in results.
                timestamps=[
                    datetime.fromtimestamp(line["step"], UTC).isoformat() for line in lines
                ],
            )
        shutil.rmtree(out, ignore_errors=True)
        board.rename(out)
