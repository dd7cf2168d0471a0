"""Judge recorded generations: lm-eval's metrics over a replay, or programs in the sandbox."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.core.files import write_json, write_text
from lemur.core.log import logger
from lemur.evaluation import executed, fingerprint, intervals, paper_filters, response_journal
from lemur.evaluation.items import Item
from lemur.evaluation.lm import LONGEST, ReplayLM
from lemur.evaluation.tasks import Bench
from lemur.evaluation.verdicts import FAILED, FILE, PASSED, SCORED, write_verdicts

VERSION = 7  # of judging
Sample = dict[str, Any]  # of lm-eval


@dataclass(frozen=True)
class Replay:
    """A benchmark asked again of what was recorded. ``settings`` and ``recorded`` are of the
    generations; ``samples`` are lm-eval's, by task."""

    bench: Bench
    settings: dict[str, Any]
    recorded: dict[str, dict[str, Any]]
    lm: ReplayLM
    samples: dict[str, list[Sample]]


def replay(spec: dict[str, Any], generations: Path, data: Path) -> Replay:
    """Ask the benchmark of ``spec`` again; nothing is generated. Programs are not run: what judges them
    is no metric of lm-eval's."""
    fingerprint.check(spec)
    bench = Bench(spec, data)
    found, recorded = response_journal.read(generations)
    response_journal.refuse_other(generations, found, fingerprint.collect(spec, bench))
    measured = bench.benchmark.judge is None
    lm = ReplayLM(recorded, str(generations), LONGEST if measured else None)
    return Replay(bench, found, recorded, lm, bench.evaluate(lm, metrics=measured))


def run(spec: dict[str, Any], generations: Path, data: Path, out: Path) -> None:
    """Write ``out`` (scores.json) and beside it ``verdicts.jsonl`` and ``prompt.txt``, the first
    problem as the model got it. Nothing is generated."""
    replayed = replay(spec, generations, data)
    bench, found, lm = replayed.bench, replayed.settings, replayed.lm
    recorded, samples, judge = replayed.recorded, replayed.samples, bench.benchmark.judge
    _mark_refused(samples, lm)
    items = [
        _item(name, sample)
        for name in bench.tasks
        for sample in samples[name]
        if sample["filter"] == _filter(bench, sample)
    ]
    if judge is not None:
        score = executed.score(spec, bench, judge(bench.source), items)
    elif "coded" in bench.definition:
        score = _bits(items, bench.definition["coded"])
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
        "prompt_sha256": items[0].prompt_sha256,
        "prompts_sha256": _prompts(items),
        "version": _version(spec, bench),
        "model_sha256": found["model_sha256"],
        "responses": _responses(used),
        "sandbox": None,
        "judged": True,
        "reason": None,
        **score,
    }
    first = str(items[0].sample["arguments"][0][0])
    shown = first.encode("utf-8", "backslashreplace").decode()
    write_text(out.parent / "prompt.txt", shown)
    write_verdicts(out.parent / FILE, (item.recorded() for item in items))
    write_json(out, scores)
    if scores["value"] is None:
        logger.warning(f"{bench.name} {spec['model']}: not judged: {scores['reason']}")


def _mark_refused(samples: dict[str, list[Sample]], lm: ReplayLM) -> None:
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


def _item(task: str, sample: Sample) -> Item:
    prompt = str(sample["arguments"][0][0])
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()
    return Item(task, digest, sample)


def _prompts(items: list[Item]) -> str:
    together = "\n".join(item.prompt_sha256 for item in items)
    return hashlib.sha256(together.encode()).hexdigest()


def _version(spec: dict[str, Any], bench: Bench) -> str:
    from importlib.metadata import version

    own = spec.get("version", 1)
    tasks = ",".join(sorted({str(task.VERSION) for task in bench.tasks.values()}))
    return f"{own} (task {tasks}, judge {VERSION}, lm-eval {version('lm-eval')})"


def _responses(used: list[dict[str, Any]]) -> dict[str, Any]:
    """What a reader must know before believing a score: how answers ended, how many are empty."""
    finish = Counter(entry["finish"] for entry in used if "finish" in entry)
    empty = sum(1 for entry in used if isinstance(entry["response"], str) and not entry["response"])
    return {
        "finish": dict(sorted(finish.items())),
        "empty": empty,
        "truncated_prompts": sum(1 for entry in used if entry.get("truncated")),
        "tokens": sum(entry.get("tokens", 0) for entry in used),
    }


def _bits(items: list[Item], field: str) -> dict[str, Any]:
    """-log2 p summed over documents, by the UTF-8 bytes of their ``field`` summed over documents."""
    bits, sizes = [], []
    for item in items:
        sample = item.sample
        response = sample["resps"][0][
            0
        ]  # of an action: its likelihood, and whether it is the likeliest
        likelihood = response[0] if isinstance(response, list | tuple) else response
        bits.append(-float(likelihood) / math.log(2))
        sizes.append(len(sample["doc"][field].encode("utf-8")))
        item.notes |= {"bits": round(bits[-1], 4), "bytes": sizes[-1]}
        item.verdict = SCORED
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


def _shares(bench: Bench, samples: dict[str, list[Sample]], items: list[Item]) -> dict[str, Any]:
    key = bench.definition["score"]["key"]
    for item in items:
        sample = item.sample
        right = _right(sample, bench.definition["score"])
        item.verdict = PASSED if right else FAILED
        if right and _otherwise_written(sample, bench.definition["score"]):
            item.notes["otherwise_written"] = True
        item.notes["answer"] = _short(sample["filtered_resps"][0])
        item.notes["target"] = _short(sample["target"])
    main = [item.verdict == PASSED for item in items]
    weights, alike = [1.0] * len(items), bench.definition.get("average") == "tasks"
    if alike:  # a task weighs as much as any other, however many problems it has
        sizes = Counter(item.task for item in items)
        weights = [1.0 / sizes[item.task] for item in items]
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
        score["otherwise_written"] = sum("otherwise_written" in item.notes for item in items)
    beside = {}
    for name, other in (bench.definition.get("beside") or {}).items():
        chosen = [
            sample
            for task in bench.tasks
            for sample in samples[task]
            if sample["filter"] == other["filter"]
        ]
        right = [_right(sample, other) for sample in chosen]
        differ = sum(by_other != by_main for by_other, by_main in zip(right, main, strict=True))
        value, _ = intervals.weighted_share(right, weights)
        beside[name] = {"value": value, "differs_on": differ}
    return {**score, "beside": beside} if beside else score


def _right(sample: dict[str, Any], how: dict[str, str]) -> bool:
    """By lm-eval's metric, or by a comparison that passes over case and punctuation."""
    if sample["refused"]:
        return False
    if how.get("compare") == "loosely":
        return paper_filters.loosely(str(sample["filtered_resps"][0]), str(sample["target"]))
    return float(sample[how["key"]]) > 0


def _otherwise_written(sample: dict[str, Any], how: dict[str, str]) -> bool:
    """Whether an answer differs from its target in more than case: 2.5 is right where 25 is asked
    for, and any brackets are where brackets are, if punctuation is passed over."""
    answer, target = (
        str(value).strip().lower() for value in (sample["filtered_resps"][0], sample["target"])
    )
    return how.get("compare") == "loosely" and answer != target


def _short(value: Any) -> str:
    return str(value)[:200]
