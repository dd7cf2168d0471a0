"""A resolved recipe as types: the values that memory, time, disk and requests follow from.

``planned`` reads them once from the recipe's JSON, which its schema has checked; no plan depends on
what else a recipe says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lemur.core.contracts import optional, part
from lemur.cost.architecture import Architecture

# Tasks of an environment of which nothing says how many it has.
TASKS = 100


@dataclass(frozen=True)
class File:
    """A file whose ``size`` in bytes is pinned."""

    size: int


@dataclass(frozen=True)
class Origin:
    """Where something is fetched from, as far as a plan depends on it."""

    hub: str | None = None
    revision: str | None = None
    """Of the hub; "unresolved" until somebody has looked it up."""
    files: tuple[File | str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """Of what nobody has fetched yet, in GB (10^9 bytes)."""

    download_gb: float
    text_gb: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that is fetched: a source of the corpus, the data of a benchmark."""

    name: str = ""
    origin: Origin | None = optional("from")
    size: int | None = None
    """Bytes of the download, where they are pinned for the whole."""
    estimate: Estimate | None = None
    parts: int = 1
    """Jobs that share it."""
    max_mb: float | None = None
    """Million bytes of text that are kept at most."""

    @property
    def unresolved(self) -> bool:
        """Whether nobody has looked up the hub's revision yet."""
        return self.origin is not None and self.origin.revision == "unresolved"


@dataclass(frozen=True, kw_only=True)
class Model(Entry):
    """A published model: prepared, or scored."""

    architecture: Architecture | None = None
    format: str = ""
    """How it is asked: completion or chatml."""


@dataclass(frozen=True, kw_only=True)
class Base(Model):
    """The model that training starts from."""

    architecture: Architecture


@dataclass(frozen=True, kw_only=True)
class Instructions(Entry):
    """A source of conversations, of which ``examples`` are taken at most."""

    examples: int


@dataclass(frozen=True)
class Corpus:
    """The cleaned corpus that a recipe reads."""

    name: str
    sources: tuple[Entry, ...]


@dataclass(frozen=True)
class Mixture:
    """Code to text in tokens, or the share of tokens that is code in its place."""

    code_to_text: float
    code_share: str | float | None = None


@dataclass(frozen=True)
class Parallel:
    """How training is spread over devices."""

    device: str
    """cpu or cuda."""
    nodes: int
    processes_per_node: int
    zero_stage: int
    offload: str = "none"
    """To host memory: none, optimizer, parameters."""

    @property
    def ranks(self) -> int:
        """Processes in all, each with a device of its own."""
        return self.nodes * self.processes_per_node


@dataclass(frozen=True)
class Checkpoint:
    """Every so many optimiser steps; the last ``keep`` are kept."""

    every_steps: int
    keep: int


@dataclass(frozen=True)
class Lora:
    """Adapters of this rank on every linear layer."""

    rank: int


@dataclass(frozen=True, kw_only=True)
class Training:
    """One stage of training. Lengths and batches in tokens."""

    context: int
    global_batch_tokens: int
    micro_batch_sequences: int
    """Sequences of one forward pass of one rank."""
    precision: str
    """bf16 or fp32."""
    engine: str
    """torch or deepspeed."""
    gradient_checkpointing: bool = False
    parallel: Parallel
    checkpoint: Checkpoint
    lora: Lora | None = None
    compile: bool = False
    threads: int | None = None
    """Of one process on a CPU."""

    @property
    def width(self) -> int:
        """Bytes of a number that is computed with."""
        return 4 if self.precision == "fp32" else 2

    @property
    def on_gpus(self) -> bool:
        """Whether its devices are GPUs."""
        return self.parallel.device == "cuda"


@dataclass(frozen=True, kw_only=True)
class Pretraining(Training):
    """Continued pretraining on ``tokens``, padding included."""

    tokens: int


@dataclass(frozen=True, kw_only=True)
class FineTuning(Training):
    """Supervised fine-tuning on at most ``max_examples`` conversations, ``epochs`` times."""

    epochs: float
    max_examples: int
    sources: tuple[Instructions, ...]


@dataclass(frozen=True)
class Decoding:
    """At most so many tokens an answer."""

    max_new_tokens: int


@dataclass(frozen=True)
class Benchmark:
    """What is scored: ``limit`` of its ``problems``, or all."""

    name: str
    data: Entry
    decoding: Decoding | None = None
    limit: int | None = None
    problems: int | None = None

    @property
    def asked(self) -> int | None:
        """Problems that a model is asked; None where nothing says how many there are."""
        return self.limit or self.problems


@dataclass(frozen=True)
class Evaluation:
    """Which models are scored, and on what."""

    benchmarks: tuple[Benchmark, ...]
    precision: str = "bf16"
    models: tuple[str, ...] = ()
    baselines: tuple[Model, ...] = ()
    """Published models beside the run's own."""
    threads: int | None = None

    @property
    def width(self) -> int:
        """Bytes of a weight."""
        return 4 if self.precision == "fp32" else 2


@dataclass(frozen=True)
class Limits:
    """Of one episode: turns, or actions of a browser."""

    turns: int | None = None
    steps: int | None = None

    @property
    def most(self) -> int:
        """How often a model answers at most."""
        return next((limit for limit in (self.turns, self.steps) if limit is not None), 1)


@dataclass(frozen=True)
class Feedback:
    """Of a model: the recipe's own, or one that a server has."""

    server: str | None = None


@dataclass(frozen=True)
class Environment:
    """What models play: ``limit`` of its ``tasks``, or all."""

    settings: Limits
    name: str = ""
    tasks: int = TASKS
    limit: int | None = None
    max_new_tokens: int = 512
    """Of an answer."""
    models: tuple[str, ...] | None = None
    """Who plays here, where that is not who plays everywhere."""
    feedback: Feedback | None = None


@dataclass(frozen=True)
class Agents:
    """The environments of a recipe, and who plays in them."""

    environments: tuple[Environment, ...]
    models: tuple[str, ...]


@dataclass(frozen=True)
class Price:
    """What the plan assumes of one device."""

    device: str
    device_tflops: float
    """At its peak, TFLOP/s."""
    utilisation: float
    """The share of the peak that training reaches."""
    device_memory_gb: float
    """GB (10^9 bytes)."""
    mark: str | None = None
    """Whether the numbers are measured or assumed."""
    tokens_per_example: int | None = None

    @property
    def memory(self) -> float:
        """Bytes of one device."""
        return self.device_memory_gb * 1e9


@dataclass(frozen=True)
class Recipe:
    """The whole."""

    name: str
    base: Base
    corpus: Corpus
    mixture: Mixture
    pretrain: Pretraining
    sft: FineTuning
    evaluate: Evaluation
    cost: Price
    agents: Agents | None = None

    def stage(self, name: str) -> Training:
        """``pretrain`` or ``sft``."""
        return self.pretrain if name == "pretrain" else self.sft

    @property
    def stages(self) -> Mapping[str, Training]:
        """Both stages of training, in their order."""
        return {"pretrain": self.pretrain, "sft": self.sft}


def planned(recipe: object) -> Recipe:
    """The view of a resolved recipe."""
    return part(Recipe, recipe, "recipe")
