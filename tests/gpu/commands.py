"""The training command as a rule gives it, for the parts that start it as a process."""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.training_work import SHAPES, Work, data, model_folder, spec
from lemur.core.files import read_json, sha256_of
from lemur.core.provenance import ROOT
from lemur.training.metrics import TIMING
from made_words import save_words

SCRIPT = ROOT / "scripts" / "4_pretrain" / "pretrain.py"


def prepared(model: str, folder: Path) -> Path:
    """A model of random weights with a tokenizer, as the commands take it."""
    work = Work("ours", model, 64, 64, 1, "bf16", "cpu", False, False, 1, 0)
    made = model_folder(work, folder)
    if not (made / "tokenizer.json").exists():
        save_words(made, SHAPES[model][0])
    return made


def settings(work: Work, every: int) -> dict[str, Any]:
    """The work as a stage's settings, with a checkpoint every so many steps."""
    return {**spec(work), "checkpoint": {"every_steps": every, "keep": 2}}


def start(values: dict[str, Any], work: Work, folder: Path, done: Path) -> subprocess.Popen:
    """Start the command; what it prints goes beside ``done``."""
    done.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(SCRIPT), "--spec", json.dumps(values)]
    command += ["--model", str(prepared(work.model, folder)), "--index", str(data(work, folder))]
    with open(log(done), "a", encoding="utf-8") as file:
        return subprocess.Popen(
            [*command, "--out", str(done)], stdout=file, stderr=subprocess.STDOUT
        )


def log(done: Path) -> Path:
    """Where a started command prints."""
    return done.with_name("log.txt")


def finish(process: subprocess.Popen, done: Path, seconds: float) -> None:
    """Wait for it; RuntimeError with its last line where it fails or takes longer."""
    try:
        code = process.wait(max(1.0, seconds))
    except subprocess.TimeoutExpired:
        process.kill()
        raise RuntimeError(f"{done.parent.name}: not done after {seconds:.0f} s") from None
    if code:
        lines = log(done).read_text(errors="replace").strip().splitlines()
        raise RuntimeError(f"{done.parent.name}: code {code}: {lines[-1] if lines else 'silent'}")


def checkpoint_of(done: Path, process: subprocess.Popen, seconds: float) -> Path:
    """The first checkpoint under its final name; RuntimeError where none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = sorted((done.parent / "checkpoints").glob("*/step-*"))
        if found:
            return found[0]
        if process.poll() is not None:
            raise RuntimeError(f"ended with code {process.returncode} before a checkpoint")
        time.sleep(0.005)
    raise RuntimeError(f"no checkpoint after {seconds:.0f} s")


def metrics(done: Path) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl."""
    text = (done.parent / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def outcome(done: Path) -> tuple[str, list[dict[str, Any]], Any]:
    """What must be equal in equal runs: weights, metrics without what the clock says, DONE.json."""
    lines = [{k: v for k, v in line.items() if k not in TIMING} for line in metrics(done)]
    return sha256_of(done.parent / "model" / "model.safetensors"), lines, read_json(done)


def seconds_a_step(done: Path) -> float:
    """Median without the first quarter of the steps."""
    lines = metrics(done)
    return median(line["seconds"] for line in lines[len(lines) // 4 :])
