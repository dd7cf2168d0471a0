"""Bits per byte are judged where they were asked; the job that judges takes that over unread."""

import dataclasses
import json
import subprocess

import pytest
from lemur.core import contracts
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT
from lemur.evaluation import judged_early, judging
from lemur.evaluation.asked_together import Benchmark, answer


@pytest.fixture
def asked(spec, folder, tmp_path):
    """A benchmark of two documents that a model was asked."""
    data = tmp_path / "heldout.jsonl"
    lines = [{"id": str(n), "text": text} for n, text in enumerate(("def f(): pass\n", "no é\n"))]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = spec("bits_per_byte_text", task="bits_per_byte")
    benchmark = Benchmark(given, data, tmp_path / "early" / "generations.jsonl")
    answer(benchmark, folder)
    return benchmark


def judge(benchmark, out, **changed):
    """What the rule ``judge`` runs; the modules that it loaded."""
    given = json.dumps(
        {**contracts.plain(benchmark.spec), "sandbox": {"runtime": "auto"}, **changed}
    )
    done = subprocess.run(
        [ROOT / "workflow/env-run", "evaluate", "python", "-X", "importtime",
         ROOT / "scripts/6_evaluate/judge.py", "--spec", given, "--data", benchmark.data,
         "--generations", benchmark.out, "--out", out],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}


def test_what_is_taken_over_is_what_judging_writes_and_loads_no_library(asked, tmp_path):
    judging.run(asked.spec, asked.out, asked.data, tmp_path / "alone" / "scores.json")
    assert not {"torch", "lm_eval"} & judge(asked, asked.out.with_name("scores.json"))
    for name in judged_early.FILES:
        made = asked.out.with_name(name).read_bytes()
        assert made and made == (tmp_path / "alone" / name).read_bytes()


def test_other_answers_settings_or_damage_are_judged_anew(asked, tmp_path):
    out, code = tmp_path / "out" / "scores.json", {"evaluation": "a digest"}

    def taken(spec=asked.spec, code=code):
        return judged_early.take(spec, asked.out, asked.data, out, code)

    assert not taken()  # of other code
    judged_early.store(asked.spec, asked.out.read_bytes(), asked.out, asked.data, code, judging.run)
    assert taken() and not taken(dataclasses.replace(asked.spec, version=2)) and not taken(code={})
    kept = asked.out.read_bytes()
    asked.out.write_bytes(kept.replace(b'"tokens": ', b'"tokens": 1'))
    assert asked.out.read_bytes() != kept and not taken()
    asked.out.write_bytes(kept)
    before = sha256_of(out)
    asked.data.write_text(asked.data.read_text() + "\n")
    assert not taken()
    (asked.out.parent / "responses" / "judged" / "verdicts.jsonl").write_text("cut")
    assert not taken() and sha256_of(out) == before
