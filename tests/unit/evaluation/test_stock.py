"""lm-eval's own tasks, run by lm-eval itself over the same data: prompts to the byte, and scores."""

import dataclasses
import json

import lm_eval
import pytest
from answered import Fixed, parquet
from lemur.evaluation.items import LoggedSample
from lemur.evaluation.tasks import STOCK, Bench
from lm_eval.tasks import TaskManager
from tiny_benchmarks import listing

SUBJECTS = ("anatomy", "world_religions")


def hub_folder(root, name, files, configs):
    """A folder that ``datasets`` takes for the hub's data set ``name`` where it is worked in."""
    folder = root / name
    folder.mkdir(parents=True)
    for path, data in files.items():
        (folder / path).write_bytes(data)
    lines = ["---", "configs:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, path in splits.items():
            lines += [f"  - split: {split}", f"    path: {path}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))


def manifest(folder, files):
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return listing(folder, *files)


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def gsm8k(mirror, tmp_path):
    (path,) = mirror("openai/grade-school-math/*/grade_school_math/data/test.jsonl")
    rows = [json.loads(line) for line in path.open()][:60]
    splits = {"train": "test.jsonl", "test": "test.jsonl"}
    hub_folder(tmp_path, "openai/gsm8k", {"test.jsonl": lines(rows)}, {"main": splits})
    return manifest(tmp_path / "ours", {"test.jsonl": lines(rows)}), ["gsm8k_cot"]


def bbh(mirror, tmp_path):
    mine, theirs, configs = {}, {}, {}
    for path in mirror("suzgunmirac/BIG-Bench-Hard/*/bbh/*.json"):
        rows = json.loads(path.read_text())["examples"][:12]
        mine[path.name] = json.dumps({"examples": rows}).encode()
        theirs[f"{path.stem}.jsonl"] = lines(rows)
        configs[path.stem] = {"test": f"{path.stem}.jsonl"}
    hub_folder(tmp_path, "SaylorTwift/bbh", theirs, configs)
    return manifest(tmp_path / "ours", mine), ["bbh_cot_fewshot"]


def mmlu(mirror, tmp_path):
    """Questions of the mirror (those that MINT asked) in the columns of the hub's tables."""
    from lemur.evaluation.benchmarks.mmlu_mint import MMLUOfMINT
    from lemur.evaluation.source import Source

    (path,) = mirror("xingyaoww/mint-bench/*/data/outputs/gpt-4-0613/F=None/max5_p2+tool+cd/"
                     "reasoning/mmlu/results.jsonl")  # fmt: skip
    given = manifest(tmp_path / "mint", {"results.jsonl": path.read_bytes()})
    found = MMLUOfMINT().read(Source(given), "results.jsonl")[""]["test"]
    named = [{k: one[k] for k in ("question", "choices", "answer")} for one in found]
    rows = {"dev": [], "test": []}
    for number, subject in enumerate(SUBJECTS):
        part = [{**one, "subject": subject} for one in named[number * 30 :][:30]]
        rows["dev"] += part[:5]
        rows["test"] += part[5:]
    files, configs = {}, {}
    for subject in SUBJECTS:
        configs[subject] = {}
        for split, many in rows.items():
            name = f"{subject}-{split}.parquet"
            files[name] = parquet([one for one in many if one["subject"] == subject])
            configs[subject][split] = name
    hub_folder(tmp_path, "cais/mmlu", files, configs)
    mine = {f"{split}-00000-of-00001.parquet": parquet(many) for split, many in rows.items()}
    return manifest(tmp_path / "ours", mine), [f"mmlu_{subject}" for subject in SUBJECTS]


def answer(document):
    """Right, right in another form, or wrong: by the length of the question."""
    text = document.get("input") or document["question"]
    if "choices" in document:
        return [float(-abs(choice - len(text) % 5)) for choice in range(4)]
    right = document.get("target") or document["answer"].split("####")[-1].strip()
    forms = ("So the answer is {}.", "The answer is {}.", "It is {}", "{}.00 or 7", "none")
    return forms[len(text) % 5].format(right)


@pytest.mark.parametrize(
    ("name", "part", "shots", "made"),
    [
        ("gsm8k_cot", "gsm8k", 8, gsm8k),
        ("bbh_cot_fewshot", "bbh/cot_fewshot", 3, bbh),
        ("mmlu", "mmlu/default", 5, mmlu),
    ],
)
def test_prompts_and_scores_are_lm_evals_own(
    spec, mirror, tmp_path, monkeypatch, name, part, shots, made
):
    data, tasks = made(mirror, tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    stock, own = Fixed(answer), Fixed(answer)
    theirs = lm_eval.simple_evaluate(
        model=stock, tasks=tasks, num_fewshot=shots if name == "mmlu" else None,
        task_manager=TaskManager(include_path=str(STOCK / part), include_defaults=False),
        bootstrap_iters=0, log_samples=True,
    )["samples"]  # fmt: skip
    bench = Bench(spec(name, task=name, shots=shots), data)
    ours = bench.evaluate(own, metrics=True)
    assert set(ours) == set(theirs) and len(ours) == (
        27 if name == "bbh_cot_fewshot" else len(tasks)
    )
    scores = set()
    for task, samples in theirs.items():
        assert len(samples) == len(ours[task]) > 0
        for one, two in zip(samples, ours[task], strict=True):
            same = LoggedSample.read(one)
            assert dataclasses.replace(two, document=None) == dataclasses.replace(
                same, document=None
            )
            scores.add(one.get("exact_match", one.get("acc")))
    assert sorted(map(str, stock.asked)) == sorted(map(str, own.asked))
    assert scores == {0.0, 1.0}  # both came up
