"""The page of make bench-evaluate."""

from importlib import metadata
from typing import Any

from bench import against_vllm
from bench.ratios import Pace, Ratio, described, processor, ratio

BENCHMARKS = ("humaneval", "gsm8k")
PACE = Pace(most=6, within=0.1)  # a turn of all sides takes some four minutes


Turns = list[dict[str, Any]]  # the rows of one side, batch and benchmark, one a turn


def grouped(rows: list[dict[str, Any]]) -> dict[tuple[str, str, int], Turns]:
    """Rows by (benchmark, side, batch), in the order of the turns."""
    found: dict[tuple[str, str, int], Turns] = {}
    for row in rows:
        found.setdefault((row["benchmark"], row["side"], row["batch"]), []).append(row)
    return found


def middle(turns: Turns) -> dict[str, Any]:
    """The row of the turn with the median time."""
    return sorted(turns, key=lambda row: row["seconds"])[(len(turns) - 1) // 2]


def select_side(rows: list[dict[str, Any]], benchmark: str, ours: bool) -> list[Turns]:
    """Of a benchmark, ours or every peer's turns; the quickest first."""
    found = [
        turns
        for (name, side, _), turns in grouped(rows).items()
        if name == benchmark and (side == "ours") is ours
    ]
    return sorted(found, key=lambda turns: middle(turns)["seconds"])


def by(key: str, theirs: Turns, ours: Turns) -> Ratio:
    """Their ``seconds`` or ``processor`` over ours, turn by turn; by ``token``: seconds a token."""

    def each(turns: Turns) -> list[float]:
        if key == "token":
            return [row["seconds"] / row["tokens"] for row in turns]
        return [row[key] for row in turns]

    return ratio(each(theirs), each(ours), PACE.within)


def judged(rows: list[dict[str, Any]]) -> list[Ratio]:
    """The ratios whose intervals decide when the turns end: to the best of each kind of peer."""
    found = []
    for benchmark in BENCHMARKS:
        (ours,) = select_side(rows, benchmark, True)
        theirs = select_side(rows, benchmark, False)
        for vllm in (False, True):
            kind = [its for its in theirs if its[0]["side"].startswith("vLLM") is vllm]
            found += [by("seconds", its, ours) for its in kind[:1] if len(its) == len(ours)]
    return found


def together(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """The same ratios over all problems, each peer at its best for each benchmark.

    One answer that goes on to the last token where another backend's ends early decides a benchmark
    of eight problems; bfloat16 rounds by the batch, and so does what a near tie turns into.
    """

    def spent(chosen: list[dict[str, Any]], ours: bool = False) -> list[float]:
        best = [select_side(chosen, name, ours)[0] for name in BENCHMARKS]
        return [sum(row["seconds"] for row in turn) for turn in zip(*best, strict=True)]

    stock = [row for row in rows if row["side"] != "ours"]
    sides = {
        "lm-eval's best batch": stock,
        "its default": [row for row in stock if row["batch"] == 1],
        "vLLM": others,
    }
    mine = spent(rows, True)
    told = [
        f"{ratio(spent(its), mine, PACE.within)} to {side}" for side, its in sides.items() if its
    ]
    return f"All problems together: {', '.join(told)}."


def page(
    rows: list[dict[str, Any]],
    vllm: tuple[list[dict[str, Any]], str],
    judgements: dict[str, Any] | None,
    args: Any,
) -> str:
    """The page of all turns' rows; ``vllm``: its rows, and a sentence about it."""
    others, said = vllm
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("lm_eval", "transformers", "torch")
    )
    lines = [
        "# Evaluation: speed",
        "",
        f"`make bench-evaluate` on {processor()}, {versions}. {args.model.parent.name}, bf16, "
        f"{args.limit} problems a benchmark, {args.new} new tokens at most, greedy; loading not "
        f"counted. Rows are of the turn with the median time. "
        f"{described(judged([*rows, *others]), PACE)}",
        "",
        "| benchmark | backend | batch | turns | problems a minute | seconds | processor s | score | tokens |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['benchmark']} | {r['side']} | {r['batch']} | {len(turns)} | {r['minute']:.1f} | "
        f"{r['seconds']:.1f} | {r['processor']:.1f} | {r['value']:.3f} | {r['tokens']} |"
        for (name, _, _), turns in sorted(
            grouped([*rows, *others]).items(), key=lambda one: BENCHMARKS.index(one[0][0])
        )
        for r in (middle(turns),)
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
        (ours,) = select_side(rows, benchmark, True)
        theirs = select_side(rows, benchmark, False)
        best = theirs[0]
        default = next((turns for turns in theirs if turns[0]["batch"] == 1), None)
        ratios["to lm-eval's best batch"].append(
            f"{by('seconds', best, ours)} (batch {best[0]['batch']})"
        )
        ratios["to lm-eval's default (batch 1)"].append(
            str(by("seconds", default, ours)) if default else "not run"
        )
        quickest = min(theirs, key=lambda turns: middle(turns)["processor"])
        spent = [quickest, *([default] if default else [])]
        ratios["the two by processor time"].append(
            ", ".join(str(by("processor", turns, ours)) for turns in spent)
        )
        mine, firsts = ours[0], [turns[0] for turns in theirs]
        ratios["scores equal"].append(
            "yes" if all(row["value"] == mine["value"] for row in firsts) else "no"
        )
        same = [
            sum(mine["answers"][k] == row["answers"][k] for k in row["answers"]) for row in firsts
        ]
        ratios["answers equal"].append(", ".join(f"{one} of {mine['n']}" for one in same))
        ratios["to the latter by tokens a second"].append(str(by("token", default or best, ours)))
    if others:
        pairs = [
            (select_side(rows, n, True)[0], select_side(others, n, False)[0]) for n in BENCHMARKS
        ]
        ratios |= against_vllm.ratios(pairs, by)
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in ratios.items()]
    lines += ["", together(rows, others), "", "## Judging", ""]
    if judgements is None:
        lines.append("No sandbox here: nothing was judged.")
    else:
        lines += [
            "Median wall time of a program that does nothing, in a sandbox of its own: "
            f"{judgements['tier']}.",
            "",
            "| | ms |",
            "|---|---:|",
            f"| one judgement, one after the other | {judgements['alone']:.1f} |",
            f"| plain `python -I -S -c` with program and test | {judgements['plain']:.1f} |",
            f"| a judgement, {judgements['workers']} at once, sustained | {judgements['together']:.1f} |",
            f"| one judgement by commands (MultiPL-E's Bash) | {judgements['commands']:.1f} |",
            f"| plain `bash -c :` | {judgements['shell']:.1f} |",
            "",
            f"Ratio to the plain process: {judgements['alone'] / judgements['plain']:.2f}; beyond it: "
            f"{judgements['alone'] - judgements['plain']:+.1f} ms; by commands "
            f"{judgements['commands'] - judgements['shell']:+.1f} ms.",
        ]
    lines.append("")
    return "\n".join(lines)
