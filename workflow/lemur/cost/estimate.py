"""The cost of a resolved recipe as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from lemur.cost.agents import Playing, agents
from lemur.cost.architecture import parameters
from lemur.cost.checkpoints import Stall, checkpoint_stall
from lemur.cost.disk import checkpoint_bytes, disk, unresolved, unsized
from lemur.cost.fit import fits, misfits
from lemur.cost.flops import device_hours, training_flops
from lemur.cost.memory import host_memory, rank_memory
from lemur.cost.recipe import Recipe

# Where a recipe does not say: nothing is tokenized yet when the plan is made.
TOKENS_PER_EXAMPLE = 600
# Asked for over predicted: a job over its request is killed, one under it only waits. On a CPU the C
# allocator keeps up to a fifth more or less than predicted (tests/unit/training/test_memory.py).
HOST_MARGIN = {"cpu": 1.25, "cuda": 1.1}
# Asked for at least: reading and writing a small model takes more than training it.
LEAST_HOST_MB = 1_100


@dataclass(frozen=True)
class StageCost:
    """One stage of training. Memory in GB (10^9 bytes), a rank's unless it says host."""

    tokens: int
    steps: int
    ranks: int
    flops: Mapping[str, int]
    """By what they are spent on, and ``total``."""
    device_hours: float
    """Of one device."""
    days: float
    """Of the whole stage on its devices."""
    memory_gb: Mapping[str, float]
    """At its peak by what holds it, and ``total``."""
    host_memory_gb: float
    """Of one node."""
    checkpoint: Stall
    fits: bool


@dataclass(frozen=True)
class Mixed:
    """Tokens of pretraining by kind, and the share that is code."""

    code: int
    text: int
    code_share: float


@dataclass(frozen=True)
class Cost:
    """Everything that the plan knows of a resolved recipe. Disk in GB (10^9 bytes)."""

    recipe: str
    base: str
    parameters: Mapping[str, int]
    """Of the model by part, and ``total``."""
    mixture: Mixed
    stages: Mapping[str, StageCost]
    """pretrain and sft."""
    checkpoint_gb: float
    """Of one."""
    disk_gb: Mapping[str, float]
    """By stage, and ``total``."""
    agents: Playing | None
    unsized: tuple[str, ...]
    """Fetched without anybody having said how large it is."""
    unresolved: tuple[str, ...]
    """Without a hub revision yet."""
    misfits: tuple[str, ...]
    """A line each stage that does not fit its devices."""


def tokens_per_example(recipe: Recipe) -> int:
    """Mean tokens of a fine-tuning conversation, as the recipe assumes them."""
    given = recipe.cost.tokens_per_example
    return min(TOKENS_PER_EXAMPLE if given is None else given, recipe.sft.context)


def sft_tokens(recipe: Recipe) -> int:
    """Tokens that fine-tuning sees, estimated from the number of examples."""
    part = recipe.sft
    examples = min(part.max_examples, sum(source.examples for source in part.sources))
    return round(examples * tokens_per_example(recipe) * part.epochs)


def cost(recipe: Recipe) -> Cost:
    """The plan of a recipe."""
    tokens = {"pretrain": recipe.pretrain.tokens, "sft": sft_tokens(recipe)}
    given, ratio = recipe.mixture.code_share, recipe.mixture.code_to_text
    share = ratio / (ratio + 1) if given is None else float(Fraction(str(given)))
    code = round(recipe.pretrain.tokens * share)
    return Cost(
        recipe=recipe.name,
        base=recipe.base.name,
        parameters=parameters(recipe.base.architecture),
        mixture=Mixed(code, recipe.pretrain.tokens - code, share),
        stages={stage: _stage(recipe, stage, tokens[stage]) for stage in recipe.stages},
        checkpoint_gb=checkpoint_bytes(recipe) / 1e9,
        disk_gb={name: size / 1e9 for name, size in disk(recipe).items()},
        agents=agents(recipe),
        unsized=tuple(unsized(recipe)),
        unresolved=tuple(unresolved(recipe)),
        misfits=tuple(misfits(recipe)),
    )


def _stage(recipe: Recipe, stage: str, tokens: int) -> StageCost:
    shape, part, price = recipe.base.architecture, recipe.stage(stage), recipe.cost
    flops = training_flops(shape, tokens, part.context)
    hours = device_hours(flops["total"], price.device_tflops, price.utilisation)
    return StageCost(
        tokens=tokens,
        steps=-(-tokens // part.global_batch_tokens),
        ranks=part.parallel.ranks,
        flops=flops,
        device_hours=hours,
        days=hours / part.parallel.ranks / 24,
        memory_gb={name: size / 1e9 for name, size in rank_memory(shape, part).items()},
        host_memory_gb=host_memory(shape, part) / 1e9,
        checkpoint=checkpoint_stall(recipe, stage, tokens),
        fits=fits(recipe, part),
    )


def host_memory_mb(recipe: Recipe, stage: str) -> int:
    """Host memory to ask of one node for a training job, MB; ``stage``: pretrain or sft."""
    part = recipe.stage(stage)
    needed = host_memory(recipe.base.architecture, part)
    return max(LEAST_HOST_MB, round(HOST_MARGIN[part.parallel.device] * needed / 1e6))
