"""How long training stands still for a checkpoint: checkpoints.py [--ranks 2 4] [--megabytes 96].

Ranks on CPUs (gloo), each with its slices of a state, that compute between checkpoints. In turns:
no checkpoint; gathered, written and hashed by rank 0 (what was before); every rank writes its part
and waits for it; every rank writes while training goes on; torch.distributed.checkpoint's
asynchronous writer with the same slices. Writes reports/bench/checkpoints.md.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from torch import distributed
from torch.distributed import checkpoint as dcp

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow")]

from lemur.training import checkpoint, saving  # noqa: E402
from lemur.training.engines.base import State  # noqa: E402
from saving_team import KINDS, divided  # noqa: E402

SIDES = {
    "none": "no checkpoint",
    "gathered": "gathered to rank 0 (before)",
    "waiting": "a part a rank, awaited",
    "meanwhile": "a part a rank, meanwhile (now)",
    "torch": "torch.distributed.checkpoint, meanwhile",
}
TENSORS = 24
REPORT = ROOT / "reports" / "bench" / "checkpoints.md"


class Rank:
    """As much of an engine as a saver asks for, over gloo."""

    device = torch.device("cpu")

    def __init__(self, numbers: int):
        self.rank, self.world = distributed.get_rank(), distributed.get_world_size()
        self.updates = 0
        self.shapes = {f"layer.{n}": torch.Size([numbers // TENSORS]) for n in range(TENSORS)}
        self.parts = divided(self.shapes, self.rank, self.world, 3)
        self.held = {part: torch.randn(part.count) for part in self.parts}
        self.work = torch.randn(768, 768)

    def slices(self):
        return self.parts

    def get(self, part):
        return self.held[part]

    def gather(self, numbers):
        mine = torch.tensor(numbers)
        shares = [torch.zeros_like(mine) for _ in range(self.world)]
        distributed.all_gather(shares, mine)
        return [share.tolist() for share in shares]

    def total(self, value):
        return sum(number for (number,) in self.gather([int(value)]))

    def step(self, products: int):
        """Compute, and meet the others, as a step of training does."""
        made = self.work
        for _ in range(products):
            made = torch.mm(self.work, made).clamp_(-1, 1)
        self.updates += 1
        distributed.all_reduce(made)

    def whole(self) -> State:
        """Everything on rank 0, as it was before: one tensor at a time."""
        found: dict = {kind: {} for kind in KINDS}
        size = -(-next(iter(self.shapes.values())).numel() // self.world)
        for kind in KINDS:
            for name, shape in self.shapes.items():
                mine = torch.zeros(size)
                for part, tensor in self.held.items():
                    if (part.kind, part.name) == (kind, name):
                        mine[: part.count] = tensor
                shares = [torch.empty(size) for _ in range(self.world)] if not self.rank else None
                distributed.gather(mine, shares)
                if shares:
                    found[kind][name] = torch.cat(shares)[: shape.numel()]
        return State(self.updates, found.pop(KINDS[0]), found)


class Gathered:
    def __init__(self, engine, folder):
        self.engine, self.folder = engine, folder

    def save(self, step, metrics, sequences_seen):
        state = self.engine.whole()
        if self.engine.rank == 0:
            checkpoint.save(self.folder, step, state, metrics, sequences_seen)
        self.engine.total(0)

    def poll(self):
        pass

    finish = poll


class Waiting(saving.Saver):
    def save(self, *arguments):
        super().save(*arguments)
        self.finish()


class Torch(Gathered):
    pending = None

    def save(self, step, metrics, sequences_seen):
        self.finish()
        held = {f"{self.engine.rank}/{part.key}": t for part, t in self.engine.held.items()}
        self.pending = dcp.async_save(held, checkpoint_id=self.folder / f"step-{step}")

    def finish(self):
        if self.pending is not None:
            self.pending.result()
            self.pending = None


def saver(side: str, engine: Rank, folder: Path):
    if side == "gathered":
        return Gathered(engine, folder)
    if side == "torch":
        return Torch(engine, folder)
    kind = Waiting if side == "waiting" else saving.Saver
    made = kind(engine, folder, 1, None)
    made.host.take(engine)  # the buffer is allocated once a run
    return made


def one_rank(asked: dict) -> None:
    """Measure all sides, in turns; rank 0 prints the seconds."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    engine = Rank(asked["megabytes"] * 1_000_000 // 12)
    found: dict = {side: {"still": [], "all": []} for side in SIDES}
    for turn in range(asked["turns"]):
        sides = list(SIDES) if turn % 2 == 0 else list(reversed(SIDES))
        for side in sides:
            folder = Path(asked["folder"]) / f"{side}-{turn}"
            folder.mkdir(exist_ok=True)
            (folder / "metrics.jsonl").write_text("")
            engine.step(asked["products"])  # the sides begin together
            using = None if side == "none" else saver(side, engine, folder)
            began, still = time.perf_counter(), 0.0
            for step in range(asked["steps"]):
                engine.step(asked["products"])
                before = time.perf_counter()
                if using is not None:
                    using.poll()
                    if step == 0:
                        metrics = folder / "metrics.jsonl" if engine.rank == 0 else None
                        using.save(step + 1, metrics, 0)
                still += time.perf_counter() - before
            spent = time.perf_counter() - began
            # What is left when all steps are done is not training's to wait for, but is said.
            if using is not None:
                using.finish()
            slowest = torch.tensor([still, spent], dtype=torch.float64)
            distributed.all_reduce(slowest, distributed.ReduceOp.MAX)
            found[side]["still"].append(slowest[0].item())
            found[side]["all"].append(slowest[1].item())
            engine.total(0)
            if engine.rank == 0:
                shutil.rmtree(folder)
    if engine.rank == 0:
        print(json.dumps(found))
    distributed.destroy_process_group()


def measure(ranks: int, args: argparse.Namespace) -> dict:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="lemur-bench.", dir=args.folder) as folder:
        asked = json.dumps({**vars(args), "folder": folder, "ranks": None})
        shared = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "--rank", asked],
                env={**os.environ, **shared, "RANK": str(rank)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for rank in range(ranks)
        ]
        said = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit("bench: a rank failed")
    return json.loads(said[0].splitlines()[-1])


def table(measured: dict[int, dict], args: argparse.Namespace) -> str:
    lines = [
        "# What a checkpoint costs training",
        "",
        f"`python tests/bench/checkpoints.py --ranks {' '.join(map(str, measured))} "
        f"--megabytes {args.megabytes} --steps {args.steps} --turns {args.turns}`, in environment "
        f"`train`; torch {torch.__version__}.",
        "",
        f"Load average at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: where that is "
        "more than this bench's own, seconds say little, ratios more.",
        "",
        f"{args.megabytes} MB of weights and moments, one checkpoint after the first of {args.steps} "
        f"steps, {args.turns} turns, medians, of the slowest rank, host buffers allocated before. Still: seconds inside the calls "
        "that save. Whole: seconds of all steps over those without a checkpoint; what is written "
        "meanwhile takes processor time from ranks that compute on the same cores, which GPUs do not.",
        "",
        "| ranks | how | still s | of what it was | whole |",
        "|---:|---|---:|---:|---:|",
    ]
    for ranks, sides in measured.items():
        before = sides["gathered"]["still"]
        for side, words in SIDES.items():
            still = sides[side]["still"]
            ratio = median(a / b for a, b in zip(still, before, strict=True))
            whole = median(
                a / b for a, b in zip(sides[side]["all"], sides["none"]["all"], strict=True)
            )
            shown = "- | -" if side == "none" else f"{median(still):.3f} | {ratio:.3f}"
            lines.append(f"| {ranks} | {words} | {shown} | {whole:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--megabytes", type=int, default=96)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--products", type=int, default=20, help="matrix products of a step")
    parser.add_argument("--folder", help="the disk that is written to")
    parser.add_argument("--out", type=Path, default=REPORT)
    parser.add_argument("--rank", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rank:
        one_rank(args.rank)
        return
    out, args.out, args.rank = args.out, None, None
    text = table({ranks: measure(ranks, args) for ranks in args.ranks}, args)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
