"""The plan as lines a person reads before the job table."""

from collections.abc import Mapping, Sequence

from lemur.cost.agents import agents_line
from lemur.cost.estimate import Cost, Mixed, StageCost, cost, tokens_per_example
from lemur.cost.recipe import Recipe


def summary(recipe: Recipe) -> list[str]:
    """About a dozen aligned lines on a resolved recipe, warnings last."""
    made = cost(recipe)
    stages, shape, sources = made.stages, recipe.base.architecture, recipe.corpus.sources
    jobs = sum(source.parts for source in sources)
    pretrain, mixed = recipe.pretrain, made.mixture
    rows = [
        ("base", f"{made.base}: {made.parameters['total']:,} parameters, "
                 f"{pretrain.context:,} of {shape.max_context:,} positions"),
        ("tokens", f"{pretrain.tokens:,} at code:text {_ratio(mixed)} "
                   f"({mixed.code:,} code, {mixed.text:,} text)"),
        ("corpus", f"{recipe.corpus.name}: {len(sources)} sources in {jobs} parts"),
        ("FLOPs", _flops(stages["pretrain"].flops)),
        *((stage, _training(recipe, made, stage)) for stage in stages),
        *(("memory", _memory(recipe, made, stage)) for stage in _distinct(stages)),
        ("checkpoint", f"{size(made.checkpoint_gb)} each, {pretrain.checkpoint.keep} kept, "
                       f"every {pretrain.checkpoint.every_steps:,} steps"),
        ("stall", _stall(made)),
        *(("agents", line) for line in agents_line(recipe)),
        ("disk", ", ".join(f"{name} {size(amount)}" for name, amount in made.disk_gb.items())),
        *(("no size", _names(made.unsized)) for _ in [0] if made.unsized),
        *(("unpinned", f"{_names(made.unresolved)}: no hub revision yet, so fetch refuses")
          for _ in [0] if made.unresolved),
        *(("warning", line) for line in made.misfits),
    ]  # fmt: skip
    width = max(len(label) for label, _ in rows)
    head = f"plan of recipe '{made.recipe}' (estimates; nothing has run)"
    return [head, *(f"  {label:<{width}}  {text}" for label, text in rows)]


def _ratio(mixed: Mixed) -> str:
    share = mixed.code_share
    return "1:0" if share == 1 else f"{round(share / (1 - share), 6):g}:1"


def size(gigabytes: float) -> str:
    """GB (10^9 bytes) as ``12 MB``, ``3.4 GB`` or ``1.2 TB``."""
    for unit, factor in (("TB", 1e-3), ("GB", 1.0)):
        amount = gigabytes * factor
        if amount >= 1:
            return f"{amount:,.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"
    return f"{gigabytes * 1e3:.3g} MB"


def duration(hours: float) -> str:
    """Hours as ``40 s``, ``12 min``, ``5.0 h`` or ``4.2 days``."""
    for unit, length in (("days", 24.0), ("h", 1.0), ("min", 1 / 60)):
        if hours >= 2 * length or (unit == "h" and hours >= 1):
            return f"{hours / length:,.1f} {unit}"
    return f"{hours * 3600:.0f} s"


def _flops(flops: Mapping[str, int]) -> str:
    return (
        f"{flops['total']:.2e} = {flops['parameters']:.2e} (6ND) "
        f"+ {flops['attention']:.2e} (attention)"
    )


def _training(recipe: Recipe, made: Cost, stage: str) -> str:
    part, price = made.stages[stage], recipe.cost
    about = f", {tokens_per_example(recipe)} tokens an example assumed" if stage == "sft" else ""
    mark = "" if price.mark is None else f", {price.mark}"
    hours = part.device_hours
    spent = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"
    unit = "GPU-hours" if recipe.stage(stage).on_gpus else "device-hours"
    return (
        f"{part.steps:,} steps of {recipe.stage(stage).global_batch_tokens:,} tokens on "
        f"{part.ranks} x {price.device}: {spent} {unit}, {duration(part.days * 24)} "
        f"at {price.utilisation:.0%} utilisation{mark}{about}"
    )


def _stall(made: Cost) -> str:
    found, ranks = made.stages["pretrain"].checkpoint, made.stages["pretrain"].ranks
    how = "until it is written" if ranks == 1 else "to copy a rank's part, then written meanwhile"
    seconds, share = found.seconds, 100 * found.share
    return (
        f"training stands still for {seconds:.2g} s a checkpoint ({share:.2g} % of its time): {how}"
    )


def _memory(recipe: Recipe, made: Cost, stage: str) -> str:
    parts = dict(made.stages[stage].memory_gb)
    total = parts.pop("total")
    zero = recipe.stage(stage).parallel.zero_stage
    named = ", ".join(f"{name} {amount:.1f}" for name, amount in parts.items())
    limit = recipe.cost.device_memory_gb
    return f"{total:.1f} of {limit:g} GB a rank in {stage}, ZeRO-{zero}: {named}"


def _distinct(stages: Mapping[str, StageCost]) -> list[str]:
    """Stages whose memory differs: one line is enough where it does not."""
    same = stages["pretrain"].memory_gb == stages["sft"].memory_gb
    return ["pretrain"] if same else list(stages)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
