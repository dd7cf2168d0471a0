"""Parts train-*: one model size through the project's loop, in turns with a bare loop and the Trainer.

All three live in one process, since on a lent device each start would cost more than what it
measures. The project's own loop holds the reins: its meter is told when a step begins, and after each
block of steps lets the other two have theirs. Their ratio in a turn is of medians, and its interval
is over the turns (bench.ratios).
"""

import contextlib
import gc
import importlib.util
import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import torch
from bench import ratios, training_runs
from bench.train import GOALS
from bench.training_runs import Bare, Clock, Work, data, model_folder, spec
from lemur.config.model_shape import read_shape
from lemur.core.files import read_json
from lemur.cost.memory import rank_memory
from lemur.tokenization.packed import PackedDataset
from lemur.training import trainer
from lemur.training.engines.registry import build
from lemur.training.model import load
from lemur.training.settings import parse
from lemur.training.throughput import Meter, model_flops_a_token

from gpu.report import Line, absent, at_least, fact, holds, ratio

# (tokens a step, tokens a forward pass) by size. Two passes a step at 1B, so that the update of 1.2
# billion weights is no larger a share than it has to be in the time that there is.
BATCH = {"13m": (65_536, 16_384), "135m": (65_536, 16_384), "1b": (16_384, 8_192)}
CONTEXTS = (2_048, 4_096)
TINY_CONTEXTS, TINY_BATCH, TINY_TURNS = (64,), (128, 64), 1
# With --tiny one model stands for every size: compiling it, and without chance, is tried once.
TINY_WHOLE = "13m"
# Steps of a block, of which the first warms up what the other sides have cooled down.
BLOCK, TURNS, LEAST_TURNS = 3, 5, 3
# Seconds under which a case does not begin: (without compiling, with, and with all sides compiling).
NEEDED = {"13m": (6, 12, 60), "135m": (10, 25, 120), "1b": (22, 30, 150)}
MATRIX_SHARE = {"1b": 0.50}
PEERS = {"torchtitan": "torchtitan", "ai2-olmo-core": "olmo_core"}


@dataclass
class Found:
    """Seconds a step by side and turn, and bytes of the device."""

    turns: dict[str, list[float]] = field(default_factory=dict)
    peak: int = 0  # of tensors, while no other side was there
    device: int = 0  # of the whole process, context and allocator among them
    rate: float = 0.0


class Turns(Meter):
    """The loop's meter, at whose steps' beginnings the sides change."""

    def __init__(self, settings, device, flops, found: Found, others, turns: int, deadline: float):
        super().__init__(settings, device, flops)
        self.found, self.others = found, others
        self.turns, self.deadline = turns, deadline
        self.step, self.spent, self.since = 0, [], 0.0
        found.rate = self.peak

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def finished(self) -> None:
        """A step has ended; after a block the others have their turn."""
        if self.step:
            self.spent.append(self._now() - self.since)
        if self.step and self.step % BLOCK == 0:
            self._block_ended()
        self.step += 1

    def _block_ended(self) -> None:
        block, self.spent = self.spent, []
        turn = self.step // BLOCK - 1
        if turn == 0:  # warmed up, and compiled where that is asked
            self.found.peak, self.found.device = held(self.device)
            self.others(turn)
            return
        self.found.turns.setdefault("ours", []).append(median(block[1:]))
        self.others(turn)

    def start(self) -> None:
        self.finished()
        turns = (self.step - 1) // BLOCK - 1  # whole ones, as the step after them begins
        late = turns >= LEAST_TURNS and time.monotonic() > self.deadline
        if turns >= self.turns or (late and self.step % BLOCK == 1):
            raise Enough
        self.since = self._now()
        super().start()


class Enough(Exception):
    """All turns were measured, or enough of them. The loop would now copy its state for a model."""


def held(device: torch.device) -> tuple[int, int]:
    """Most bytes of tensors so far, and what the process holds of the device; zeros on a CPU."""
    if device.type != "cuda":
        return 0, 0
    free, total = torch.cuda.mem_get_info()
    kept = torch.cuda.memory_reserved()
    return torch.cuda.max_memory_allocated(), total - free - kept + torch.cuda.max_memory_reserved()


class Others:
    """The bare loop and the Trainer, made when they are first needed and kept between their turns."""

    def __init__(self, work: Work, folder: Path, found: Found):
        self.work = replace(work, steps=BLOCK, warm=1)
        self.folder, self.found = folder, found
        self.bare: Bare | None = None
        self.model: torch.nn.Module | None = None
        self.broken: dict[str, str] = {}

    def __call__(self, turn: int) -> None:
        names = ("bare", "trainer") if turn % 2 else ("trainer", "bare")
        for name in names:
            if name in self.broken:
                continue
            try:
                spent = getattr(self, f"_{name}")()
            except Exception as error:  # a peer that fails takes nothing from the others
                self.broken[name] = f"{type(error).__name__}: {error}"
                self.found.turns.pop(name, None)
                continue
            if turn:
                self.found.turns.setdefault(name, []).append(median(spent))

    def _bare(self) -> list[float]:
        if self.bare is None:
            self.bare = Bare(self.work, self.folder)
        clock = Clock(self.work.device)
        for step in range(BLOCK):
            clock.tick()
            self.bare.step(step)
        clock.tick()
        return clock.steps(1)["wall"]

    def _trainer(self) -> list[float]:
        if self.model is None:
            self.model = training_runs.load(self.work, self.folder)
            self.rows = training_runs.items(self.work, self.folder)
        clock = Clock(self.work.device)
        training_runs.train(self.work, self.model, self.rows, clock)
        self.model.zero_grad(set_to_none=True)
        gc.collect()  # the Trainer and its optimiser refer to each other
        return clock.steps(1)["wall"]


def case(
    work: Work, folder: Path, turns: int, deadline: float, peers: bool
) -> tuple[Found, dict, dict[str, str]]:
    """One case measured: what was found, the stage's settings, and the peers that failed."""
    settings = parse(spec(work))
    packed = PackedDataset(data(work, folder))
    model = load(model_folder(work, folder), settings, packed)
    flops = model_flops_a_token(model, work.context)
    found = Found()
    others = Others(work, folder, found) if peers else lambda turn: None
    if work.compile:
        torch._dynamo.reset()
    if work.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    engine = build(model, settings)
    meter = Turns(settings, engine.device, flops, found, others, turns, deadline)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as run, contextlib.suppress(Enough):
            trainer.train(trainer.Run(settings, packed, engine, Path(run), work.steps, meter))
    finally:
        torch.use_deterministic_algorithms(False)
    facts = {"flops": flops, "stage": settings.raw, "folder": model_folder(work, folder)}
    return found, facts, getattr(others, "broken", {})


def run(session, size: str) -> None:
    """Every context, compiled and not, as far as the part's time goes; then what determinism costs."""
    contexts = TINY_CONTEXTS if session.tiny else CONTEXTS
    can_compile = session.device == "cuda" or any(map(shutil.which, ("c++", "g++", "clang++")))
    speeds: dict[int, float] = {}
    for compiled in (False, True):
        for context in contexts:
            work = work_of(session, size, context, compiled)
            why = "" if can_compile else "no compiler is found"
            if session.tiny and size != TINY_WHOLE:
                why = f"tried at {TINY_WHOLE} alone with --tiny"
            if compiled and why:
                session.part.add(absent(named(size, work), why))
                continue
            speed = measured(session, size, work, len(contexts))
            if speed and not compiled:
                speeds[context] = speed
    if contexts[0] in speeds and (size == TINY_WHOLE or not session.tiny):
        strict = replace(work_of(session, size, contexts[0], False), deterministic=True)
        if speed := measured(session, size, strict, 1):
            what = f"{named(size, strict)}: speed / without"
            session.part.add(fact(what, f"{speed / speeds[contexts[0]]:.2f}, one after the other"))
    for package, module in PEERS.items():
        where = importlib.util.find_spec(module)
        why = "installed, but the check has no comparison with it yet" if where else "not installed"
        session.part.add(absent(package, why))


def work_of(session, size: str, context: int, compiled: bool) -> Work:
    """A case's settings; with --tiny the smallest model stands for every size."""
    batch, micro = TINY_BATCH if session.tiny else BATCH[size]
    turns = TINY_TURNS if session.tiny else TURNS
    return Work(
        who="ours", model="1m" if session.tiny else size, context=context, batch=batch,
        micro=max(1, micro // context), precision="bf16", device=session.device, compile=compiled,
        deterministic=False, steps=(turns + 1) * BLOCK + 1, warm=BLOCK,
    )  # fmt: skip


def named(size: str, work: Work) -> str:
    """A case in words."""
    kind = "compiled" if work.compile else "eager"
    kind += ", deterministic" if work.deterministic else ""
    return f"{size}{'' if work.model == size else f' ({work.model} here)'}, context {work.context}, {kind}"


def measured(session, size: str, work: Work, cases: int) -> float | None:
    """Measure a case, say what it comes to, and return its tokens a second; None where it failed or
    the part's time does not suffice. ``cases`` of its kind share the time."""
    name = named(size, work)
    plain, compiling, everything = (0, 0, 0) if session.tiny else NEEDED[size]
    needed = compiling if work.compile else plain
    if session.left() < needed:
        session.part.add(absent(name, f"{session.left():.0f} s were left of this part"))
        return None
    peers = not work.deterministic
    if work.compile:
        peers = not session.tiny and session.left() > everything
    share = max(needed, session.left() / (cases + (not work.compile) * cases))
    turns = TINY_TURNS if session.tiny else TURNS
    try:
        made = case(work, session.folder, turns, time.monotonic() + share, peers)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:300]
        session.part.add(holds(name, False, said, "runs"))
        traceback.print_exc()
        return None
    finally:
        gc.collect()
        if session.device == "cuda":
            torch.cuda.empty_cache()
    for line in lines(name, size, work, *made, tiny=session.tiny, peers=peers):
        session.part.add(line)
    return work.batch / median(made[0].turns["ours"])


def lines(name, size, work, found, facts, broken, *, tiny: bool, peers: bool) -> list[Line]:
    """What a case comes to."""
    mine = found.turns["ours"]
    speed = work.batch / median(mine)
    made = [fact(f"{name}: tokens/s", f"{speed:,.0f} ({len(mine)} turns)")]
    share, goal = speed * facts["flops"] / found.rate, MATRIX_SHARE.get(size)
    what = f"{name}: share of the matrix rate"
    best = goal is not None and work.compile and not tiny
    made.append(at_least(what, share, goal) if best else fact(what, f"{share:.2f}"))
    for who in ("bare", "trainer"):
        what = f"{name}: ours / {who}"
        if who in broken:
            made.append(absent(what, broken[who]))
        elif not peers and not work.compile:
            continue
        elif not peers:
            made.append(absent(what, "no time to compile the whole model for it"))
        else:
            theirs = found.turns[who]
            count = min(len(theirs), len(mine))
            compared = ratios.ratio(theirs[:count], mine[:count])
            made.append(ratio(what, compared, None if tiny else GOALS[who]))
    if work.device == "cuda":
        made += memory_lines(name, work, found, facts)
    return made


def memory_lines(name: str, work: Work, found: Found, facts: dict) -> list[Line]:
    """The device's memory against the plan's estimate."""
    config = read_json(Path(facts["folder"]) / "config.json")
    stage = {"gradient_checkpointing": False, **facts["stage"]}
    planned = rank_memory(read_shape(config, facts["folder"]), stage)
    what = f"{name}: device memory / plan"
    share = found.device / planned["total"]
    said = f"{share:.2f} ({found.device / 1e9:.1f} of {planned['total'] / 1e9:.1f} GB; tensors {found.peak / 1e9:.1f})"
    return [holds(what, share <= 1.0, said, "at most 1")]
