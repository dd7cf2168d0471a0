"""Whether a recipe fits its devices, and the nearest change that makes it fit."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lemur.core.errors import UserError
from lemur.cost.architecture import Architecture
from lemur.cost.memory import rank_memory
from lemur.cost.recipe import Parallel, Recipe, Training

# Values of a stage by their dotted keys.
Change = Mapping[str, int | str]
# Of `micro_batch_sequences: auto`: the share of a device that is filled, and the tokens of one pass
# beyond which a device is busy anyway (both chosen here).
FULL = 0.9
MOST_TOKENS = 65_536
MOST_NODES = 1024


def fits(recipe: Recipe, part: Training) -> bool:
    """Whether a rank's peak memory in a stage is within ``cost.device_memory_gb``."""
    return rank_memory(recipe.base.architecture, part)["total"] <= recipe.cost.memory


def largest_micro(shape: Architecture, part: Training, device_bytes: float) -> int:
    """What ``micro_batch_sequences: auto`` is: the most that ``device_bytes`` holds with a margin.

    A divisor of the sequences that a rank has of each step, so that the global batch stays what the
    recipe says; 1 where not even that fits, which ``check`` then refuses.
    """
    mine = part.global_batch_tokens // (part.context * part.parallel.ranks)
    best = 1
    for count in range(1, mine + 1):
        if mine % count or count * part.context > MOST_TOKENS:
            continue
        needed = rank_memory(shape, replace(part, micro_batch_sequences=count))["total"]
        if needed <= FULL * device_bytes:
            best = count
    return best


def nearest(recipe: Recipe, stage: str) -> Change | None:
    """The fewest changed values ``{dotted key: value}`` with which ``stage`` fits; None if none do.

    Among equally few the cheapest comes first: recomputing activations, a smaller micro batch, a
    higher ZeRO stage, more nodes, offloading. The global batch, and so the science, is kept.
    """
    best: tuple[tuple[int, int], Change] | None = None
    for order, change in enumerate(_changes(recipe.stage(stage))):
        rank = (len(change), order)
        if (best is None or rank < best[0]) and _allowed(recipe, stage, change):
            best = (rank, {f"{stage}.{key}": value for key, value in change.items()})
    return best[1] if best else None


def _changes(part: Training) -> Iterable[Change]:
    """Combinations of changed values, cheapest last value first."""
    parallel, sharded = part.parallel, part.engine == "deepspeed"
    choices: list[list[tuple[str, int | str]]] = [
        [("parallel.offload", x) for x in ("none", "optimizer", "parameters")],
        [("parallel.nodes", parallel.nodes * 2**x) for x in range(11)],
        [("parallel.zero_stage", x) for x in range(parallel.zero_stage, 4)],
        [("micro_batch_sequences", x) for x in range(part.micro_batch_sequences, 0, -1)],
        [("gradient_checkpointing", x) for x in {part.gradient_checkpointing: 0, True: 0}],
    ]
    if not sharded:
        choices = choices[3:]
    elif parallel.device == "cpu":
        choices = choices[1:]
    for values in itertools.product(*choices):
        change = {key: value for key, value in values if value != _now(part, key)}
        if change and _possible(_changed(part, change).parallel):
            yield change


def _possible(parallel: Parallel) -> bool:
    """DeepSpeed offloads an optimiser that it shards (stage 1 on), and parameters in stage 3."""
    least = {"none": 0, "optimizer": 1, "parameters": 3}[parallel.offload]
    return parallel.zero_stage >= least


def _now(part: Training, key: str) -> int | str:
    block, _, name = key.rpartition(".")
    value: int | str = getattr(part.parallel if block else part, name)
    return value


def _changed(part: Training, change: Change) -> Training:
    layout = {key.removeprefix("parallel."): change[key] for key in change if "." in key}
    own = {key: value for key, value in change.items() if "." not in key}
    return replace(part, parallel=replace(part.parallel, **layout), **own)


def _allowed(recipe: Recipe, stage: str, change: Change) -> bool:
    part = _changed(recipe.stage(stage), change)
    if part.parallel.nodes > MOST_NODES:
        return False
    unit = part.context * part.micro_batch_sequences * part.parallel.ranks
    return part.global_batch_tokens % unit == 0 and fits(recipe, part)


def misfits(recipe: Recipe) -> list[str]:
    """One line for each stage that does not fit, with the nearest change that does."""
    lines = []
    for stage, part in recipe.stages.items():
        if fits(recipe, part):
            continue
        needed = rank_memory(recipe.base.architecture, part)["total"] / 1e9
        has, device = recipe.cost.device_memory_gb, recipe.cost.device
        change = nearest(recipe, stage)
        shown = ", ".join(f"{key}: {_plain(value)}" for key, value in (change or {}).items())
        way = f"the nearest that fits is {shown}" if change else "no change of layout makes it fit"
        lines.append(
            f"{stage} of '{recipe.base.name}' needs {needed:,.1f} GB a rank and {device} "
            f"has {has:g} GB: {way}"
        )
    return lines


def _plain(value: int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(recipe: Recipe) -> None:
    """Raise ``UserError`` where a training stage cannot fit its devices."""
    lines = misfits(recipe)
    if lines:
        raise UserError(f"config/recipes/{recipe.name}.yaml: {'; '.join(lines)}")
