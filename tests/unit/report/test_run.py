"""Time and memory by rule, the DAG, versions and differences, from jobs made up for the test."""

import json
from pathlib import Path

import pytest
from lemur.core.contracts import part
from lemur.core.provenance import ROOT, sha256_of
from lemur.core.record import JobRecord
from lemur.report import differences, graph, run
from lemur.trace.chain import Job


def job(number, script, seconds, reads=(), memory=100, **facts):
    return Job(
        number=number,
        outputs=[f"results/{number}"],
        facts=part(JobRecord, {
            "inputs": {},
            "command": f"workflow/env-run data python scripts/{script} --spec '{{}}'",
            "seconds": seconds, "started": f"2026-01-01T00:00:0{number}+00:00",
            "peak_memory_mb": memory, "output": {"path": f"results/{number}"}, **facts,
        }, "record"),
        inputs=[(f"results/{read}", "00", read) for read in reads],
    )  # fmt: skip


JOBS = [
    job(1, "1_corpus/download.py", 2),
    job(2, "1_corpus/clean.py", 4, [1]),
    job(3, "1_corpus/clean.py", 8, [1], memory=400),
    job(4, "4_pretrain/pretrain.py", 24, [1, 2, 3], hardware={"gpus": {"name": "x", "count": 300}}),
]


def test_rules_are_summed_in_running_order():
    rules = run.by_rule(JOBS)
    assert [
        (rule.name, rule.jobs, rule.seconds, rule.longest, rule.memory_mb) for rule in rules
    ] == [
        ("corpus/download", 1, 2, 2, 100),
        ("corpus/clean", 2, 12, 8, 400),
        ("pretrain/pretrain", 1, 24, 24, 100),
    ]
    assert [rule.share for rule in rules] == [2 / 24, 0.5, 1.0]
    assert rules[1].memory_share == 1.0 and rules[2].gpu_hours == 2.0


def test_the_span_is_from_the_first_start_to_the_last_end():
    assert run.span(JOBS) == "2026-01-01 00:00 to 00:00 UTC, 4 jobs of 38s together"
    late = job(5, "x/a.py", 90_000)
    assert run.span([late]) == "2026-01-01 00:00 to 2026-01-02 01:00 UTC, 1 job of 25h00m together"
    assert run.span([]) == ""


def test_the_drawing_leaves_out_what_follows_from_the_rest():
    assert graph.edges(JOBS) == {
        "corpus/download": set(),
        "corpus/clean": {"corpus/download"},
        "pretrain/pretrain": {"corpus/clean"},  # reads downloads too, by way of clean
    }
    drawn = graph.draw(JOBS)
    assert [node.label for node in drawn.nodes] == ["corpus/download", "corpus/clean (2 jobs)", "pretrain/pretrain"]  # fmt: skip
    assert len(drawn.arcs) == 2 and "pretrain/pretrain reads corpus/clean" in drawn.words
    assert graph.draw([]) is None


def test_a_rule_stands_below_what_it_reads_in_any_order_of_jobs():
    nodes = [node.label for node in graph.draw(JOBS[::-1]).nodes]
    assert nodes.index("corpus/clean (2 jobs)") < nodes.index("pretrain/pretrain")


def test_jobs_link_to_the_logs_that_are_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/a.log").write_text("x")
    jobs = [job(1, "x/a.py", 1, log="logs/a.log"), job(2, "x/b.py", 1, log="logs/b.log")]
    assert [one.log for one in run.listed(jobs, Path("results/report.html"))] == ["../logs/a.log", ""]  # fmt: skip


def test_jobs_of_a_cluster_link_to_what_the_scheduler_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = Path("logs/slurm/rule_pretrain/smoke/12.log")
    said.parent.mkdir(parents=True)
    said.write_text("slurmstepd: error: Detected 1 oom_kill event")
    jobs = [job(1, "x/a.py", 1, hardware={"slurm_job": "12"}), job(2, "x/b.py", 1)]
    listed = run.listed(jobs, Path("results/report.html"))
    assert [one.slurm for one in listed] == [f"../{said}", ""]


def test_training_that_was_continued_counts_all_its_steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("metrics.jsonl").write_text('{"seconds": 50}\n{"seconds": 60}\n')
    (rule,) = run.by_rule([job(1, "4_pretrain/pretrain.py", 70, outputs=["DONE.json", "metrics.jsonl"])])  # fmt: skip
    assert rule.seconds == rule.longest == 110


def test_of_thousands_of_jobs_the_longest_are_listed(monkeypatch):
    monkeypatch.setattr(run, "MOST_JOBS", 2)
    listed = run.listed(JOBS, Path("results/report.html"))
    assert [one.seconds for one in listed] == [8, 24]


def test_versions_come_from_the_lock_unless_it_changed():
    lock = {"environment": "figures", "variant": "cpu"}
    now = sha256_of(ROOT / "envs" / "figures" / "cpu.lock")
    same = job(1, "x/a.py", 1, lock={**lock, "sha256": now}, python="3.11.7")
    other = job(2, "x/b.py", 1, lock={**lock, "environment": "data", "sha256": "00" * 32})
    found = run.versions([same, other])
    assert found.changed == ["data cpu"] and found.environments == ["figures"]
    packages = dict(found.packages)
    assert packages["matplotlib"][0].count(".") == 2 and found.pythons == ["3.11.7"]


def test_differences_are_by_key_and_by_name(tmp_path):
    mine = {"name": "mini", "seed": 1, "pretrain": {"tokens": 5}, "sources": [{"name": "a", "mb": 1}, {"name": "b", "mb": 2}]}  # fmt: skip
    near = {**mine, "seed": 2}
    far = {**mine, "seed": 3, "pretrain": {"tokens": 9}, "sources": [{"name": "a", "mb": 1}]}
    paths = []
    for number, recipe in enumerate([far, near]):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(json.dumps(recipe))
    found, more = differences.others(mine, paths)
    assert more == 0 and [other.title for other in found] == ["mini 1", "mini 0"]
    assert found[0].rows == [("seed", "1", "2")]
    assert found[1].rows == [
        ("pretrain.tokens", "5", "9"), ("seed", "1", "3"),
        ("sources.b.mb", "2", "(not there)"), ("sources.b.name", '"b"', "(not there)"),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 12])
def test_only_the_nearest_runs_are_shown(tmp_path, count):
    paths = []
    for number in range(count):
        paths.append(tmp_path / f"{number:02}.json")
        paths[-1].write_text(json.dumps({"seed": number}))
    found, more = differences.others({"seed": -1}, paths)
    assert (len(found), more) == (min(count, 8), max(count - 8, 0))
