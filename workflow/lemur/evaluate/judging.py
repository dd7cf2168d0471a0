"""Judge recorded generations: lm-eval's metrics over a replay, or programs in the sandbox."""

import hashlib
import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from lemur.evaluate import answers, executed, intervals, settings, store
from lemur.evaluate.data import GOLDS
from lemur.evaluate.lm import LONGEST, ReplayLM
from lemur.evaluate.tasks import Bench
from lemur.files import replacing, write_json, write_text

VERSION = 7  # of judging
# Readers whose documents are scored by their bits, and the field that is coded.
BITS = {"heldout": "text", "actions": "action", **dict.fromkeys(GOLDS, "action")}
Items = list[dict[str, Any]]


def run(spec: dict[str, Any], generations: Path, data: Path, out: Path) -> None:
    """Write ``out`` (scores.json) and beside it ``verdicts.jsonl`` and ``prompt.txt``, the first
    problem as the model got it. Nothing is generated."""
    settings.check(spec)
    bench = Bench(spec, data)
    found, recorded = store.read(generations)
    store.refuse_other(generations, found, settings.collect(spec, bench))
    kind = bench.definition.get("program")
    lm = ReplayLM(recorded, str(generations), LONGEST if kind is None else None)
    samples = bench.evaluate(lm, metrics=kind is None)
    _mark_refused(samples, lm)
    items = [
        _item(name, sample, bench)
        for name in bench.tasks
        for sample in samples[name]
        if sample["filter"] == _filter(bench, sample)
    ]
    if kind is not None:
        score = executed.score(spec, bench, kind, items)
    elif bench.definition["reader"] in BITS:
        score = _bits(items, BITS[bench.definition["reader"]])
    else:
        score = _shares(bench, samples, items)
    used = [recorded[place["key"]] for place in lm.places]
    scores = {
        "benchmark": bench.name,
        "model": spec["model"],
        "format": spec["format"],
        "shots": int(spec.get("shots") or 0),
        "decoding": found["decoding"],
        "precision": spec["precision"],
        "computed": found.get("computed"),
        "n": bench.n,
        "of": bench.of,
        "prompt_sha256": items[0]["prompt_sha256"],
        "prompts_sha256": _prompts(items),
        "version": _version(spec, bench),
        "model_sha256": found["model_sha256"],
        "responses": _responses(used),
        "sandbox": None,
        "judged": True,
        "reason": None,
        **score,
    }
    first = str(items[0]["_sample"]["arguments"][0][0])
    shown = first.encode("utf-8", "backslashreplace").decode()
    write_text(out.parent / "prompt.txt", shown)
    _write_verdicts(out.parent / "verdicts.jsonl", items)
    write_json(out, scores)
    if scores["value"] is None:
        print(f"{bench.name} {spec['model']}: not judged: {scores['reason']}", file=sys.stderr)


def _mark_refused(samples: dict[str, Items], lm: ReplayLM) -> None:
    """Note which problems a server refused: of a refused choice nothing says how likely it is, so
    that none was chosen."""
    refused = {
        (place["task"], place["document"])
        for place in lm.places
        if lm.recorded[place["key"]].get("finish") == "refused"
    }
    for name, listed in samples.items():
        for sample in listed:
            sample["refused"] = (name, sample["doc_id"]) in refused


def _filter(bench: Bench, sample: dict[str, Any]) -> str:
    wanted = bench.definition.get("score", {}).get("filter")
    return wanted if wanted is not None else sample["filter"]


def _item(task: str, sample: dict[str, Any], bench: Bench) -> dict[str, Any]:
    prompt = str(sample["arguments"][0][0])
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "task": task,
        "document": sample["doc"]["_id"],
        "prompt_sha256": digest,
        "_sample": sample,
    }


def _prompts(items: Items) -> str:
    together = "\n".join(item["prompt_sha256"] for item in items)
    return hashlib.sha256(together.encode()).hexdigest()


def _version(spec: dict[str, Any], bench: Bench) -> str:
    from importlib.metadata import version

    own = spec.get("version", 1)
    tasks = ",".join(sorted({str(task.VERSION) for task in bench.tasks.values()}))
    return f"{own} (task {tasks}, judge {VERSION}, lm-eval {version('lm-eval')})"


def _responses(used: Items) -> dict[str, Any]:
    """What a reader must know before believing a score: how answers ended, how many are empty."""
    finish = Counter(entry["finish"] for entry in used if "finish" in entry)
    empty = sum(1 for entry in used if isinstance(entry["response"], str) and not entry["response"])
    return {
        "finish": dict(sorted(finish.items())),
        "empty": empty,
        "truncated_prompts": sum(1 for entry in used if entry.get("truncated")),
        "tokens": sum(entry.get("tokens", 0) for entry in used),
    }


def _bits(items: Items, field: str) -> dict[str, Any]:
    """-log2 p summed over documents, by the UTF-8 bytes of their ``field`` summed over documents."""
    bits, sizes = [], []
    for item in items:
        sample = item["_sample"]
        response = sample["resps"][0][
            0
        ]  # of an action: its likelihood, and whether it is the likeliest
        likelihood = response[0] if isinstance(response, list | tuple) else response
        bits.append(-float(likelihood) / math.log(2))
        sizes.append(len(sample["doc"][field].encode("utf-8")))
        item["bits"], item["bytes"] = round(bits[-1], 4), sizes[-1]
        item["verdict"] = "scored"
    low, high = intervals.bootstrap_ratio(bits, sizes)
    return {
        "metric": "bits per byte",
        "higher_is_better": False,
        "value": sum(bits) / sum(sizes),
        "interval": [low, high],
        "interval_method": "bootstrap over documents 95%",
        "bytes": sum(sizes),
        "verdicts": {"scored": len(items)},
    }


def _shares(bench: Bench, samples: dict[str, Items], items: Items) -> dict[str, Any]:
    key = bench.definition["score"]["key"]
    for item in items:
        sample = item["_sample"]
        right = _right(sample, bench.definition["score"])
        item["verdict"] = "passed" if right else "failed"
        if right and _otherwise_written(sample, bench.definition["score"]):
            item["otherwise_written"] = True
        item["answer"], item["target"] = (
            _short(sample["filtered_resps"][0]),
            _short(sample["target"]),
        )
    main = [item["verdict"] == "passed" for item in items]
    weights, alike = [1.0] * len(items), bench.definition.get("average") == "tasks"
    if alike:  # a task weighs as much as any other, however many problems it has
        sizes = Counter(item["task"] for item in items)
        weights = [1.0 / sizes[item["task"]] for item in items]
    passed = sum(main)
    value, (low, high) = intervals.weighted_share(main, weights)
    score = {
        "metric": "accuracy" if key == "acc" else "exact match",
        "higher_is_better": True,
        "value": value,
        "interval": [low, high],
        "interval_method": "Wilson 95%, tasks weighed alike" if alike else "Wilson 95%",
        "verdicts": {"passed": passed, "failed": len(items) - passed},
    }
    if bench.definition["score"].get("compare") == "loosely":
        score["otherwise_written"] = sum("otherwise_written" in item for item in items)
    beside = {}
    for name, other in (bench.definition.get("beside") or {}).items():
        chosen = [
            sample
            for task in bench.tasks
            for sample in samples[task]
            if sample["filter"] == other["filter"]
        ]
        right = [_right(sample, other) for sample in chosen]
        differ = sum(one != two for one, two in zip(right, main, strict=True))
        value, _ = intervals.weighted_share(right, weights)
        beside[name] = {"value": value, "differs_on": differ}
    return {**score, "beside": beside} if beside else score


def _right(sample: dict[str, Any], how: dict[str, str]) -> bool:
    """By lm-eval's metric, or by a comparison that passes over case and punctuation."""
    if sample["refused"]:
        return False
    if how.get("compare") == "loosely":
        return answers.loosely(str(sample["filtered_resps"][0]), str(sample["target"]))
    return float(sample[how["key"]]) > 0


def _otherwise_written(sample: dict[str, Any], how: dict[str, str]) -> bool:
    """Whether an answer differs from its target in more than case: 2.5 is right where 25 is asked
    for, and any brackets are where brackets are, if punctuation is passed over."""
    one, two = (
        str(value).strip().lower() for value in (sample["filtered_resps"][0], sample["target"])
    )
    return how.get("compare") == "loosely" and one != two


def _short(value: Any) -> str:
    return str(value)[:200]


def _write_verdicts(path: Path, items: Items) -> None:
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as out:
        for item in items:
            kept = {name: value for name, value in item.items() if not name.startswith("_")}
            out.write(json.dumps(kept, ensure_ascii=True, sort_keys=True) + "\n")
