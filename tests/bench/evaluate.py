"""make bench-evaluate: problems a minute against lm-eval's own backend, and what judging costs.

    python tests/bench/evaluate.py --model FOLDER --data resources/benchmarks --out reports/bench/evaluate.md

The same prompts are asked of the same weights in the same precision on the same cores: our engine;
lm-eval's ``hf`` backend at batch size 1 (its default) and at larger ones; vLLM's build for CPUs,
where its environment is built. They take turns until their ratios' intervals are narrow. The peers
run in processes and with variables of their own. All are judged by the same judge. Loading is not
counted on any side. Times are wall times, since all decode with all cores; the processor time stands
beside them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lemur.config import recipe as recipes
from lemur.config import stages
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.provenance import ROOT
from lemur.evaluation.benchmarks.multipl_e import languages
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent

from bench import against_vllm, generation_report, ratios
from bench import generation_peers as peers
from bench.timed import answered

Work = dict[str, tuple[dict[str, Any], Path]]  # the settings that all sides get, and the data


def asked(benchmark: str, args: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """The settings that all sides get, and the benchmark's data."""
    chosen = {
        "evaluate.benchmarks": [
            {"name": benchmark, "limit": args.limit, "max_new_tokens": args.new}
        ]
    }
    spec = stages.judge(recipes.resolve("mini", chosen), "start", benchmark)
    return spec, args.data / benchmark / "part-0-of-1" / "manifest.json"


def ours(work: Work, args: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each benchmark of our engine, with all problems in one batch."""
    from lemur.evaluation.backends.transformers_backend import TransformersBackend
    from lemur.evaluation.spec import BenchmarkSpec
    from lemur.inference.engine import Engine

    engine, rows = Engine(args.model, "bf16", "cpu"), []
    for name, (spec, data) in work.items():
        whole = BenchmarkSpec.parse({**spec, "batch": args.limit})
        backend = TransformersBackend(engine, whole.decoding, args.limit, whole.seed, "ours")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "generations.jsonl"
            times = answered(backend, whole, args.model, data, out)
            rows.append(peers.row("ours", {"spec": spec, "data": str(data)}, out, times))
        print(f"{name} ours: {rows[-1]['minute']:.1f} a minute", flush=True)
    return rows


def theirs(work: Work, args: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each benchmark and batch size of lm-eval's ``hf`` backend."""
    given = {
        f"{name}-{batch}": {"spec": spec, "data": str(data.resolve()), "batch": batch}
        for name, (spec, data) in work.items()
        for batch in args.batches
    }
    command = ("bench-evaluate", "lm_eval_peer.py")
    rows, _, why = peers.asked("lm-eval hf", command, args.model, given, {}, new=args.new)
    if why:
        raise UserError(f"lm-eval: {why}")
    return rows


def measured(
    work: Work, args: argparse.Namespace
) -> tuple[list[dict[str, Any]], tuple[list[dict[str, Any]], str]]:
    """Rows of ours and lm-eval's, and those of vLLM with a sentence about it, of all turns.

    A way to run vLLM that failed in a turn, and whose ratios would lack it, is left out.
    """
    said: list[str] = []

    def vllm() -> list[dict[str, Any]]:
        rows, sentence = against_vllm.rows(args.model, work)
        said.append(sentence)
        return rows

    found = ratios.in_turns(
        {"ours": lambda: ours(work, args), "stock": lambda: theirs(work, args), "vllm": vllm},
        lambda turns: generation_report.judged(list(chain(*chain(*turns.values())))),
        generation_report.PACE,
        lambda line: print(f"bench-evaluate: {line}", flush=True),
    )
    counts = len(found["ours"])
    others = generation_report.grouped(list(chain(*found["vllm"])))
    whole = [turns for turns in others.values() if len(turns) == counts]
    return list(chain(*found["ours"], *found["stock"])), (list(chain(*whole)), said[-1])


def overhead(count: int) -> dict[str, Any] | None:
    """Milliseconds of one judgement of a program that does nothing, of a plain interpreter with the
    same program, and of many judgements at once."""
    from concurrent.futures import ThreadPoolExecutor

    sandbox = probe()
    if isinstance(sandbox, Absent):
        return None
    job = Job("def f(): return 1", ("assert f() == 1",), ("f",))
    for _ in range(4):
        judge(sandbox, job)
    plain = [sys.executable, "-I", "-S", "-B", "-c", f"{job.program}\n{job.test[0]}"]

    def each(work: Any) -> float:
        times = []
        for _ in range(count):
            began = time.monotonic()
            work()
            times.append(1e3 * (time.monotonic() - began))
        return sorted(times)[count // 2]

    alone = each(lambda: judge(sandbox, job))
    bare = each(lambda: subprocess.run(plain, check=True))
    # A program of commands, as MultiPL-E's are: nothing but a shell that ends.
    nothing = languages.steps("sh", "#!/bin/bash", "run_test() {\n    :\n}\n\nrun_test")
    for _ in range(4):
        assert nothing.run(sandbox, Limits()).ended
    commands = each(lambda: nothing.run(sandbox, Limits()))
    shell = each(lambda: subprocess.run(["bash", "-c", ":"], check=True))
    workers = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers) as pool:
        began = time.monotonic()
        verdicts = [
            one.verdict for one in pool.map(lambda _: judge(sandbox, job), range(4 * count))
        ]
        together = 1e3 * (time.monotonic() - began) / len(verdicts)
    assert set(verdicts) == {"passed"}, verdicts
    return {
        "alone": alone,
        "plain": bare,
        "together": together,
        "commands": commands,
        "shell": shell,
        "workers": workers,
        "tier": sandbox.name,
    }


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--data", type=Path, default=Path("resources/benchmarks"))
    parser.add_argument("--limit", type=int, default=8)
    parser.add_argument("--new", type=int, default=256)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--judgements", type=int, default=50)
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "bench" / "evaluate.md")
    args = parser.parse_args()
    try:
        judged = overhead(args.judgements)
        work = {name: asked(name, args) for name in generation_report.BENCHMARKS}
        rows, vllm = measured(work, args)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.out, generation_report.page(rows, vllm, judged, args))
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
