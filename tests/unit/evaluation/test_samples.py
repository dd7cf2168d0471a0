"""Prompt, answer and verdict of each problem, brought together from what a run writes."""

import hashlib

import pytest
from answered import scored
from lemur.core.errors import UserError
from lemur.evaluation import judging, sample, samples
from tiny_benchmarks import PROBLEMS, SUMS


def collected(given, manifest, folder, respond):
    """Samples, scores.json and the lines of verdicts.jsonl."""
    scores, verdicts, _ = scored(given, manifest, folder, respond)
    files = folder / "generations.jsonl", folder / "verdicts.jsonl"
    samples.run(given, *files, manifest, folder / "samples.jsonl")
    return sample.read(folder / "samples.jsonl"), scores, verdicts


def test_a_sample_has_the_prompt_that_was_asked_and_what_the_judge_said(spec, gsm8k, tmp_path):
    right = "The answer is 4."
    found, scores, verdicts = collected(spec("gsm8k"), gsm8k, tmp_path / "out", lambda doc: right)
    assert len(found) == len(verdicts) == scores["n"] == len(SUMS)
    for one, line in zip(found, verdicts, strict=True):
        assert (one.document, one.verdict, one.answer) == (line["document"], line["verdict"], line["answer"])  # fmt: skip
        assert hashlib.sha256(one.prompt.encode()).hexdigest() == line["prompt_sha256"]
        assert one.responses == (right,) and one.correct is (line["verdict"] == "passed")
        assert one.score == float(one.correct) and one.tokens == 1
    assert sum(one.correct for one in found) / len(found) == scores["value"]


def test_programs_are_judged_by_nobody_a_second_time(spec, humaneval, tmp_path, monkeypatch):
    """What a model wrote runs in the sandbox alone: bringing its samples together runs nothing."""
    given, out = spec("humaneval"), tmp_path / "out"
    scored(given, humaneval, out, lambda doc: "    return a + b\n")
    measured = []
    kept = judging.Bench.evaluate
    monkeypatch.setattr(judging.Bench, "evaluate", lambda bench, lm, metrics: measured.append(metrics) or kept(bench, lm, metrics=metrics))  # fmt: skip
    files = out / "generations.jsonl", out / "verdicts.jsonl"
    samples.run(given, *files, humaneval, out / "samples.jsonl")
    found = sample.read(out / "samples.jsonl")
    assert measured == [False] and [one.prompt for one in found] == [
        x["prompt"].strip() for x in PROBLEMS
    ]
    assert all(one.responses == ("    return a + b\n",) for one in found)


def test_verdicts_on_other_prompts_are_refused(spec, gsm8k, tmp_path):
    out = tmp_path / "out"
    collected(spec("gsm8k"), gsm8k, out, lambda doc: "4")
    path = out / "verdicts.jsonl"
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text(first.replace('"prompt_sha256": "', '"prompt_sha256": "0') + "".join(rest))
    with pytest.raises(UserError, match=r"verdicts\.jsonl: .* is asked otherwise now"):
        samples.run(spec("gsm8k"), out / "generations.jsonl", path, gsm8k, out / "samples.jsonl")
