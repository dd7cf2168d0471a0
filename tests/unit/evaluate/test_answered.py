"""One process asks a model all of its benchmarks; each benchmark's job takes over what is its own."""

import json
import subprocess

import pytest
from lemur.evaluate import answered, engine, generation
from lemur.files import write_json
from lemur.provenance import ROOT
from lemur.run_lock import RUN


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
def asked(spec, humaneval, gsm8k):
    """(the spec of all benchmarks, their data)"""
    given = [spec(limit=3), spec("gsm8k", shots=2, limit=2)]
    return {"model": "start", "benchmarks": given}, [humaneval, gsm8k]


@pytest.fixture
def ask_all(monkeypatch):
    """Ask a model what a run has planned for it: as many benchmarks as there are data."""
    monkeypatch.setenv(RUN, "7")

    def run(spec, model, data, place, number="7"):
        planned = [
            {
                "spec": given,
                "data": str(source),
                "out": str(place / given["benchmark"] / "generations.jsonl"),
            }
            for given, source in zip(spec["benchmarks"], data, strict=False)
        ]
        path = place / "planned.json"
        write_json(path, {"run": number, "benchmarks": planned})
        answered.ask_planned(path, model)

    return run


def taken(asked, folder, place):
    """Each benchmark's generations as its own job writes them, or None."""
    found = {}
    for given, data in zip(asked[0]["benchmarks"], asked[1], strict=True):
        out = place / given["benchmark"] / "generations.jsonl"
        done = answered.take(given, folder, data, out)
        found[given["benchmark"]] = out.read_bytes() if done else None
    return found


def test_a_model_is_loaded_once_and_every_file_is_as_if_alone(
    asked, folder, tmp_path, loads, ask_all
):
    alone = {}
    for given, data in zip(asked[0]["benchmarks"], asked[1], strict=True):
        out = tmp_path / "alone" / given["benchmark"] / "generations.jsonl"
        generation.run(given, folder, data, out)
        alone[given["benchmark"]] = out.read_bytes()
    assert loads == [1, 1]
    place = tmp_path / "all"
    ask_all(asked[0], folder, asked[1], place)
    assert loads == [1, 1, 1]
    assert taken(asked, folder, place) == alone
    ask_all(asked[0], folder, asked[1], place)
    assert len(loads) == 3  # everything is ready


def test_one_more_benchmark_asks_that_one_alone(
    asked, folder, tmp_path, loads, monkeypatch, ask_all
):
    spec, data = asked
    place = tmp_path
    first = {**spec, "benchmarks": spec["benchmarks"][:1]}
    ask_all(first, folder, data[:1], place)
    seen = []
    kept = generation.ask
    monkeypatch.setattr(
        generation,
        "ask",
        lambda given, *more: seen.append(given["benchmark"]) or kept(given, *more),
    )
    ask_all(spec, folder, data, place)
    assert seen == ["gsm8k"] and len(loads) == 2


def test_what_is_ready_is_only_taken_for_the_same_settings(
    asked, folder, tmp_path, monkeypatch, ask_all
):
    spec, data = asked
    ask_all(spec, folder, data, tmp_path)
    given, out = spec["benchmarks"][0], tmp_path / "humaneval" / "generations.jsonl"
    assert answered.take(given, folder, data[0], out)
    whole = out.read_bytes()
    out.unlink()
    assert not answered.take({**given, "limit": 2}, folder, data[0], out)
    assert not answered.take(given, folder, data[1], out)
    ready = out.parent / "responses" / "ready"
    kept = ready.read_bytes()
    for damaged in (kept[:-9], kept.replace(b"response", b"respons3"), b"", b"5\n", b"[" * 99_999):
        ready.write_bytes(damaged)
        assert not answered.take(given, folder, data[0], out)
    ready.write_bytes(kept)
    with monkeypatch.context() as changed:
        changed.setattr(answered, "_code", lambda: "other code")
        assert not answered.take(given, folder, data[0], out)
    assert not out.exists() and not answered.take(5, folder, data[0], out)
    assert answered.take(given, folder, data[0], out) and out.read_bytes() == whole


def test_a_killed_run_continues_with_nothing_lost(asked, folder, tmp_path, monkeypatch, ask_all):
    from lemur.evaluate.store import Journal

    spec, data = asked
    whole = tmp_path / "whole"
    ask_all(spec, folder, data, whole)
    kept, added = Journal.add, []

    def add(self, entry):
        if len(added) == 4:  # three of humaneval, one of gsm8k
            raise KeyboardInterrupt
        added.append(entry)
        kept(self, entry)

    place = tmp_path / "cut"
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", add)
        with pytest.raises(KeyboardInterrupt):
            ask_all(spec, folder, data, place)
    again = []
    monkeypatch.setattr(
        Journal, "add", lambda self, entry: again.append(entry) or kept(self, entry)
    )
    ask_all(spec, folder, data, place)
    assert len(again) == 1
    assert taken(asked, folder, place) == taken(asked, folder, whole)


def test_a_benchmark_that_is_wrong_or_not_there_is_left_to_its_own_job(
    asked, folder, tmp_path, capsys, ask_all
):
    spec, data = asked
    next((data[0].parent / "files").iterdir()).write_bytes(b"replaced")
    ask_all(spec, folder, data, tmp_path)
    assert "humaneval: left to its own job" in (said := capsys.readouterr().err)
    assert "changed since its download" in said
    assert [name for name, made in taken(asked, folder, tmp_path).items() if made] == ["gsm8k"]
    ask_all(spec, folder, [tmp_path / "none", data[1]], tmp_path / "later")
    assert not (tmp_path / "later" / "humaneval").exists()


def test_what_another_run_has_planned_is_passed_over(asked, folder, tmp_path, ask_all):
    ask_all(*[asked[0], folder, asked[1], tmp_path / "out"], number="8")
    answered.ask_planned(tmp_path / "none.json", folder)
    assert not (tmp_path / "out" / "humaneval").exists()


def test_what_is_ready_is_taken_over_without_a_library_of_the_models(
    asked, folder, tmp_path, ask_all
):
    """By the rule's own command: many benchmarks take less time than loading these does."""
    spec, data = asked
    ask_all(spec, folder, data, tmp_path / "out")
    out = tmp_path / "out" / "gsm8k" / "generations.jsonl"
    script = ROOT / "scripts" / "6_evaluate" / "generate.py"
    given = ["--spec", json.dumps(spec["benchmarks"][1]), "--model", folder, "--data", data[1]]
    command = [ROOT / "workflow" / "env-run", "evaluate", "python", "-X", "importtime", script]
    done = subprocess.run(
        [*map(str, [*command, *given, "--out", out])], capture_output=True, text=True
    )
    assert done.returncode == 0 and out.is_file(), done.stderr[-2000:]
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "lemur.command" in imported and not {"torch", "transformers", "lm_eval"} & imported
