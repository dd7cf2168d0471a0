"""The settings of a training stage, checked once, so that the loop can trust them."""

from dataclasses import dataclass
from typing import Any

from lemur.config.engine import engine_for
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.core.provenance import digest
from lemur.training.lr_schedule import NAMES as SCHEDULES
from lemur.training.lr_schedule import Schedule, warmup_steps
from lemur.training.settings_reader import Reader

# What does not change what is learned (world size, engine, checkpoints, threads) may differ
# between an interrupted run and the one that continues it.
HOW = (
    "engine",
    "parallel",
    "checkpoint",
    "threads",
    "attention",
    "gradient_checkpointing",
    "micro_batch_sequences",
    "compile",
    "deterministic",
    "cross_entropy",
    "generated_data",
)
LINEAR = "all-linear"  # peft's word for every linear layer but the output
DEVICES = ("cpu", "cuda")


# A stage's settings as the rules pass them, before ``parse`` makes a ``Spec`` of them.


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): ``targets`` are names of layers."""

    rank: int
    alpha: float
    dropout: float
    targets: tuple[str, ...] | str


@dataclass(frozen=True)
class Spec:
    """One stage. Tokens count positions of packed sequences, padding included.

    ``raw`` is the mapping it was made from; ``micro`` sequences go through one forward pass of
    one rank.
    """

    raw: Values
    stage: str
    recipe: str
    seed: int
    tokens: int | None
    epochs: float | None
    context: int
    global_batch_tokens: int
    micro: int
    learning_rate: float
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float
    clip: float
    schedule: str
    warmup: float
    warmup_tokens: int | None
    warmup_steps: int | None
    decay: float
    final: float
    z_loss: float
    max_skipped: int
    lora: Lora | None
    precision: str
    engine: str
    device: str
    world: int
    zero_stage: int
    offload: str
    timeout_seconds: int
    gradient_checkpointing: bool
    attention: str
    compile: bool
    deterministic: bool
    cross_entropy: str
    every_steps: int
    keep: int
    keep_every_tokens: int | None
    keep_at: tuple[int, ...]
    vocabulary: str
    threads: int | None

    @property
    def sequences(self) -> int:
        """Sequences of one optimiser step, over all ranks."""
        return self.global_batch_tokens // self.context

    @property
    def kept_steps(self) -> float | None:
        """Optimiser steps between checkpoints that are never pruned."""
        every = self.keep_every_tokens
        return None if every is None else every / self.global_batch_tokens

    def schedule_of(self, steps: int) -> Schedule:
        """The learning rate of a run of ``steps``; a warm-up in tokens is rounded to whole steps."""
        rising = warmup_steps(steps, self.warmup)
        for name, value in (
            ("warmup_tokens", self.warmup_tokens),
            ("warmup_steps", self.warmup_steps),
        ):
            if value is None:
                continue
            whole = self.global_batch_tokens if name == "warmup_tokens" else 1
            if value > steps * whole:
                raise UserError(
                    f"{self.key('schedule')}.{name}: {value} is more than the {steps * whole} of the run"
                )
            rising = (value + whole // 2) // whole
        falling = warmup_steps(steps, self.decay)
        return Schedule(self.schedule, self.learning_rate, steps, rising, falling, self.final)

    def key(self, name: str) -> str:
        """A setting as it is written in a recipe, for messages."""
        return f"{self.stage}.{name}"

    def fingerprint(self, model: Any, data: Any) -> str:
        """Names the run that a checkpoint belongs to: same settings, same start, same data."""
        what = {key: value for key, value in self.raw.items() if key not in HOW}
        return digest({"spec": what, "model": model, "data": data})[:16]


def parse(values: Values) -> Spec:
    """Settings as the rules pass them (see ``scripts/4_pretrain/pretrain.py --help``)."""
    stage = values.get("stage") if isinstance(values, dict) else None
    if stage not in ("pretrain", "sft"):
        raise UserError(f"spec: stage: {stage!r}{nearest(str(stage), ('pretrain', 'sft'))}")
    top = Reader(values, stage)
    top.read.add("stage")
    top.read.add("generated_data")  # for the model's card alone
    optimizer, schedule = top.inside("optimizer"), top.inside("schedule")
    parallel, checkpoint = top.inside("parallel"), top.inside("checkpoint")
    optimizer.one_of("name", ("adamw",))
    betas = optimizer.take("betas", list)
    if len(betas) != 2 or not all(isinstance(b, int | float) and 0 <= b < 1 for b in betas):
        raise UserError(f"{stage}.optimizer.betas: {betas} is not two numbers from 0 to below 1")
    ranks = parallel.take("nodes", int, 1) * parallel.take("processes_per_node", int, 1)
    device = parallel.one_of("device", DEVICES)
    spec = Spec(
        raw=values,
        stage=stage,
        recipe=top.take("recipe", str),
        seed=top.take("seed", int, 0),
        tokens=top.take("tokens", int, 1, default=None),
        epochs=top.take("epochs", float, 0.0, default=None),
        context=top.take("context", int, 2),
        global_batch_tokens=top.take("global_batch_tokens", int, 1),
        micro=top.take("micro_batch_sequences", int, 1),
        learning_rate=optimizer.take("learning_rate", float, 0.0),
        betas=(float(betas[0]), float(betas[1])),
        epsilon=optimizer.take("epsilon", float, 0.0),
        weight_decay=optimizer.take("weight_decay", float, 0.0),
        clip=optimizer.take("clip", float, 0.0),
        schedule=schedule.one_of("name", SCHEDULES),
        warmup=schedule.take("warmup", float, 0.0),
        warmup_tokens=schedule.take("warmup_tokens", int, 0, default=None),
        warmup_steps=schedule.take("warmup_steps", int, 0, default=None),
        decay=schedule.take("decay", float, 0.0, default=0.2),
        final=schedule.take("final", float, 0.0),
        z_loss=top.take("z_loss", float, 0.0, default=0.0),
        max_skipped=top.take("max_skipped", int, 1, default=3),
        lora=_lora(top),
        precision=top.one_of("precision", ("bf16", "fp32")),
        engine=engine_for(top.one_of("engine", ("auto", "torch", "deepspeed")), device, ranks),
        device=device,
        world=ranks,
        zero_stage=parallel.take("zero_stage", int, 0),
        offload=parallel.one_of("offload", ("none", "optimizer", "parameters"), "none"),
        timeout_seconds=parallel.take("timeout_seconds", int, 1, default=1_800),
        gradient_checkpointing=top.take("gradient_checkpointing", bool, default=False),
        attention=top.one_of("attention", ("auto", "sdpa", "flash"), "auto"),
        compile=top.take("compile", bool, default=False),
        deterministic=top.take("deterministic", bool, default=False),
        cross_entropy=top.one_of("cross_entropy", ("auto", "chunked", "liger"), "auto"),
        every_steps=checkpoint.take("every_steps", int, 1),
        keep=checkpoint.take("keep", int, 1),
        keep_every_tokens=checkpoint.take("keep_every_tokens", int, 1, default=None),
        keep_at=_steps(checkpoint),
        vocabulary=top.take("vocabulary", str, default=None) or "keep",
        threads=top.take("threads", int, 1, default=None),
    )
    for reader in (top, optimizer, schedule, parallel, checkpoint):
        reader.finish()
    _agree(spec)
    if schedule.values.get("decay") is not None and spec.schedule != "wsd":
        raise UserError(f"{spec.key('schedule.decay')}: belongs to wsd, not to {spec.schedule}")
    return spec


def _steps(checkpoint: Reader) -> tuple[int, ...]:
    """``keep_at``: steps after which a checkpoint is kept for good."""
    given = checkpoint.values.get("keep_at") or []
    checkpoint.read.add("keep_at")
    if not isinstance(given, list) or not all(type(x) is int and x > 0 for x in given):
        raise UserError(f"checkpoint.keep_at: {given!r} is not a list of steps, from 1")
    return tuple(given)


def _lora(top: Reader) -> Lora | None:
    """``lora``: {rank, alpha, dropout, targets}, or null for full training."""
    if top.values.get("lora") is None:
        top.read.add("lora")
        return None
    given = top.inside("lora")
    targets = given.values.get("targets", LINEAR)
    given.read.add("targets")
    named = isinstance(targets, list) and targets and all(isinstance(x, str) for x in targets)
    if targets != LINEAR and not named:
        raise UserError(
            f"{top.stage}.lora.targets: {targets!r} is neither '{LINEAR}' nor a list of layer names"
        )
    made = Lora(
        rank=given.take("rank", int, 1),
        alpha=given.take("alpha", float, 0.0),
        dropout=given.take("dropout", float, 0.0, default=0.0),
        targets=tuple(targets) if named else targets,
    )
    given.finish()
    if made.dropout >= 1:
        raise UserError(f"{top.stage}.lora.dropout: {made.dropout:g} is not below 1")
    return made


def _agree(spec: Spec) -> None:
    """Settings that must fit each other."""
    key = spec.key
    if (spec.tokens is None) == (spec.epochs is None):
        raise UserError(f"{key('tokens')} or {key('epochs')}: give one of them")
    if spec.warmup > 1 or spec.final > 1 or spec.decay > 1:
        raise UserError(f"{key('schedule')}: warmup, decay and final are shares, from 0 to 1")
    if spec.warmup_tokens is not None and spec.warmup_steps is not None:
        raise UserError(f"{key('schedule')}: give warmup_tokens or warmup_steps, not both")
    if spec.compile and spec.zero_stage == 3:
        raise UserError(
            f"{key('compile')}: true does not go with parallel.zero_stage 3: take 1 or 2"
        )
    if spec.vocabulary not in ("keep", "chatml"):
        raise UserError(
            f"{key('vocabulary')}: '{spec.vocabulary}'{nearest(spec.vocabulary, ('keep', 'chatml'))}"
        )
    unit = spec.context * spec.micro * spec.world
    if spec.global_batch_tokens % unit:
        raise UserError(
            f"{key('global_batch_tokens')}: {spec.global_batch_tokens} is not a multiple of context x "
            f"micro_batch_sequences x ranks = {spec.context} x {spec.micro} x {spec.world} = {unit}"
        )
    if spec.tokens is not None and spec.tokens < spec.global_batch_tokens:
        raise UserError(
            f"{key('tokens')}: {spec.tokens} is less than one step of {spec.global_batch_tokens}"
        )
    if spec.engine == "torch" and spec.world > 1:
        raise UserError(
            f"{key('engine')}: torch runs one process, {spec.world} ranks need deepspeed"
        )
    if spec.engine == "deepspeed" and spec.zero_stage not in (1, 2, 3):
        raise UserError(
            f"{key('parallel.zero_stage')}: {spec.zero_stage}: deepspeed takes 1, 2 or 3"
        )
    if spec.offload == "parameters" and spec.zero_stage != 3:
        raise UserError(
            f"{key('parallel.offload')}: parameters are kept in host memory by zero_stage 3 alone, "
            f"here it is {spec.zero_stage}"
        )
