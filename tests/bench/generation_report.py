"""The page of make bench-evaluate."""

import os
import platform
from importlib import metadata
from typing import Any

from bench import against_vllm

BENCHMARKS = ("humaneval", "gsm8k")


def slower(rows: list[dict[str, Any]], benchmark: str) -> dict[str, Any]:
    """Of our runs of a benchmark the one that counts."""
    mine = [row for row in rows if row["side"] == "ours" and row["benchmark"] == benchmark]
    return min(mine, key=lambda row: row["minute"])


def together(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """The same ratios over all problems, each peer at its best for each benchmark.

    One answer that goes on to the last token where another backend's ends early decides a benchmark
    of eight problems; bfloat16 rounds by the batch, and so does what a near tie turns into.
    """

    def spent(chosen: list[dict[str, Any]]) -> float:
        return sum(
            min(row["seconds"] for row in chosen if row["benchmark"] == name) for name in BENCHMARKS
        )

    mine = sum(slower(rows, name)["seconds"] for name in BENCHMARKS)
    stock = [row for row in rows if row["side"] != "ours"]
    sides = {
        "lm-eval's best batch": stock,
        "its default": [row for row in stock if row["batch"] == 1],
        "vLLM": others,
    }
    told = [f"{spent(its) / mine:.2f} to {side}" for side, its in sides.items() if its]
    return f"All problems together: {', '.join(told)}."


def page(
    rows: list[dict[str, Any]],
    vllm: tuple[list[dict[str, Any]], str],
    judged: dict[str, Any] | None,
    args: Any,
) -> str:
    """The page; ``vllm``: its rows, and a sentence about it."""
    others, said = vllm
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("lm_eval", "transformers", "torch")
    )
    lines = [
        "# Evaluation: speed",
        "",
        f"`make bench-evaluate` on {len(os.sched_getaffinity(0))} cores ({platform.machine()}), "
        f"{versions}. {args.model.parent.name}, bf16, {args.limit} problems a benchmark, "
        f"{args.new} new tokens at most, greedy; loading not counted. "
        "Ours ran first and last: the slower run counts.",
        "",
        "| benchmark | backend | batch | problems a minute | seconds | processor s | score | tokens |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['benchmark']} | {r['side']} | {r['batch']} | {r['minute']:.1f} | {r['seconds']:.1f} | "
        f"{r['processor']:.1f} | {r['value']:.3f} | {r['tokens']} |"
        for benchmark in BENCHMARKS
        for r in (*rows, *others)
        if r["benchmark"] == benchmark
    ]
    lines += [
        "",
        said,
        "",
        "| ratio of problems a minute | " + " | ".join(BENCHMARKS) + " |",
        "|---|---:|---:|",
    ]
    ratios: dict[str, list[str]] = {"to lm-eval's best batch": [], "to lm-eval's default (batch 1)": [],
                                    "to the latter by tokens a second": [], "the two by processor time": [],
                                    "scores equal": [], "answers equal": []}  # fmt: skip
    for benchmark in BENCHMARKS:
        ours = slower(rows, benchmark)
        theirs = [row for row in rows if row["side"] != "ours" and row["benchmark"] == benchmark]
        best = max(theirs, key=lambda row: row["minute"])
        default = next((row for row in theirs if row["batch"] == 1), None)
        ratios["to lm-eval's best batch"].append(
            f"{ours['minute'] / best['minute']:.2f} (batch {best['batch']})"
        )
        ratios["to lm-eval's default (batch 1)"].append(
            f"{ours['minute'] / default['minute']:.2f}" if default else "not run"
        )
        quickest = min(theirs, key=lambda row: row["processor"])
        spent = [quickest, *([default] if default else [])]
        ratios["the two by processor time"].append(
            ", ".join(f"{row['processor'] / ours['processor']:.2f}" for row in spent)
        )
        ratios["scores equal"].append(
            "yes" if all(row["value"] == ours["value"] for row in theirs) else "no"
        )
        same = [
            sum(ours["answers"][k] == row["answers"][k] for k in row["answers"]) for row in theirs
        ]
        ratios["answers equal"].append(", ".join(f"{one} of {ours['n']}" for one in same))
        rates = [row["tokens"] / row["seconds"] for row in (ours, default or best)]
        ratios["to the latter by tokens a second"].append(f"{rates[0] / rates[1]:.2f}")
    if others:
        pairs = [(slower(rows, name), against_vllm.quickest(others, name)) for name in BENCHMARKS]
        ratios |= against_vllm.ratios(pairs)
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in ratios.items()]
    lines += ["", together(rows, others), "", "## Judging", ""]
    if judged is None:
        lines.append("No sandbox here: nothing was judged.")
    else:
        lines += [
            "Median wall time of a program that does nothing, in a sandbox of its own: "
            f"{judged['tier']}.",
            "",
            "| | ms |",
            "|---|---:|",
            f"| one judgement, one after the other | {judged['alone']:.1f} |",
            f"| plain `python -I -S -c` with program and test | {judged['plain']:.1f} |",
            f"| a judgement, {judged['workers']} at once, sustained | {judged['together']:.1f} |",
            f"| one judgement by commands (MultiPL-E's Bash) | {judged['commands']:.1f} |",
            f"| plain `bash -c :` | {judged['shell']:.1f} |",
            "",
            f"Ratio to the plain process: {judged['alone'] / judged['plain']:.2f}; beyond it: "
            f"{judged['alone'] - judged['plain']:+.1f} ms; by commands "
            f"{judged['commands'] - judged['shell']:+.1f} ms.",
        ]
    lines.append("")
    return "\n".join(lines)
