"""Training speed beside a bare PyTorch loop and transformers' Trainer, into reports/bench/train.md.

    train.py [--device cpu|cuda] [--out FILE] [--models ...] [--contexts ...] [--steps N] ...

Each measurement is a process of its own; the three take turns (`ratios.py`) until the intervals of
their ratios are narrow, `--rounds` turns at most. A turn's ratio is of medians over the steps after
the warm-up ones: on a CPU of processor seconds (others may use the machine), on a GPU of wall
seconds. The same arguments work on both; without --models each device gets the sizes that fit it.
"""

import argparse
import functools
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

import ratios

ROOT = Path(__file__).resolve().parents[2]
WHO = ("ours", "bare", "trainer")
DEFAULT = {
    "cpu": {"models": ["1m", "13m", "135m"], "contexts": [512], "precisions": ["fp32", "bf16"]},
    "cuda": {"models": ["135m", "1b"], "contexts": [2048, 4096], "precisions": ["bf16"]},
}
# (steps, steps left out at the start, turns at most, tokens a step on a CPU) where none are given: a
# step of 135M takes some ten seconds on two cores.
PACE = {"1m": (10, 2, 10, 2_048), "13m": (8, 2, 8, 2_048), "135m": (4, 1, 8, 1_024)}
GPU_PACE = (8, 2, 8, 65_536)
GOALS = {"bare": 0.97, "trainer": 1.0}
Turn = tuple[str, bool]  # who, and whether it computes deterministically
PACKAGES = ("torch", "transformers", "accelerate", "deepspeed")
# https://github.com/pytorch/torchtitan, its published table: Llama-3-8B on 8 H100.
TORCHTITAN = {"eager": 5_762, "compiled": 6_667}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=list(DEFAULT), default="cpu")
    parser.add_argument("--models", nargs="+", choices=["1m", "13m", "135m", "1b"])
    parser.add_argument("--contexts", nargs="+", type=int)
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "bf16"])
    parser.add_argument("--compile", choices=["off", "on", "both"], help="default: both on cuda")
    parser.add_argument("--deterministic", choices=["off", "both"], help="default: both on cuda")
    parser.add_argument(
        "--batch", type=int, help="tokens a step (cpu: 2048, 135m 1024; cuda: 65536)"
    )
    parser.add_argument("--micro", type=int, help="sequences a pass (cpu: 2, cuda: 8192 tokens)")
    parser.add_argument("--steps", type=int, help="steps a process (by model: see PACE)")
    parser.add_argument("--warm", type=int, help="steps left out at the start")
    parser.add_argument("--rounds", type=int, help="turns of the three, at most")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "bench" / "train.md")
    args = parser.parse_args()
    for name, value in DEFAULT[args.device].items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    gpu = args.device == "cuda"
    args.compile = args.compile or ("both" if gpu else "off")
    args.deterministic = args.deterministic or ("both" if gpu else "off")
    return args


def pace(args: argparse.Namespace, model: str) -> dict[str, int]:
    """Steps, warm steps, rounds and batch of a model: as asked for, else what its size allows."""
    usual = GPU_PACE if args.device == "cuda" else PACE.get(model, PACE["135m"])
    names = ("steps", "warm", "rounds", "batch")
    made = {name: getattr(args, name) for name in names}
    return {
        name: given if given is not None else value
        for (name, given), value in zip(made.items(), usual, strict=True)
    }


def cases(args: argparse.Namespace):
    """What is measured: settings that the three share."""
    kinds = {"off": [False], "on": [True], "both": [False, True]}
    for model, context, precision, compiled in product(
        args.models, args.contexts, args.precisions, kinds[args.compile]
    ):
        micro = args.micro or (max(1, 8_192 // context) if args.device == "cuda" else 2)
        yield {
            "model": model, "context": context, "micro": micro, "precision": precision,
            "device": args.device, "compile": compiled, **pace(args, model),
        }  # fmt: skip


def measure(work, folder: Path) -> dict:
    """Seconds of each step of one process."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("training_runs.py"), work.text(), folder],
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    if done.returncode or not lines:
        sys.stderr.write(done.stderr[-4000:])
        raise SystemExit(f"error: {work.who} on {work.model} ended with code {done.returncode}")
    return json.loads(lines[-1].removeprefix("MEASURED "))


def compared(found: dict[Turn, list[dict]], clock: str) -> dict[str, ratios.Ratio]:
    """Each peer's time of a step over the loop's, and the loop's over its own where deterministic."""
    each = {turn: [median(run[clock]) for run in runs] for turn, runs in found.items()}
    mine = each["ours", False]
    made = {who: ratios.ratio(each[who, False], mine) for who in WHO[1:]}
    if ("ours", True) in each:
        made["deterministic"] = ratios.ratio(mine, each["ours", True])
    return made


def pace_of(rounds: int) -> ratios.Pace:
    return ratios.Pace(least=min(ratios.Pace.least, rounds), most=rounds)


def measured(
    args: argparse.Namespace, case: dict, rounds: int, folder: Path
) -> dict[Turn, list[dict]]:
    """What each side took in each turn."""
    from training_work import Work

    clock = "processor" if args.device == "cpu" else "wall"
    sides: list[Turn] = [(who, False) for who in WHO]
    if args.deterministic == "both":
        sides.append(("ours", True))
    works = {side: Work(who=side[0], deterministic=side[1], **case) for side in sides}
    label = f"bench-train: {case['model']} {case['precision']}"
    return ratios.in_turns(
        {side: functools.partial(measure, work, folder) for side, work in works.items()},
        lambda found: compared(found, clock).values(),
        pace_of(rounds),
        lambda line: print(f"{label} {line}", file=sys.stderr, flush=True),
    )


def table(args: argparse.Namespace, folder: Path) -> tuple[list[str], list[ratios.Ratio]]:
    """One line a case, and all ratios; ours deterministic in a column of its own where asked for."""
    clock = "processor" if args.device == "cpu" else "wall"
    head = ["model", "context", "precision", "compiled", "turns", "ours tokens/s"]
    head += ["of matrix rate", "bare", "Trainer", "ours / bare", "ours / Trainer"]
    head += ["speed deterministic", "peak GB", "goals"]
    rows = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    everything: list[ratios.Ratio] = []
    for case in cases(args):
        found = measured(args, case, case.pop("rounds"), folder)
        made = compared(found, clock)
        everything += made.values()
        mine = found["ours", False]
        speed = {
            who: case["batch"] / median(s for one in found[who, False] for s in one["wall"])
            for who in WHO
        }
        share = speed["ours"] * mine[0]["flops"] / max(one["rate"] for one in mine)
        memory = max(one["memory"] for one in mine) / 1e9
        verdicts = [made[who].verdict(goal) for who, goal in GOALS.items()]
        cells = [case["model"], case["context"], case["precision"]]
        cells += ["yes" if case["compile"] else "no", len(mine)]
        cells += [f"{speed['ours']:,.0f}", f"{share:.2f}"]
        cells += [f"{speed['bare']:,.0f}", f"{speed['trainer']:,.0f}"]
        cells += [made["bare"], made["trainer"], made.get("deterministic", "-")]
        cells += [f"{memory:.1f}" if memory else "-", ", ".join(verdicts)]
        rows.append(f"| {' | '.join(map(str, cells))} |")
        print(rows[-1], flush=True)
    return rows, everything


def packing(context: int = 4_096, documents: int = 20_000) -> list[str]:
    """Tokens that count over tokens computed, for documents of spread lengths."""
    import numpy as np
    from lemur.tokenization.cut import best_fit, concatenate

    lengths = np.random.default_rng(0).lognormal(6.2, 1.3, documents).astype(np.int64) + 2
    total = int(lengths.sum())
    whole = concatenate(lengths, total // context, context)
    fitted = best_fit(lengths, context)
    rows = ["| packing | tokens that count / computed |", "|---|---:|"]
    for name, runs in (("concatenate", whole), ("best-fit", fitted)):
        computed = (len(runs.sequence) - 1) * context
        # A label for each token but the first of each run.
        counted = int(runs.length.sum()) - len(runs.length)
        rows.append(f"| {name} | {counted / computed:.4f} |")
    padded = np.minimum(lengths, context)[: len(lengths) // 8 * 8].reshape(-1, 8)
    share = (padded - 1).sum() / (padded.max(1) * 8).sum()
    rows.append(f"| none: eight documents padded to the longest | {share:.4f} |")
    return rows


def device_name(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return ratios.processor()


def page(
    args: argparse.Namespace, rows: list[str], made: list[ratios.Ratio], packed: list[str]
) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    settings = (
        f"--device {args.device} --models {' '.join(args.models)} "
        f"--contexts {' '.join(map(str, args.contexts))} --precisions {' '.join(args.precisions)}"
    )
    for name in ("batch", "micro", "steps", "warm", "rounds"):
        if getattr(args, name) is not None:
            settings += f" --{name} {getattr(args, name)}"
    paces = "; ".join(
        f"{model}: {one['batch']:,} tokens a step, {one['steps'] - one['warm']} steps a turn"
        for model in args.models
        for one in (pace(args, model),)
    )
    clock = "processor" if args.device == "cpu" else "wall"
    most = pace_of(max(pace(args, model)["rounds"] for model in args.models))
    return "\n".join(
        [
            f"## {args.device}: {device_name(args.device)}",
            "",
            f"`make bench-train BENCH='{settings}'`; Python {platform.python_version()}, {versions}.",
            "",
            f"Load average at the end: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores: where that "
            "is more than this bench's own, tokens/s say little, ratios of processor time more.",
            "",
            f"{paces}; whole sequences of one document each. tokens/s by wall time; ratios of medians of "
            f"{clock} seconds a step. {ratios.described(made, most)} Bare: autocast, SDPA, fused AdamW and clipping in twenty lines "
            "(`tests/bench/training_runs.py`). Matrix rate: best product of two square matrices here. "
            f"Goals: ours / bare at least {GOALS['bare']} and ours / Trainer at least "
            f"{GOALS['trainer']:g} on a CPU, reached where the whole interval lies above; 0.50 of the "
            "matrix rate at 1B on a GPU. On a CPU without instructions for bfloat16 ours computes bf16 "
            "in float32.",
            "",
            *rows,
            "",
            "Documents with lengths drawn from a lognormal distribution (median 490 tokens), context "
            "4,096; goal 0.98:",
            "",
            *packed,
            "",
        ]
    )  # fmt: skip


def torchtitan() -> list[str]:
    """What the published mark would take to compare with."""
    return [
        "## torchtitan's mark at 8B",
        "",
        f"Published: {TORCHTITAN['eager']:,} tokens/s a GPU for Llama-3-8B on 8 H100 (FSDP, bf16), "
        f"{TORCHTITAN['compiled']:,} compiled. The goal is 0.95 of it, "
        f"{0.95 * TORCHTITAN['eager']:,.0f} and {0.95 * TORCHTITAN['compiled']:,.0f}. To run it: one "
        "node of 8 H100 with NVLink for about an hour; torchtitan at a pinned commit with its "
        "llama3_8b configuration, in an environment of its own; and here the base `llama-3-8b` in a "
        "recipe with the same context, micro batch, `gradient_checkpointing` and `compile`, "
        "`processes_per_node: 8`, `zero_stage: 3` (2 where compiled, which 3 refuses), random weights "
        "and one document a sequence. "
        "Both then run on that node, in turns. Not run: no such node was lent.",
        "",
    ]


def main() -> None:
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        rows, found = table(args, Path(folder))
    made = page(args, rows, found, packing())
    args.out.parent.mkdir(parents=True, exist_ok=True)
    title = "# Training speed\n\nWritten by `make bench-train`.\n\n"
    # A machine without the other device keeps what was measured there.
    kept = []
    if args.out.exists():
        parts = args.out.read_text(encoding="utf-8").split("\n## ")[1:]
        kept = [f"## {part}" for part in parts if not part.startswith((args.device, "torchtitan"))]
    text = title + "\n".join([made, *[part.rstrip() + "\n" for part in kept], *torchtitan()])
    args.out.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
