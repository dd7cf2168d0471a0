"""Training speed beside a bare PyTorch loop and transformers' Trainer, into reports/bench/train.md.

    train.py [--device cpu|cuda] [--out FILE] [--models ...] [--contexts ...] [--steps N] ...

Each measurement is a process of its own; the three take turns, `--rounds` times, so that a machine
that slows down does so for all. Ratios are of medians over all steps after the warm-up ones: on a
CPU of processor seconds (others may use the machine), on a GPU of wall seconds. The same arguments
work on both; without --models each device gets the sizes that fit it.
"""

import argparse
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

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
WHO = ("ours", "bare", "trainer")
DEFAULT = {
    "cpu": {"models": ["1m", "13m", "135m"], "contexts": [512], "precisions": ["fp32", "bf16"]},
    "cuda": {"models": ["135m", "1b"], "contexts": [2048, 4096], "precisions": ["bf16"]},
}
# (steps, steps left out at the start, rounds, tokens a step on a CPU) where none are given: a step of
# 135M takes some ten seconds on two cores.
PACE = {"1m": (10, 2, 2, 2_048), "13m": (8, 2, 2, 2_048), "135m": (4, 1, 1, 1_024)}
GPU_PACE = (8, 2, 2, 65_536)
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
    parser.add_argument("--rounds", type=int, help="turns of the three")
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


def table(args: argparse.Namespace, folder: Path) -> list[str]:
    """One line a case; ours deterministic in a column of its own where it was asked for."""
    from training_work import Work

    clock = "processor" if args.device == "cpu" else "wall"
    head = ["model", "context", "precision", "compiled", "ours tokens/s", "of matrix rate", "bare"]
    head += ["Trainer", "ours / bare", "ours / Trainer", "speed deterministic", "peak GB"]
    rows = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for case in cases(args):
        rounds = case.pop("rounds")
        turns = [(who, False) for who in WHO]
        if args.deterministic == "both":
            turns.append(("ours", True))
        found: dict[tuple[str, bool], list[dict]] = {turn: [] for turn in turns}
        for number in range(rounds):
            for who, exact in turns if number % 2 == 0 else reversed(turns):
                work = Work(who=who, deterministic=exact, **case)
                found[who, exact].append(measure(work, folder))
                print(f"bench-train: {who} {case['model']} {case['precision']} round {number + 1}",
                      file=sys.stderr, flush=True)  # fmt: skip
        seconds = {
            kind: {t: median(s for one in runs for s in one[kind]) for t, runs in found.items()}
            for kind in ("wall", "processor")
        }
        used = seconds[clock]
        flops = found["ours", False][0]["flops"]
        peak = max(one["rate"] for one in found["ours", False])
        speed = {who: case["batch"] / seconds["wall"][who, False] for who in WHO}
        mine = used["ours", False]
        exact = f"{mine / used['ours', True]:.3f}" if ("ours", True) in used else "-"
        memory = max(one["memory"] for one in found["ours", False]) / 1e9
        cells = [
            case["model"],
            case["context"],
            case["precision"],
            "yes" if case["compile"] else "no",
        ]
        cells += [f"{speed['ours']:,.0f}", f"{speed['ours'] * flops / peak:.2f}"]
        cells += [f"{speed['bare']:,.0f}", f"{speed['trainer']:,.0f}"]
        cells += [
            f"{used['bare', False] / mine:.2f}",
            f"{used['trainer', False] / mine:.2f}",
            exact,
        ]
        cells += [f"{memory:.1f}" if memory else "-"]
        rows.append(f"| {' | '.join(map(str, cells))} |")
        print(rows[-1], flush=True)
    return rows


def packing(context: int = 4_096, documents: int = 20_000) -> list[str]:
    """Tokens that count over tokens computed, for documents of spread lengths."""
    import numpy as np
    from lemur.tokenize.cut import best_fit, concatenate

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
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "CPU")
    return f"{model}, {len(os.sched_getaffinity(0))} cores"


def page(args: argparse.Namespace, rows: list[str], packed: list[str]) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    settings = (
        f"--device {args.device} --models {' '.join(args.models)} "
        f"--contexts {' '.join(map(str, args.contexts))} --precisions {' '.join(args.precisions)}"
    )
    for name in ("batch", "micro", "steps", "warm", "rounds"):
        if getattr(args, name) is not None:
            settings += f" --{name} {getattr(args, name)}"
    paces = "; ".join(
        f"{model}: {one['batch']:,} tokens a step, {one['rounds']} x {one['steps'] - one['warm']} steps"
        for model in args.models
        for one in (pace(args, model),)
    )
    clock = "processor" if args.device == "cpu" else "wall"
    return "\n".join(
        [
            f"## {args.device}: {device_name(args.device)}",
            "",
            f"`make bench-train BENCH='{settings}'`; Python {platform.python_version()}, {versions}.",
            "",
            f"Load average at the end: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores: where that "
            "is more than this bench's own, tokens/s say little, ratios of processor time more.",
            "",
            f"{paces}, in turns; whole sequences of one document each. tokens/s by wall time; ratios of "
            f"medians of {clock} seconds a step. Bare: autocast, SDPA, fused AdamW and clipping in twenty lines "
            "(`tests/bench/training_runs.py`). Matrix rate: best product of two square matrices here. "
            "Goals: ours / bare at least 0.97 and ours / Trainer at least 1 on a CPU; 0.50 of the "
            "matrix rate at 1B on a GPU.",
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
        rows = table(args, Path(folder))
    made = page(args, rows, packing())
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
