"""Judge recorded generations: lm-eval's metrics over a replay, or programs in the sandbox."""

import hashlib
import json
import math
import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lemur.evaluate import intervals, settings, store
from lemur.evaluate.lm import ReplayLM
from lemur.evaluate.programs import PROGRAMS
from lemur.evaluate.tasks import Bench
from lemur.files import replacing, write_json
from lemur.progress import Progress
from lemur.sandbox.judge import VERDICTS, Verdict, judge
from lemur.sandbox.policy import Limits
from lemur.sandbox.probe import Absent, probe

VERSION = 1  # of judging
Items = list[dict[str, Any]]


def run(spec: dict[str, Any], generations: Path, data: Path, out: Path) -> None:
    """Write ``out`` (scores.json) and ``verdicts.jsonl`` beside it. Nothing is generated."""
    settings.check(spec)
    bench = Bench(spec, data)
    found, recorded = store.read(generations)
    store.refuse_other(generations, found, settings.of(spec, bench))
    lm = ReplayLM(recorded, str(generations))
    kind = bench.definition.get("program")
    samples = bench.evaluate(lm, metrics=kind is None)
    items = [
        _item(name, sample, bench)
        for name in bench.tasks
        for sample in samples[name]
        if sample["filter"] == _filter(bench, sample)
    ]
    if kind is not None:
        score = _programs(spec, bench, kind, items)
    elif bench.definition["reader"] == "heldout":
        score = _bits(items)
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
    _write_verdicts(out.parent / "verdicts.jsonl", items)
    write_json(out, scores)


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


def _limits(spec: dict[str, Any]) -> Limits:
    """``sandbox.seconds`` bounds processor time; wall time may be three times that, so that a busy
    machine does not turn a pass into a timeout."""
    given = spec.get("sandbox") or {}
    seconds = float(given.get("seconds", Limits.cpu_seconds))
    memory = int(given.get("memory_mb", Limits.memory_mb))
    return Limits(
        cpu_seconds=max(1, math.ceil(seconds)), wall_seconds=3 * seconds, memory_mb=memory
    )


def _programs(spec: dict[str, Any], bench: Bench, kind: str, items: Items) -> dict[str, Any]:
    sandbox = probe()
    base = {"metric": "pass@1", "higher_is_better": True, "interval_method": "Wilson"}
    if isinstance(sandbox, Absent):
        for item in items:
            item["verdict"], item["detail"] = "not judged", sandbox.reason
        return {**base, "value": None, "interval": None, "interval_method": None, "verdicts": {},
                "judged": False, "reason": sandbox.reason}  # fmt: skip
    limits = _limits(spec)
    work = [
        (item, PROGRAMS[kind](item["_sample"]["doc"], response))
        for item in items
        for response in item["_sample"]["resps"][0]
    ]
    with (
        ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool,
        Progress(f"judge {bench.name} {spec['model']}", len(work), "programs") as progress,
    ):
        verdicts = []
        for verdict in pool.map(lambda one: judge(sandbox, one[1], limits), work):
            progress.add()
            verdicts.append(verdict)
    by_item: dict[int, list[Verdict]] = {}
    for (item, _), verdict in zip(work, verdicts, strict=True):
        by_item.setdefault(id(item), []).append(verdict)
    estimates = []
    for item in items:
        mine = by_item[id(item)]
        passed = sum(one.verdict == "passed" for one in mine)
        estimates.append(intervals.pass_at_k(len(mine), passed, 1))
        first = mine[0]
        item["verdict"], item["detail"] = first.verdict, _stable(first.detail)
        if len(mine) > 1:
            item["samples"] = [one.verdict for one in mine]
    counts = Counter(verdict.verdict for verdict in verdicts)
    single = all(len(mine) == 1 for mine in by_item.values())
    low, high = (
        intervals.wilson(sum(estimates), len(estimates))
        if single
        else intervals.bootstrap_mean(estimates)
    )
    return {
        **base,
        "interval_method": "Wilson 95%" if single else "bootstrap over problems 95%",
        "value": sum(estimates) / len(estimates),
        "interval": [low, high],
        "verdicts": {name: counts.get(name, 0) for name in VERDICTS},
        "sandbox": sandbox.name,
    }


def _stable(detail: str) -> str:
    """Without addresses in memory, which differ between runs."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", detail)


def _bits(items: Items) -> dict[str, Any]:
    """-log2 p summed over documents, by UTF-8 bytes summed over documents."""
    bits, sizes = [], []
    for item in items:
        sample = item["_sample"]
        bits.append(-float(sample["resps"][0][0]) / math.log(2))
        sizes.append(len(sample["doc"]["text"].encode("utf-8")))
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
        right = float(sample[key]) > 0
        item["verdict"] = "passed" if right else "failed"
        item["answer"], item["target"] = (
            _short(sample["filtered_resps"][0]),
            _short(sample["target"]),
        )
    passed = sum(item["verdict"] == "passed" for item in items)
    low, high = intervals.wilson(passed, len(items))
    score = {
        "metric": "accuracy" if key == "acc" else "exact match",
        "higher_is_better": True,
        "value": passed / len(items),
        "interval": [low, high],
        "interval_method": "Wilson 95%",
        "verdicts": {"passed": passed, "failed": len(items) - passed},
    }
    beside = {}
    for name, other in (bench.definition.get("beside") or {}).items():
        chosen = [
            sample
            for many in samples.values()
            for sample in many
            if sample["filter"] == other["filter"]
        ]
        right = [float(sample[other["key"]]) > 0 for sample in chosen]
        main = [item["verdict"] == "passed" for item in items]
        differ = sum(one != two for one, two in zip(right, main, strict=True))
        beside[name] = {"value": sum(right) / len(right), "differs_on": differ}
    return {**score, "beside": beside} if beside else score


def _short(value: Any) -> str:
    return str(value)[:200]


def _write_verdicts(path: Path, items: Items) -> None:
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as out:
        for item in items:
            kept = {name: value for name, value in item.items() if not name.startswith("_")}
            out.write(json.dumps(kept, ensure_ascii=True, sort_keys=True) + "\n")
