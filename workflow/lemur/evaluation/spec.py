"""How one model is asked one benchmark: what the ``--spec`` of generating and of judging says of it."""

import dataclasses
import sys

from lemur.config.address import checked_url
from lemur.core import contracts
from lemur.core.errors import UserError

LONGEST_ANSWER = 256  # tokens, where nothing is said
_MOST = sys.float_info.max


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How answers are drawn. A whole number stays one, so that a recipe's text decides what is recorded."""

    max_new_tokens: int | None = contracts.optional()
    """Tokens of the longest answer."""
    temperature: int | float | None = contracts.optional()
    """0 is greedy."""
    top_p: int | float | None = contracts.optional()
    """The nucleus: above 0, at most 1."""
    samples: int | None = contracts.optional()
    """Answers to each problem, where these are several."""
    stop: tuple[str, ...] | None = contracts.optional()
    """Texts that end an answer, where these are not the benchmark's own."""


@dataclasses.dataclass(frozen=True)
class BackendSpec:
    """What answers, where that is not the engine here."""

    name: str = "transformers"
    """transformers, vllm or server."""
    url: str | None = None
    """Of a server: where it listens."""
    served: str | None = None
    """Of a server: the name that it serves the model by."""


@dataclasses.dataclass(frozen=True)
class SandboxSpec:
    """Limits on a program that a model wrote; null takes the sandbox's own."""

    seconds: float | None = None
    """Of processor time."""
    memory_mb: int | None = None
    """Of memory, in MiB."""


@dataclasses.dataclass(frozen=True)
class BenchmarkSpec:
    """One model and one benchmark, and how it is asked."""

    benchmark: str
    """Its name in config/benchmarks.yaml."""
    model: str
    """Its name in the recipe."""
    format: str
    """Of the prompt: completion or chatml."""
    decoding: Decoding
    """How answers are drawn."""
    precision: str
    """Of generation: bf16 or fp32."""
    seed: int
    """The recipe's."""
    task: str | None = None
    """Which <task>.yaml says how it is asked; by default the benchmark's name."""
    path: str | None = None
    """The folder of a benchmark of one's own."""
    limit: int | None = None
    """Problems that are asked; null for all."""
    shots: int = 0
    """Solved examples in the prompt."""
    batch: int = 1
    """Prompts that are decoded together."""
    version: int | str = 1
    """Of the prompts and the judge."""
    device: str | None = None
    """Where the engine here computes: cpu or cuda; null for the best there is."""
    backend: BackendSpec = BackendSpec()
    """What answers."""
    sandbox: SandboxSpec = SandboxSpec()
    """Limits on the programs that are judged."""
    available: bool = True
    """Whether the benchmark can be asked at all."""
    reason: str | None = None
    """Why it cannot."""

    @classmethod
    def parse(cls, given: object) -> "BenchmarkSpec":
        """From a stage's settings; what an entry of config/benchmarks.yaml says to other stages is passed
        over.

        Raises:
            UserError: one line that names what is missing, or not of its type or out of its bounds.
        """
        spec = contracts.part(cls, given, "--spec")
        if not spec.available:
            raise UserError(f"benchmark '{spec.benchmark}' cannot run: {spec.reason}")
        spec._check_bounds()
        if spec.backend.name == "server":
            for name, value in (("url", spec.backend.url), ("served", spec.backend.served)):
                if not value:
                    raise UserError(f"--spec: backend: {name} is missing: a server needs it")
            checked_url(str(spec.backend.url), "--spec: backend: url")
        return spec

    def _check_bounds(self) -> None:
        for key, value, least, most in (
            ("limit", self.limit, 1, _MOST),
            ("shots", self.shots, 0, _MOST),
            ("batch", self.batch, 1, _MOST),
            ("seed", self.seed, 0, _MOST),
            ("decoding: max_new_tokens", self.decoding.max_new_tokens, 1, _MOST),
            ("decoding: temperature", self.decoding.temperature, 0, _MOST),
            ("decoding: top_p", self.decoding.top_p, 1e-9, 1),
            ("decoding: samples", self.decoding.samples, 1, _MOST),
            ("sandbox: seconds", self.sandbox.seconds, 0.001, _MOST),
            ("sandbox: memory_mb", self.sandbox.memory_mb, 1, _MOST),
        ):
            if value is not None and not least <= value <= most:
                above = "" if most == _MOST else f" and at most {most}"
                raise UserError(f"--spec: {key}: {value} is not at least {least}{above}")
