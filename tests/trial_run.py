"""A tiny run in the shapes that the stages write, for tests of figures and report."""

import json
import sys
from pathlib import Path

from lemur.core import provenance
from lemur.core.contracts import plain
from lemur.core.provenance import ROOT
from lemur.mixture.planned import Plan, PlannedSource
from lemur.mixture.realised import Realised, RealisedSource

PAPER = ROOT / "reports" / "paper"
RECIPE = {"name": "mini", "base": {"name": "smollm2-135m-instruct-q4"}}
EVALUATED = {
    "models": ["start", "pretrained", "chat"],
    "benchmarks": [{"name": "humaneval"}, {"name": "gsm8k"}],
}


def score(benchmark, model, value, **changed):
    """One scores.json."""
    return {
        "benchmark": benchmark, "model": model, "metric": "pass@1", "value": value,
        "interval": None if value is None else [value * 0.5, value * 1.5], "n": 24, "of": 164,
        "judged": value is not None, "reason": None if value is not None else "no sandbox",
        "interval_method": "wilson", "higher_is_better": True, "shots": 0, "format": "completion",
        **changed,
    }  # fmt: skip


def verdicts(made):
    """The lines of verdicts.jsonl that give such a score."""
    name, value, n = made["benchmark"], made["value"], made["n"]
    lines = [{"task": name, "document": f"{name}/{k}", "verdict": "not judged"} for k in range(n)]
    for k, line in enumerate(lines):
        if name.startswith("bits_per_byte_"):
            line |= {"verdict": "scored", "bytes": 1000 + k, "bits": value * (1000 + k)}
        elif value is not None:
            line["verdict"] = "passed" if k < round(value * n) else "failed"
    return lines


def generations(made, answers):
    """The lines of generations.jsonl with such answers, one a problem in the order of verdicts."""
    name = made["benchmark"]
    settings = {
        "benchmark": name, "model": made["model"], "format": made["format"], "shots": made["shots"],
        "decoding": {}, "precision": "fp32", "seed": 1, "task": name, "data_sha256": "0" * 64,
        "generation": 5, "model_sha256": "0" * 64,
    }  # fmt: skip
    lines = [{"form": 1, "settings": settings}]
    for k, text in enumerate(answers):
        place = {"task": name, "document": f"{name}/{k}", "choice": 0, "repeat": 0}
        lines.append({"key": f"{k:032}", "response": text, "tokens": 9, "finish": "stop", **place})
    return lines


def write_file(path, value) -> Path:
    """JSON, or JSON lines for a list under a name that ends in ``.jsonl``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = isinstance(value, list) and path.suffix == ".jsonl"
    text = "".join(json.dumps(x) + "\n" for x in value) if lines else json.dumps(value)
    path.write_text(text)
    return path


def files(folder):
    """Files of a tiny run under ``folder``: metrics, plan, realised, scores, statistics."""

    def write(name, value):
        return write_file(folder / name, value)

    steps = [
        {
            "step": n,
            "tokens": 512 * n,
            "loss": 2.0 - 0.05 * n,
            "learning_rate": 1e-4,
            "gradient_norm": 1.0,
        }
        for n in range(1, 21)
    ]
    sources = [("sympy", "code", 5120), ("wiki", "text", 512)]
    made = {
        "pretrain": write("mini/pretrain/metrics.jsonl", steps),
        "sft": write("mini/sft/metrics.jsonl", steps[:5]),
        "plan": write(
            "mini/mix/plan.json",
            plain(
                Plan(
                    recipe="mini",
                    seed=1,
                    tokens=5632,
                    context=512,
                    code_to_text=10.0,
                    sequences=11,
                    kinds={},
                    sources=[PlannedSource(n, k, t, t // 512, t / 5632) for n, k, t in sources],
                )
            ),
        ),
        "realised": write(
            "mini/tokens/realised.json",
            plain(
                Realised(
                    sequences=11,
                    tokens=5632,
                    context=512,
                    packing="concatenate",
                    code_to_text=10.0,
                    kinds={},
                    sources=[
                        RealisedSource(n, k, t, t, t // 512, 9, 1.0, {"duplicate": 1})
                        for n, k, t in sources
                    ],
                    languages={},
                    padding=0,
                    truncated=0,
                )
            ),
        ),
    }
    found = [
        score("bits_per_byte_code", "start", 0.7, metric="bits per byte"),
        score("bits_per_byte_text", "start", 1.1, metric="bits per byte"),
        score("bits_per_byte_code", "pretrained", 0.6, metric="bits per byte"),
        score("bits_per_byte_text", "pretrained", 1.0, metric="bits per byte"),
        score("humaneval", "start", 0.125),
        score("humaneval", "chat", None),
        score("gsm8k", "chat", 0.0625, metric="exact match", n=16, of=1319),
    ]
    made["scores"] = []
    for x in found:
        place = f"mini/evaluate/{x['model']}/{x['benchmark']}"
        made["scores"].append(write(f"{place}/scores.json", x))
        write(f"{place}/verdicts.jsonl", verdicts(x))
    statistics = {
        "source": "sympy", "kind": "code", "licence": "BSD-3-Clause", "documents": 9,
        "bytes": 5_000_000, "dropped": {"minified": {"files": 3, "bytes": 9}},
        "licences": {"BSD-3-Clause": {"documents": 9, "bytes": 5_000_000}},
    }  # fmt: skip
    made["statistics"] = [
        write(f"corpus/sympy/part-{part}-of-2.stats.json", statistics) for part in range(2)
    ]
    return made


def recorded(script, outputs, inputs, spec, log=None):
    """Write the ``.prov.json`` of outputs as scripts/<script> would have."""
    before = sys.argv
    sys.argv = [
        str(ROOT / "scripts" / script),
        "--spec",
        json.dumps(spec),
        "--out",
        str(outputs[0]),
    ]
    try:
        provenance.Record().write(outputs, inputs, spec, provenance.digest(RECIPE), log)
    finally:
        sys.argv = before
