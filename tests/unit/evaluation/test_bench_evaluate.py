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


def test_ratios_are_theirs_over_ours():
    ours = {"minute": 30.0, "processor": 10.0, "tokens": 200, "seconds": 16.0, "value": 0.5, "n": 2,
            "answers": {"a": "x", "b": "y"}}  # fmt: skip
    theirs = {**ours, "minute": 20.0, "processor": 25.0, "tokens": 300, "seconds": 24.0, "value": 0.25,
              "answers": {"a": "x", "b": "z"}}  # fmt: skip
    cells = against_vllm.ratios([([ours] * 3, [theirs] * 3)], generation_report.by)
    assert [cell.split(" (")[0] for (cell,) in cells.values()] == [
        "1.50",
        "2.50",
        "1.00",
        "no",
        "1 of 2",
    ]


def row(side, benchmark, minute, batch=1, **changes):
    told = {"side": side, "benchmark": benchmark, "minute": minute, "batch": batch, "value": 0.5, "n": 2,
            "seconds": 120 / minute, "processor": 240 / minute, "tokens": 40, "answers": {"a": "x"}}  # fmt: skip
    return told | changes


def test_turns_are_compared_with_each_other_and_with_the_best_peer():
    """A machine that halves its speed in one turn changes no ratio."""
    rows, others = [], []
    for speed in (1.0, 0.5, 1.0):
        for name in BENCHMARKS:
            rows.append(row("ours", name, 20 * speed, 8))
            rows.append(row("lm-eval hf", name, 5 * speed))
            rows.append(row("lm-eval hf", name, 8 * speed, 4, value=0.0))
            others.append(row("vLLM", name, 10 * speed))
        others.append(row("vLLM in one process", BENCHMARKS[0], 15 * speed))
    told = generation_report.together(rows, others)
    assert told.endswith(
        "2.50 (2.50 to 2.50) to lm-eval's best batch, 4.00 (4.00 to 4.00) to its default, "
        "1.67 (1.67 to 1.67) to vLLM."
    )
    assert [one.middle for one in generation_report.judged([*rows, *others])] == pytest.approx(
        [2.5, 4 / 3, 2.5, 2.0]
    )
    args = argparse.Namespace(model=Path("some/model"), limit=2, new=8)
    page = generation_report.page(rows, (others, "vLLM is there."), None, args)
    best = "2.50 (2.50 to 2.50) (batch 4)"
    assert f"| to lm-eval's best batch | {best} | {best} |" in page
    default = "4.00 (4.00 to 4.00)"
    assert f"| to lm-eval's default (batch 1) | {default} | {default} |" in page
    assert "| to vLLM | 1.33 (1.33 to 1.33) | 2.00 (2.00 to 2.00) |" in page
    assert "| scores equal | no | no |" in page and "All became so narrow." in page
    assert page.count("| humaneval | ours | 8 | 3 | 20.0 |") == 1
    assert " cores" in page
    assert "to vLLM" not in generation_report.page(rows, ([], "It is not built."), None, args)


@pytest.mark.parametrize("set_by_us", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"])
def test_peers_run_without_our_variables(project, monkeypatch, set_by_us):
    monkeypatch.setenv(set_by_us, "ours")
    monkeypatch.setenv("LEMUR_OTHER", "kept")
    project(f'echo "<${set_by_us}> <$LEMUR_OTHER> <$CHANGED>" >&2; exit 1')
    found = peers.asked("side", ("vllm", "none.py"), Path("m"), {}, {"CHANGED": "yes"})
    assert found == ([], {}, "it ended with 1 (<> <kept> <yes>)")
