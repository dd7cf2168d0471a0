"""What a scheduler is asked for: memory, time, CPUs, nodes and GPUs of each rule, from the recipe.

Nothing here knows of Snakemake or of a site; ``lemur.config.site`` turns an ``Ask`` into SLURM's words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lemur.core.errors import UserError, nearest
from lemur.cost.agents import played, seconds
from lemur.cost.architecture import Architecture, parameters
from lemur.cost.disk import checkpoint_bytes, download_bytes, text_bytes
from lemur.cost.estimate import cost, host_memory_mb
from lemur.cost.generation import generation_devices, generation_seconds
from lemur.cost.memory import host_memory
from lemur.cost.recipe import Base, Entry, Environment, Model, Recipe, Training

# A Snakemake stands beside the work in an allocation; set generously.
CONTROL_MB = 500
# Interpreters start and a shared file system is slow: no job asks for less.
LEAST_MINUTES = 10
# Assumed of a file system that several nodes share, MB/s: a checkpoint is written at this rate.
DISK_MB_PER_SECOND = 500
# Where nothing says how large a source is.
UNKNOWN_MB = 2_000
# For data loading and launching beside each GPU; customary.
CPUS_PER_GPU = 8
# What a preflight compiles kernels with (lemur.training.kernel_warmup): layers of the model, the compilers'
# memory, and minutes (a minute on two free cores; set generously).
TRIED_LAYERS = 2
COMPILERS_MB = 3_000
COMPILE_MINUTES = 20
# Of a process on CPUs where the recipe names no number: the cores that `mini` is measured on.
THREADS = 2
# Time asked for over time predicted: the plan's utilisation is an assumption.
MARGIN = 2.0


@dataclass(frozen=True)
class Ask:
    """One job. ``memory_mb`` and ``gpus`` are a node's; ``cpus`` are those of one node's process."""

    memory_mb: int
    minutes: int
    cpus: int = 1
    nodes: int = 1
    gpus: int = 0


@dataclass(frozen=True)
class Work:
    """How a rule grows with the text it reads: ``memory`` MB an MB of text, ``speed`` MB/s."""

    base_mb: int
    memory: float = 0.0
    speed: float = 1.0
    reads: str = "nothing"


# Set generously from the sizes at which `mini` runs; a job over its request is asked again with more.
WORK = {
    "download": Work(700, speed=5, reads="download"),
    "generate_mathematics": Work(1000, speed=0.005, reads="download"),
    "prepare_model": Work(1500, speed=50, reads="weights"),
    "clean": Work(1200, memory=2.0, speed=2, reads="part"),
    "signatures": Work(1500, memory=0.1, speed=10, reads="part"),
    # Hashes of documents and their places, not their text.
    "duplicates": Work(1500, memory=0.1, speed=50, reads="corpus"),
    "plan_mixture": Work(700),
    "write_checkpoint_model": Work(1500, speed=50, reads="weights"),
    "decontaminate": Work(2500, memory=0.02, speed=5, reads="corpus"),
    "heldout": Work(1500, memory=0.02, speed=50, reads="corpus"),
    "write_datasheet": Work(1500, memory=0.02, speed=50, reads="corpus"),
    "write_mixture_table": Work(1500, memory=0.02, speed=50, reads="corpus"),
    "tokenize": Work(1500, memory=3.0, speed=3, reads="part"),
    "pack": Work(1500, memory=0.1, speed=50, reads="corpus"),
    "conversations": Work(1500, memory=4.0, speed=1, reads="examples"),
    "heldout_conversations": Work(1500, memory=4.0, speed=1, reads="examples"),
    "sft_tokens": Work(1500, memory=4.0, speed=1, reads="examples"),
    "judge": Work(1500),
    "judge_episodes": Work(2000),
    "episode_pages": Work(1500),
    "export_episodes": Work(1500),
    "replay_records": Work(3000),
    "fetch_records": Work(700),
    "count_records": Work(1500),
    "compare_records": Work(700),
    "paper_figure": Work(700),
    "claims_table": Work(700),
    "loss": Work(700),
    "mixture_figure": Work(700),
    "scores_figure": Work(700),
    "foundation_table": Work(700),
    "action_bits_table": Work(1000),
    "draw_action_ranking": Work(1000),
    "agents_table": Work(1000),
    "agents_figure": Work(1000),
    "capability_table": Work(1000),
    "analyse_study": Work(1500),
    "draw_study": Work(700),
    "index": Work(700),
    "model_card": Work(700),
    "benchmark_samples": Work(2500),
    "export_scores": Work(1500),
    "export_trackio": Work(1000),
    "croissant": Work(1500, memory=0.02, speed=50, reads="corpus"),
    "report": Work(1500),
    "write_ro_crate": Work(700),
}
TRAINING = {"continue_pretraining": "pretrain", "supervised_fine_tuning": "sft"}
PREFLIGHT = {"preflight_pretrain": "pretrain", "preflight_sft": "sft"}
RULES = (*WORK, *TRAINING, *PREFLIGHT, "generate", "play")


def ask(
    recipe: Recipe,
    rule: str,
    entry: Entry | None = None,
    environments: Sequence[Environment] | None = None,
) -> Ask:
    """The first attempt's request of ``rule``.

    ``entry``: the pinned source that a job of one source reads (its share of it, by ``parts``), or
    the published model that is prepared or scored; one whose shape is not known is taken for the largest
    of the recipe's.
    ``environments``: those that a job of ``play`` plays, without them the recipe's.
    """
    if isinstance(entry, Model):
        recipe = replace(
            recipe, base=Base(**{**vars(entry), "architecture": _shape(recipe, entry)})
        )
    if rule in TRAINING:
        return _training(recipe, TRAINING[rule])
    if rule in PREFLIGHT:
        return _preflight(recipe, PREFLIGHT[rule])
    if rule == "generate":
        return _generation(recipe, generation_seconds(recipe, recipe.base.architecture))
    if rule == "play":
        everything = recipe.agents.environments if recipe.agents else ()
        listed = everything if environments is None else environments
        loaded = 2 if any(_taught(item) for item in listed) else 1
        return _generation(recipe, seconds(recipe, played(listed)), loaded)
    if rule not in WORK:
        raise UserError(f"resources: no rule '{rule}'{nearest(rule, RULES)}")
    work = WORK[rule]
    size = _megabytes(recipe, work.reads, entry or Entry())
    memory = CONTROL_MB + work.base_mb + work.memory * size
    if work.reads == "weights":
        # A hub's weights are taken over in 16 bits; others are turned to float32, copied, written.
        width = 2.5 if recipe.base.origin and recipe.base.origin.hub else 12
        memory += width * parameters(recipe.base.architecture)["total"] / 1e6
    minutes = LEAST_MINUTES + MARGIN * size / work.speed / 60
    return Ask(round(memory), round(minutes))


def _shape(recipe: Recipe, entry: Model) -> Architecture:
    known = [model.architecture for model in (recipe.base, *recipe.evaluate.baselines)]
    return entry.architecture or max(
        filter(None, known), key=lambda shape: parameters(shape)["total"]
    )


def again(first: Ask, attempt: int) -> Ask:
    """What attempt ``attempt`` (from 1) asks for: half as much memory and all the time more."""
    return Ask(
        round(first.memory_mb * (1 + 0.5 * (attempt - 1))),
        first.minutes * attempt,
        first.cpus,
        first.nodes,
        first.gpus,
    )


def ranks(recipe: Recipe, stage: str) -> tuple[int, int]:
    """(nodes, processes on each) of a training stage."""
    parallel = recipe.stage(stage).parallel
    return parallel.nodes, parallel.processes_per_node


def compiles(recipe: Recipe, stage: str) -> bool:
    """Whether kernels may be compiled where a stage runs: torch.compile's, or on a GPU Liger's."""
    part = recipe.stage(stage)
    return part.compile or part.on_gpus


def threads(recipe: Recipe, stage: str) -> int:
    """Threads of one process of ``pretrain``, ``sft`` or ``evaluate``."""
    part = recipe.evaluate if stage == "evaluate" else recipe.stage(stage)
    return THREADS if part.threads is None else part.threads


def grace_seconds(recipe: Recipe, stage: str) -> int:
    """Seconds before its time limit at which a training job is told to write a checkpoint.

    Two steps (the one under way, and slack), the checkpoint twice, and half a minute.
    """
    made = cost(recipe).stages[stage]
    step = made.days * 86_400 / max(1, made.steps)
    written = checkpoint_bytes(recipe) / 1e6 / DISK_MB_PER_SECOND
    return round(30 + 2 * step + 2 * written)


def disk_needed(recipe: Recipe, stage: str) -> int:
    """Bytes that a stage writes at most: its checkpoints, one being written, and the model."""
    part = recipe.stage(stage)
    kept = part.checkpoint.keep + 1
    model = part.width * parameters(recipe.base.architecture)["total"]
    return kept * checkpoint_bytes(recipe) + model


def _megabytes(recipe: Recipe, reads: str, entry: Entry) -> float:
    """MB that a job reads."""
    if reads == "download":
        size = download_bytes(entry)
        return (UNKNOWN_MB if size is None else size / 1e6) / entry.parts
    if reads == "part":
        return _text_mb(entry) / entry.parts
    if reads == "corpus":
        return sum(_text_mb(source) for source in recipe.corpus.sources)
    if reads == "examples":  # about two KB of text each
        return sum(source.examples for source in recipe.sft.sources) * 2e-3
    if reads == "weights":
        return 4 * parameters(recipe.base.architecture)["total"] / 1e6
    return 0.0


def _text_mb(source: Entry) -> float:
    size = text_bytes(source)
    return UNKNOWN_MB if size is None else size / 1e6


def _cpus(part: Training) -> int:
    threads = THREADS if part.threads is None else part.threads
    return (CPUS_PER_GPU if part.on_gpus else threads) * part.parallel.processes_per_node


def _training(recipe: Recipe, stage: str) -> Ask:
    part, made = recipe.stage(stage), cost(recipe).stages[stage]
    nodes, each = ranks(recipe, stage)
    return Ask(
        memory_mb=CONTROL_MB + host_memory_mb(recipe, stage),
        minutes=round(LEAST_MINUTES + MARGIN * made.days * 24 * 60),
        cpus=_cpus(part),
        nodes=nodes,
        gpus=each if part.on_gpus else 0,
    )


def _preflight(recipe: Recipe, stage: str) -> Ask:
    part, (nodes, each) = recipe.stage(stage), ranks(recipe, stage)
    gpus = each if part.on_gpus else 0
    memory, minutes = CONTROL_MB + each * (3_000 if gpus else 800), LEAST_MINUTES
    if compiles(recipe, stage):  # two layers are trained for a step, while compilers run
        cut = replace(recipe.base.architecture, layers=TRIED_LAYERS)
        made = each * 4 * parameters(cut)["total"]  # in float32, before it is on its device
        memory += round((made + host_memory(cut, part)) / 1e6) + COMPILERS_MB
        minutes += COMPILE_MINUTES
    return Ask(memory, minutes, _cpus(part), nodes, gpus)


def _taught(environment: Environment) -> bool:
    """Whether a model of the recipe gives feedback in an environment, and is loaded beside who plays."""
    return environment.feedback is not None and environment.feedback.server is None


def _generation(recipe: Recipe, needed: float, loaded: int = 1) -> Ask:
    """A model that answers for ``needed`` seconds: on a GPU where training is, else on the CPU.
    ``loaded``: models of its size that are loaded."""
    shape = recipe.base.architecture
    count = parameters(shape)["total"]
    weights = loaded * recipe.evaluate.width * count
    minutes = round(LEAST_MINUTES + MARGIN * needed / 60)
    if recipe.pretrain.on_gpus:
        gpus = generation_devices(recipe, shape, loaded)
        memory = CONTROL_MB + 4_000 + weights / 1e6
        return Ask(round(memory), minutes, CPUS_PER_GPU * gpus, 1, gpus)
    memory = CONTROL_MB + 2_000 + loaded * 2 * 4 * count / 1e6
    return Ask(round(memory), minutes, threads(recipe, "evaluate"))
