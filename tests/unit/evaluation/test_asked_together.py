"""A job goes on with what its run asks the same model; each benchmark's job takes over its own."""

import dataclasses
import json
import os
import subprocess
import threading

import pytest
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.core.provenance import ROOT
from lemur.core.run_lock import RUN
from lemur.evaluation import asked_together, generation
from lemur.evaluation.asked_together import Benchmark, answer
from lemur.evaluation.response_journal import Journal
from lemur.inference import engine


@pytest.fixture
def loads(monkeypatch):
    """How often a model was loaded."""
    counts = []
    kept = engine.Engine.__init__

    def load(self, *given):
        counts.append(1)
        kept(self, *given)

    monkeypatch.setattr(engine.Engine, "__init__", load)
    return counts


@pytest.fixture
def asked(monkeypatch):
    """The benchmarks that were asked, in order."""
    names = []
    kept = generation.ask

    def ask(spec, *given):
        names.append(spec.benchmark)
        return kept(spec, *given)

    monkeypatch.setattr(generation, "ask", ask)
    return names


@pytest.fixture
def three(spec, humaneval, gsm8k):
    """Three benchmarks that a run asks one model, below a folder, and the plan of run 7."""

    def make(place, number="7"):
        given = [
            (spec(limit=3), humaneval),
            (spec("gsm8k", shots=2, limit=2), gsm8k),
            (spec("gsm8k_fewer", task="gsm8k_cot", shots=1, limit=1), gsm8k),
        ]
        benchmarks = [
            Benchmark(one, data, place / one.benchmark / "generations.jsonl") for one, data in given
        ]
        listed = [
            {
                "spec": contracts.plain(benchmark.spec),
                "data": str(benchmark.data),
                "out": str(benchmark.out),
            }
            for benchmark in benchmarks
        ]
        write_json(place / "planned.json", {"run": number, "benchmarks": listed})
        return benchmarks, place / "planned.json"

    return make


@pytest.fixture(autouse=True)
def in_run_7(monkeypatch):
    monkeypatch.setenv(RUN, "7")


def command(benchmark, folder, planned, *options):
    """What the rule ``generate`` runs."""
    given = [
        "--spec",
        json.dumps(contracts.plain(benchmark.spec)),
        "--model",
        folder,
        "--data",
        benchmark.data,
    ]
    script = ROOT / "scripts" / "6_evaluate" / "generate.py"
    python = [ROOT / "workflow" / "env-run", "evaluate", "python", *options]
    more = ["--planned", planned, "--out", benchmark.out]
    return [str(word) for word in [*python, script, *given, *more]]


def test_the_first_job_asks_everything_and_the_others_load_no_library(three, folder, tmp_path):
    """By the rule's own command, which also takes the run's number out of its environment."""
    benchmarks, planned = three(tmp_path, str(os.getpid()))
    environment = {**os.environ, RUN: str(os.getpid())}
    for benchmark in benchmarks:
        done = subprocess.run(
            command(benchmark, folder, planned, "-X", "importtime"),
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert done.returncode == 0 and benchmark.out.is_file(), done.stderr[-2000:]
        imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
        first = benchmark is benchmarks[0]
        assert ({"torch", "lm_eval"} <= imported) is first and "lemur.core.command" in imported
        assert all(other.ready.is_file() for other in benchmarks)


def test_a_model_is_loaded_once_and_every_file_is_as_if_alone(three, folder, tmp_path, loads):
    alone, _ = three(tmp_path / "alone")
    for benchmark in alone:
        answer(benchmark, folder)
    assert len(loads) == 3
    together, planned = three(tmp_path / "together")
    for benchmark in together:
        answer(benchmark, folder, planned)
    assert len(loads) == 4
    for one, other in zip(alone, together, strict=True):
        assert one.out.read_bytes() == other.out.read_bytes()
        assert sorted(path.name for path in one.out.parent.iterdir()) == sorted(
            path.name for path in other.out.parent.iterdir()
        )


def test_one_more_benchmark_asks_that_one_alone(three, folder, tmp_path, asked):
    benchmarks, planned = three(tmp_path)
    for benchmark in benchmarks[:2]:
        answer(benchmark, folder)
    answer(benchmarks[2], folder, planned)
    assert asked == ["humaneval", "gsm8k", "gsm8k_fewer"]


def test_two_jobs_at_a_time_ask_each_benchmark_once(three, folder, tmp_path, monkeypatch, asked):
    """The second job goes on with what is left, and waits only for its own."""
    benchmarks, planned = three(tmp_path)
    begun, go_on = threading.Event(), threading.Event()
    kept = generation.ask

    def ask(given, *more):
        if given.benchmark == "gsm8k" and threading.current_thread() is first:
            begun.set()
            assert go_on.wait(60)
        if given.benchmark == "gsm8k_fewer":
            go_on.set()
        return kept(given, *more)

    monkeypatch.setattr(generation, "ask", ask)
    first = threading.Thread(target=answer, args=(benchmarks[0], folder, planned))
    first.start()
    assert begun.wait(60)
    answer(benchmarks[1], folder, planned)
    first.join()
    assert sorted(asked) == ["gsm8k", "gsm8k_fewer", "humaneval"]
    assert benchmarks[0].out.is_file() and benchmarks[1].out.is_file()
    assert benchmarks[2].ready.is_file() and not benchmarks[2].out.exists()


def test_what_is_ready_is_only_taken_for_the_same_settings(
    three, folder, tmp_path, monkeypatch, asked
):
    (benchmark, other, _), _ = three(tmp_path)
    answer(benchmark, folder)
    whole = benchmark.out.read_bytes()

    def taken(changed):
        """Whether the answers are taken over; nothing is asked here where they are not."""
        benchmark.out.unlink(missing_ok=True)
        monkeypatch.setattr("lemur.evaluation.tasks.Bench", lambda *_: pytest.fail("asked"))
        try:
            answer(changed, folder)
        except pytest.fail.Exception:
            return False
        return benchmark.out.read_bytes() == whole

    assert taken(benchmark)
    fewer = dataclasses.replace(benchmark.spec, limit=2)
    assert not taken(dataclasses.replace(benchmark, spec=fewer))
    assert not taken(dataclasses.replace(benchmark, data=other.data))
    kept = benchmark.ready.read_bytes()
    for damaged in (kept[:-9], kept.replace(b"response", b"respons3"), b"", b"5\n", b"[" * 99_999):
        benchmark.ready.write_bytes(damaged)
        assert not taken(benchmark)
    benchmark.ready.write_bytes(kept)
    with monkeypatch.context() as patched:
        patched.setattr(asked_together, "_code", lambda folder: "other code")
        assert not taken(benchmark)
    assert taken(benchmark) and asked == ["humaneval"]


def test_another_benchmark_whose_settings_are_wrong_is_left_to_its_own_job(
    three, folder, tmp_path, capsys, asked
):
    (benchmark, *_), planned = three(tmp_path)
    planned.write_text(planned.read_text().replace('"limit": 2', '"limit": 0'))
    answer(benchmark, folder, planned)
    assert (
        capsys.readouterr().err.count("warning: gsm8k: left to its own job: --spec: limit: 0") == 1
    )
    assert asked == ["humaneval", "gsm8k_fewer"]


def test_a_killed_run_continues_with_nothing_lost(three, folder, tmp_path, monkeypatch):
    whole, planned = three(tmp_path / "whole")
    for benchmark in whole:
        answer(benchmark, folder, planned)
    kept, added = Journal.add, []

    def add(self, entry):
        if len(added) == 4:  # three of humaneval, one of gsm8k
            raise KeyboardInterrupt
        added.append(entry)
        kept(self, entry)

    cut, planned = three(tmp_path / "cut")
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", add)
        with pytest.raises(KeyboardInterrupt):
            answer(cut[0], folder, planned)
    again = []
    monkeypatch.setattr(
        Journal, "add", lambda self, entry: again.append(entry) or kept(self, entry)
    )
    monkeypatch.setenv(RUN, "8")
    cut, planned = three(tmp_path / "cut", "8")
    for benchmark in cut:
        answer(benchmark, folder, planned)
    assert len(again) == 2
    assert [one.out.read_bytes() for one in cut] == [one.out.read_bytes() for one in whole]


def test_another_benchmark_that_is_wrong_is_tried_once_and_left_to_its_own_job(
    three, folder, tmp_path, capsys, asked
):
    benchmarks, planned = three(tmp_path)
    wrong = dataclasses.replace(benchmarks[0], data=tmp_path / "none.json")
    damaged = next((benchmarks[0].data.parent / "files").iterdir())
    damaged.write_bytes(b"replaced")
    answer(benchmarks[1], folder, planned)
    assert capsys.readouterr().err.count("warning: humaneval: left to its own job: ") == 1
    benchmarks[1].ready.unlink()  # as if it had to be asked again
    answer(benchmarks[1], folder, planned)
    assert "humaneval" not in capsys.readouterr().err
    with pytest.raises(UserError, match="changed since its download"):
        answer(benchmarks[0], folder, planned)
    with pytest.raises(FileNotFoundError):
        answer(wrong, folder, planned)
    assert asked == ["gsm8k", "gsm8k_fewer", "gsm8k"] and not benchmarks[0].ready.exists()


def test_what_kills_another_benchmark_does_not_kill_a_second_job(
    three, folder, tmp_path, monkeypatch
):
    """A job that was killed while it asked another's is tried again, and leaves that one alone."""
    benchmarks, planned = three(tmp_path)
    kept = generation.ask

    def ask(given, *more):
        if given.benchmark == "gsm8k":
            raise SystemExit(137)  # too little memory
        return kept(given, *more)

    monkeypatch.setattr(generation, "ask", ask)
    with pytest.raises(SystemExit):
        answer(benchmarks[0], folder, planned)
    for benchmark in (benchmarks[0], benchmarks[2]):
        answer(benchmark, folder, planned)
        assert benchmark.out.is_file()
    with pytest.raises(SystemExit):
        answer(benchmarks[1], folder, planned)


def test_a_models_own_mistake_is_said_once(three, tmp_path, capsys):
    benchmarks, planned = three(tmp_path)
    with pytest.raises(UserError, match="no such model folder"):
        answer(benchmarks[0], tmp_path / "none", planned)
    assert capsys.readouterr().err == ""


def test_what_another_run_has_planned_is_passed_over(three, folder, tmp_path, asked):
    benchmarks, planned = three(tmp_path, number="8")
    answer(benchmarks[0], folder, planned)
    answer(benchmarks[1], folder, tmp_path / "none.json")
    assert asked == ["humaneval", "gsm8k"]


def test_without_locks_a_job_still_answers(three, folder, tmp_path, monkeypatch, capsys):
    import errno
    import fcntl

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    benchmarks, planned = three(tmp_path)
    answer(benchmarks[0], folder, planned)
    assert benchmarks[0].out.is_file()
    assert "no lock can be held here" in capsys.readouterr().err
