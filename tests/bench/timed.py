"""The clock of make bench-evaluate, the same for every side."""

import time
from pathlib import Path
from typing import Any

import psutil
from lemur.evaluation import generation
from lemur.evaluation.spec import BenchmarkSpec


def processor() -> float:
    """Seconds of processor time of this process and those that live below it."""
    this = psutil.Process()
    times = [one.cpu_times() for one in (this, *this.children(recursive=True))]
    return sum(time.user + time.system for time in times)


class Timed:
    """A backend whose ``generate`` is measured: seconds of wall and of processor time."""

    def __init__(self, backend: Any):
        self.backend, self.tokenizer = backend, backend.tokenizer
        self.wall = self.processor = 0.0

    def generate(self, *given: Any) -> Any:
        began, used = time.monotonic(), processor()
        found = list(self.backend.generate(*given))
        self.wall += time.monotonic() - began
        self.processor += processor() - used
        return found


def answered(
    backend: Any, spec: BenchmarkSpec, model: Path, data: Path, out: Path
) -> dict[str, float]:
    """Generate into ``out``; seconds of wall and of processor time."""
    timed = Timed(backend)
    kept, generation.backend_of = generation.backend_of, lambda *_: timed
    try:
        generation.run(spec, model, data, out)
    finally:
        generation.backend_of = kept
    return {"seconds": timed.wall, "processor": timed.processor}
