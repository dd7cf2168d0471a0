"""Peers of make bench-evaluate: each in a process of its own, judged by the same judge as ours."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.core.files import read_json
from lemur.core.provenance import ROOT
from lemur.evaluation import judging
from lemur.evaluation.spec import BenchmarkSpec

Row = dict[str, Any]
OURS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # that our modules put into the environment


def asked(
    side: str,
    command: tuple[str, str],
    model: Path,
    given: dict[str, dict[str, Any]],
    changed: Mapping[str, str],
    **more: Any,
) -> tuple[list[Row], dict[str, Any], str]:
    """Run ``command`` (environment, script) on ``given``, {name: spec, data and what more the script
    reads}. Returns a row for each name, what else the script told, and why it ended if it failed."""
    environment, script = command
    run, peer = ROOT / "workflow" / "env-run", ROOT / "tests" / "bench" / script
    variables = {name: value for name, value in os.environ.items() if name not in OURS}
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        for name in given:  # a folder each: answers that are there already are not asked again
            (at / name).mkdir()
        told = {"model": str(model.resolve()), "work": folder, "benchmarks": given, **more}
        (at / "asked.json").write_text(json.dumps(told))
        print(f"{side}: loading", flush=True)
        # A file, not a pipe: a process of vLLM's that outlives it would keep a pipe open.
        with (at / "log").open("w") as log:
            ended = subprocess.run(
                [run, environment, "python", peer, at / "asked.json", at / "answers.json"],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=variables | dict(changed),
            )
        if ended.returncode:
            last = ((at / "log").read_text().strip().splitlines() or ["no message"])[-1]
            return [], {}, f"it ended with {ended.returncode} ({last})"
        found = json.loads((at / "answers.json").read_text())
        made = []
        for name, one in given.items():
            made.append(row(side, one, at / name / "generations.jsonl", found["answers"][name]))
            print(f"{name} {side}: {made[-1]['minute']:.1f} a minute", flush=True)
    return made, found, ""


def row(side: str, given: dict[str, Any], answers: Path, times: dict[str, float]) -> Row:
    """The answers, judged, with their times."""
    spec = given["spec"]
    score = answers.with_name("scores.json")
    judging.run(BenchmarkSpec.parse(spec), answers, Path(given["data"]), score)
    judged = read_json(score)
    lines = map(json.loads, answers.read_text().strip("\n").split("\n")[1:])
    return {
        "benchmark": spec["benchmark"],
        "side": side,
        "batch": given.get("batch", judged["n"]),
        **times,
        "minute": 60 * judged["n"] / times["seconds"],
        "value": judged["value"],
        "n": judged["n"],
        "tokens": judged["responses"]["tokens"],
        "answers": {entry["key"]: entry["response"] for entry in lines},
    }
