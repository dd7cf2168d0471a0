"""One process asks a model all of its benchmarks; each benchmark's job takes over what is its own."""

import json
import subprocess

import pytest
from lemur.config.scoring import ONLY
from lemur.errors import UserError
from lemur.evaluate import answered, engine, generation
from lemur.provenance import ROOT


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


def taken(asked, folder, place):
    """Each benchmark's generations as its own job writes them, or None."""
    found = {}
    for given, data in zip(asked[0]["benchmarks"], asked[1], strict=True):
        out = place / given["benchmark"] / "generations.jsonl"
        done = answered.take(given, folder, data, out)
        found[given["benchmark"]] = out.read_bytes() if done else None
    return found


def test_a_model_is_loaded_once_and_every_file_is_as_if_alone(asked, folder, tmp_path, loads):
    alone = {}
    for given, data in zip(asked[0]["benchmarks"], asked[1], strict=True):
        out = tmp_path / "alone" / given["benchmark"] / "generations.jsonl"
        generation.run(given, folder, data, out)
        alone[given["benchmark"]] = out.read_bytes()
    assert loads == [1, 1]
    marker = tmp_path / "all" / "answered.json"
    answered.ask_all(asked[0], folder, asked[1], marker)
    assert loads == [1, 1, 1]
    assert json.loads(marker.read_text()) == {"asked": ["humaneval", "gsm8k"], "left": []}
    assert taken(asked, folder, marker.parent) == alone
    answered.ask_all(asked[0], folder, asked[1], marker)
    assert len(loads) == 3  # everything is ready


def test_one_more_benchmark_asks_that_one_alone(asked, folder, tmp_path, loads, monkeypatch):
    spec, data = asked
    marker = tmp_path / "answered.json"
    first = {**spec, "benchmarks": spec["benchmarks"][:1]}
    answered.ask_all(first, folder, data[:1], marker)
    seen = []
    kept = generation.ask
    monkeypatch.setattr(
        generation,
        "ask",
        lambda given, *more: seen.append(given["benchmark"]) or kept(given, *more),
    )
    answered.ask_all(spec, folder, data, marker)
    assert seen == ["gsm8k"] and len(loads) == 2


def test_what_is_ready_is_only_taken_for_the_same_settings(asked, folder, tmp_path, monkeypatch):
    spec, data = asked
    answered.ask_all(spec, folder, data, tmp_path / "answered.json")
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


def test_a_killed_run_continues_with_nothing_lost(asked, folder, tmp_path, monkeypatch):
    from lemur.evaluate.store import Journal

    spec, data = asked
    whole = tmp_path / "whole" / "answered.json"
    answered.ask_all(spec, folder, data, whole)
    kept, added = Journal.add, []

    def add(self, entry):
        if len(added) == 4:  # three of humaneval, one of gsm8k
            raise KeyboardInterrupt
        added.append(entry)
        kept(self, entry)

    marker = tmp_path / "cut" / "answered.json"
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", add)
        with pytest.raises(KeyboardInterrupt):
            answered.ask_all(spec, folder, data, marker)
    assert not marker.exists()
    again = []
    monkeypatch.setattr(
        Journal, "add", lambda self, entry: again.append(entry) or kept(self, entry)
    )
    answered.ask_all(spec, folder, data, marker)
    assert len(again) == 1
    assert taken(asked, folder, marker.parent) == taken(asked, folder, whole.parent)


def test_a_benchmark_that_is_wrong_is_left_to_its_own_job(asked, folder, tmp_path, capsys):
    spec, data = asked
    next((data[0].parent / "files").iterdir()).write_bytes(b"replaced")
    marker = tmp_path / "answered.json"
    answered.ask_all(spec, folder, data, marker)
    assert json.loads(marker.read_text()) == {"asked": ["gsm8k"], "left": ["humaneval"]}
    assert "changed since its download" in capsys.readouterr().err
    with pytest.raises(UserError, match="no such model folder"):
        answered.ask_all(spec, tmp_path / "none", data, marker)
    with pytest.raises(UserError, match="as many items as --data has files"):
        answered.ask_all(spec, folder, data[:1], marker)


def test_whoever_names_single_scores_asks_no_others(asked, folder, tmp_path, monkeypatch):
    spec, data = asked
    marker = tmp_path / "out" / "answered.json"
    monkeypatch.setenv(ONLY, "chat/humaneval start/gsm8k")
    answered.ask_all(spec, folder, data, marker)
    assert json.loads(marker.read_text())["asked"] == ["gsm8k"]
    assert not (marker.parent / "humaneval").exists()


def test_what_is_ready_is_taken_over_without_a_library_of_the_models(asked, folder, tmp_path):
    """By the rule's own command: many benchmarks take less time than loading these does."""
    spec, data = asked
    answered.ask_all(spec, folder, data, tmp_path / "out" / "answered.json")
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
