"""What bears on a response: recorded with the generations, compared before they are judged."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lemur.core import contracts
from lemur.evaluation.spec import BenchmarkSpec, Decoding

if TYPE_CHECKING:  # a job that only copies answers checks its settings without loading lm-eval
    from lemur.evaluation.tasks import Bench

VERSION = 5  # of generation: raise it when the same settings would give other responses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that bears on a model's responses to a benchmark. How many problems are asked, and how
    many together, is not among it: a larger limit adds responses, it does not change them."""

    benchmark: str
    """Its name in config/benchmarks.yaml."""
    model: str
    """Its name in the recipe."""
    format: str
    """Of the prompt: completion or chatml."""
    shots: int
    """Solved examples in the prompt."""
    decoding: Decoding
    """How answers are drawn; empty of whole documents, which nothing is drawn of."""
    precision: str
    """That was asked for: bf16 or fp32."""
    seed: int
    """The recipe's."""
    task: Mapping[str, str] | str | None
    """Version of lm-eval's task by its name, or, of several tasks, how the benchmark is asked."""
    data_sha256: str
    """Digest of the files that hold the problems."""
    generation: int
    """Version of generating."""
    model_sha256: str
    """What tells the model from others: a digest of its files, or the name that it is served by."""
    begin: bool | None = contracts.optional()
    """False where a prompt does not get the tokenizer's beginning token."""
    backend: str | None = contracts.optional()
    """What answered, where that is not the engine here; a server may move to another address."""
    computed: str | None = contracts.optional()
    """What the machine that generated computed in, where that is not ``precision``."""


def collect(spec: BenchmarkSpec, bench: "Bench", model_sha256: str) -> Settings:
    """The settings of a benchmark that a model is asked."""
    rolling = any(task.OUTPUT_TYPE == "loglikelihood_rolling" for task in bench.tasks.values())
    versions = {name: str(task.VERSION) for name, task in bench.tasks.items()}
    return Settings(
        benchmark=spec.benchmark,
        model=spec.model,
        format=spec.format,
        shots=spec.shots,
        decoding=Decoding() if rolling else spec.decoding,
        precision=spec.precision,
        seed=spec.seed,
        task=versions if len(versions) == 1 else spec.task,
        data_sha256=bench.source.sha256,
        generation=VERSION,
        model_sha256=model_sha256,
        begin=None if bench.begin else False,
        backend=None if spec.backend.name == "transformers" else spec.backend.name,
        computed=_computed(spec),
    )


def _computed(spec: BenchmarkSpec) -> str | None:
    """What this machine computes in, where that is not the precision that is asked for. It depends on
    the processor: whoever judges the generations elsewhere passes over it
    (``response_journal.refuse_other``)."""
    if spec.precision != "bf16" or spec.backend.name != "transformers":
        return None
    import torch

    from lemur.inference.precision import choose_device, choose_dtype

    dtype = choose_dtype(spec.precision, choose_device(spec.device))
    return "float32" if dtype == torch.float32 else None
