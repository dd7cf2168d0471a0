"""The settings of a training stage, checked once, so that the loop can trust them."""

from dataclasses import dataclass
from typing import Any

from lemur.errors import UserError, nearest
from lemur.provenance import digest

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
)
SCHEDULES = ("cosine", "linear", "constant")
DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class Spec:
    """One stage. Tokens count positions of packed sequences, padding included.

    ``raw`` is the mapping it was made from; ``micro`` sequences go through one forward pass of
    one rank.
    """

    raw: dict[str, Any]
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
    final: float
    precision: str
    engine: str
    device: str
    world: int
    zero_stage: int
    offload: str
    gradient_checkpointing: bool
    attention: str
    every_steps: int
    keep: int
    vocabulary: str
    threads: int | None

    @property
    def sequences(self) -> int:
        """Sequences of one optimiser step, over all ranks."""
        return self.global_batch_tokens // self.context

    def key(self, name: str) -> str:
        """A setting as it is written in a recipe, for messages."""
        return f"{self.stage}.{name}"

    def fingerprint(self, model: Any, data: Any) -> str:
        """Names the run that a checkpoint belongs to: same settings, same start, same data."""
        what = {key: value for key, value in self.raw.items() if key not in HOW}
        return digest({"spec": what, "model": model, "data": data})[:16]


class _Reader:
    """Takes settings out of nested mappings; what is missing, left over or wrong is named."""

    def __init__(self, values: Any, stage: str, path: str = ""):
        self.values, self.stage, self.path, self.read = values, stage, path, set()
        if not isinstance(values, dict):
            raise UserError(f"{stage}.{path or 'spec'}: expected a mapping, got {values!r}")

    def _where(self, key: str) -> str:
        return f"{self.stage}.{self.path}{key}"

    def take(self, key: str, kind: type, low: float | None = None, default: Any = ...) -> Any:
        self.read.add(key)
        if key not in self.values:
            if default is ...:
                raise UserError(f"{self._where(key)} is missing")
            return default
        value = self.values[key]
        if value is None and default is None:
            return None
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise UserError(f"{self._where(key)}: {value!r} is not of type {kind.__name__}")
        if low is not None and value < low:
            raise UserError(f"{self._where(key)}: {value} is below {low}")
        return value

    def one_of(self, key: str, allowed: tuple[str, ...], default: Any = ...) -> str:
        value = self.take(key, str, default=default)
        if value not in allowed:
            raise UserError(f"{self._where(key)}: '{value}'{nearest(value, allowed)}")
        return value

    def inside(self, key: str) -> "_Reader":
        self.read.add(key)
        if key not in self.values:
            raise UserError(f"{self._where(key)} is missing")
        return _Reader(self.values[key], self.stage, f"{self.path}{key}.")

    def finish(self) -> None:
        for key in self.values:
            if key not in self.read:
                raise UserError(f"{self._where(key)}: unknown key{nearest(key, self.read)}")


def parse(values: dict[str, Any]) -> Spec:
    """Settings as the rules pass them (see ``scripts/4_pretrain/pretrain.py --help``)."""
    stage = values.get("stage") if isinstance(values, dict) else None
    if stage not in ("pretrain", "sft"):
        raise UserError(f"spec: stage: {stage!r}{nearest(str(stage), ('pretrain', 'sft'))}")
    top = _Reader(values, stage)
    top.read.add("stage")
    optimizer, schedule = top.inside("optimizer"), top.inside("schedule")
    parallel, checkpoint = top.inside("parallel"), top.inside("checkpoint")
    optimizer.one_of("name", ("adamw",))
    betas = optimizer.take("betas", list)
    if len(betas) != 2 or not all(isinstance(b, int | float) and 0 <= b < 1 for b in betas):
        raise UserError(f"{stage}.optimizer.betas: {betas} is not two numbers from 0 to below 1")
    ranks = parallel.take("nodes", int, 1) * parallel.take("processes_per_node", int, 1)
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
        final=schedule.take("final", float, 0.0),
        precision=top.one_of("precision", ("bf16", "fp32")),
        engine=top.one_of("engine", ("torch", "deepspeed")),
        device=parallel.one_of("device", DEVICES),
        world=ranks,
        zero_stage=parallel.take("zero_stage", int, 0),
        offload=parallel.one_of("offload", ("none", "optimizer", "parameters"), "none"),
        gradient_checkpointing=top.take("gradient_checkpointing", bool, default=False),
        attention=top.one_of("attention", ("auto", "sdpa", "flash"), "auto"),
        every_steps=checkpoint.take("every_steps", int, 1),
        keep=checkpoint.take("keep", int, 1),
        vocabulary=top.take("vocabulary", str, default=None) or "keep",
        threads=top.take("threads", int, 1, default=None),
    )
    for reader in (top, optimizer, schedule, parallel, checkpoint):
        reader.finish()
    _agree(spec)
    return spec


def _agree(spec: Spec) -> None:
    """Settings that must fit each other."""
    key = spec.key
    if (spec.tokens is None) == (spec.epochs is None):
        raise UserError(f"{key('tokens')} or {key('epochs')}: give one of them")
    if spec.warmup > 1 or spec.final > 1:
        raise UserError(f"{key('schedule')}: warmup and final are shares, from 0 to 1")
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
