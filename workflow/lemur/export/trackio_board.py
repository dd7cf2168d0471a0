"""Training as runs of trackio's board: metrics.jsonl of each stage, by trackio's own import.

Where training itself feeds TensorBoard or Weights & Biases (``track``), this board is made of what it
left, so that it costs no package in the training environment. Needs the environment ``formats``.
"""

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.figures import inputs

PROJECT = "lemur"


def _row(line: Mapping[str, Any]) -> dict[str, float | str]:
    """What can be drawn: numbers, without marks. The time is the step's, since no clock is kept."""
    numbers = {
        key: value
        for key, value in line.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    when = datetime.fromtimestamp(int(line["step"]), UTC).isoformat()
    return {**numbers, "timestamp": when}


def write(recipe: str, stages: Mapping[str, Path], out: Path) -> None:
    """Write the folder ``out`` (TRACKIO_DIR) with a run for each of ``stages`` (name: metrics.jsonl)."""
    with tempfile.TemporaryDirectory(dir=_made(out.parent), prefix=".trackio.") as place:
        # Read by the library when it is imported.
        os.environ["TRACKIO_DIR"] = str(Path(place) / "board")
        import trackio

        for stage, path in stages.items():
            rows = [_row(line) for line in inputs.metrics(path)]
            names = list(dict.fromkeys(key for row in rows for key in row))
            table = Path(place) / f"{stage}.csv"
            with open(table, "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows(rows)
            try:
                trackio.import_csv(table, project=PROJECT, name=f"{recipe}-{stage}")
            except (ValueError, json.JSONDecodeError) as error:
                raise UserError(f"{path}: trackio does not take it ({error})") from None
        shutil.rmtree(out, ignore_errors=True)
        (Path(place) / "board").rename(out)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
