"""What make bench-evaluate says of vLLM, where it ran and where it could not."""

import argparse
from pathlib import Path

import pytest
from bench import against_vllm, generation_report
from bench import generation_peers as peers
from bench.generation_report import BENCHMARKS


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose env-run does what a test writes."""
    monkeypatch.setattr(against_vllm, "ROOT", tmp_path)
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    (tmp_path / "workflow").mkdir()
    (tmp_path / ".envs" / "vllm").mkdir(parents=True)

    def make(script: str, stamp: str = "cpu abc 3.11") -> None:
        run = tmp_path / "workflow" / "env-run"
        run.write_text(f"#!/bin/sh\n{script}\n")
        run.chmod(0o755)
        (tmp_path / ".envs" / "vllm" / "lock.stamp").write_text(stamp)

    return make


@pytest.mark.parametrize(
    ("script", "stamp", "said"),
    [
        ("echo 'environment vllm is not built' >&2; exit 2", "cpu a 3.11", "is not built."),
        ("exit 0", "cuda a 3.11", "built from cuda.lock."),
        ('[ "$2" = true ] || { echo one >&2; echo no memory >&2; exit 3; }', "cpu a 3.11",
         "vLLM in one process is missing: it ended with 3 (no memory)."),
    ],
)  # fmt: skip
def test_a_peer_that_cannot_run_is_one_line(project, script, stamp, said):
    project(script, stamp)
    rows, line = against_vllm.rows(Path("model"), {"humaneval": ({}, Path("data"))})
    assert rows == [] and line.startswith("vLLM is ") and line.endswith(said)
    assert "\n" not in line


def test_ratios_are_ours_over_theirs():
    ours = {"minute": 30.0, "processor": 10.0, "tokens": 200, "seconds": 16.0, "value": 0.5, "n": 2,
            "answers": {"a": "x", "b": "y"}}  # fmt: skip
    theirs = {**ours, "minute": 20.0, "processor": 25.0, "tokens": 300, "seconds": 24.0, "value": 0.25,
              "answers": {"a": "x", "b": "z"}}  # fmt: skip
    cells = against_vllm.ratios([(ours, theirs)])
    assert list(cells.values()) == [["1.50"], ["2.50"], ["1.00"], ["no"], ["1 of 2"]]


def row(side, benchmark, minute, batch=1, **changes):
    told = {"side": side, "benchmark": benchmark, "minute": minute, "batch": batch, "value": 0.5, "n": 2,
            "seconds": 120 / minute, "processor": 240 / minute, "tokens": 40, "answers": {"a": "x"}}  # fmt: skip
    return told | changes


def test_our_slower_run_and_their_quicker_one_count():
    names = BENCHMARKS
    rows = [row("ours", name, minute) for minute in (30, 20) for name in names]
    rows += [row("lm-eval hf", name, 5) for name in names]
    rows += [row("lm-eval hf", name, 8, 4, value=0.0) for name in names]
    others = [row("vLLM", names[0], 10), row("one", names[0], 15), row("vLLM", names[1], 10)]
    assert generation_report.slower(rows, names[0])["minute"] == 20
    assert against_vllm.quickest(others, names[0])["side"] == "one"
    told = generation_report.together(rows, others)
    assert told.endswith("2.50 to lm-eval's best batch, 4.00 to its default, 1.67 to vLLM.")
    args = argparse.Namespace(model=Path("some/model"), limit=2, new=8)
    page = generation_report.page(rows, (others, "vLLM is there."), None, args)
    assert "| to lm-eval's best batch | 2.50 (batch 4) | 2.50 (batch 4) |" in page
    assert "| to lm-eval's default (batch 1) | 4.00 | 4.00 |" in page
    assert "| to vLLM | 1.33 | 2.00 |" in page and "| scores equal | no | no |" in page
    assert page.count("| humaneval | ours |") == 2
    assert "to vLLM" not in generation_report.page(rows, ([], "It is not built."), None, args)


@pytest.mark.parametrize("set_by_us", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"])
def test_peers_run_without_our_variables(project, monkeypatch, set_by_us):
    monkeypatch.setenv(set_by_us, "ours")
    monkeypatch.setenv("LEMUR_OTHER", "kept")
    project(f'echo "<${set_by_us}> <$LEMUR_OTHER> <$CHANGED>" >&2; exit 1')
    found = peers.asked("side", ("vllm", "none.py"), Path("m"), {}, {"CHANGED": "yes"})
    assert found == ([], {}, "it ended with 1 (<> <kept> <yes>)")
