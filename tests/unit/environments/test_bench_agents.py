"""What make bench-agents measures and says: several ways to play the same episodes."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
from bench import agents, agents_report, served_model
from bench.agents_report import ANEW, INSPECT, KEPT, MINT, SERVED
from completion_server import CompletionServer
from lemur.agents import environments
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.inference.engine import Engine

ARGS = argparse.Namespace(model=Path("models/tiny/model"), limit=3, new=6, pause=0.2, note="Busy.")


@pytest.fixture(scope="module")
def rows(folder):
    """A row for each way, of the made environment in place of MINT's sets, and a server of its own."""
    suite = environments.load(
        "guessing", {"turns": 3}, ROOT / "tests" / "unit" / "agents" / "guessing"
    )
    engine = Engine(folder, "fp32", "cpu")
    made = {kept: agents.play_here(suite, engine, ARGS, kept) for kept in (True, False)}
    with CompletionServer(engine) as server, pytest.MonkeyPatch.context() as patched:
        server.chat = True
        patched.setattr(served_model, "forget", lambda url: None)
        alone = agents.play_served(suite, server.url, ARGS, 1)
        assert server.most == 1
        several = agents.play_served(suite, server.url, ARGS, 3)
    seconds = {KEPT: (1.0, 1.1, 0.9), ANEW: (4.0, 4.2, 3.7), MINT: (2.2, 2.3, 1.9)}
    ways = {KEPT: made[True], ANEW: made[False], MINT: alone, SERVED: several}
    return {
        (name, way): [replace(row, seconds=second) for second in seconds.get(way, (1, 1.2, 1.1))]
        for name in agents_report.SETS
        for way, row in ways.items()
    }


def test_the_ways_differ_in_what_is_encoded_and_not_in_what_is_said(rows):
    kept, anew, alone, served = (rows["gsm8k", way][0] for way in (KEPT, ANEW, MINT, SERVED))
    assert kept.said == anew.said == alone.said == served.said
    assert len(kept.said) == 3 and all(len(answers) == 3 for answers in kept.said)
    assert kept.reused > kept.encoded and anew.reused == 0 and alone.encoded is None
    assert anew.encoded == kept.encoded + kept.reused
    assert kept.tokens == anew.tokens == alone.tokens > 0


def test_the_page_says_ratios_goals_and_what_cannot_be_measured(rows):
    worlds = {"Python cell": (3.0, 2.0), "SQL query": (7.5, 4.0), "shell command": "no bubblewrap"}
    lines = agents_report.page(rows, worlds, ["Inspect is missing: why."], ARGS).splitlines()
    assert "Inspect is missing: why." in lines and "Busy." in lines
    (kept,) = [line for line in lines if line.startswith(f"| gsm8k | {KEPT} |")]
    assert kept.split("|")[3].strip() == "10800" and kept.endswith("| 9 | 3 of 3 |")
    (anew,) = [line for line in lines if line.startswith(f"| {KEPT}, to {ANEW}")]
    assert "| 3 | 3.97 (" in anew and anew.count("reached") == 2
    (alone,) = [line for line in lines if line.startswith(f"| {KEPT}, to {MINT}")]
    assert alone.count("not decided") + alone.count("reached") == 2
    inspect = [line for line in lines if line.startswith(("| vLLM", "| our")) and INSPECT in line]
    assert len(inspect) == 2 and all(line.count("not measured") == 2 for line in inspect)
    assert "| Python cell | 3.0, reached | 2.0 | 10 |" in lines
    assert "| SQL query | 7.5, missed | 4.0 | 5 |" in lines
    assert "| shell command | no bubblewrap | | 50 |" in lines


def test_what_is_not_there_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="make bench-agents downloads it"):
        agents._files(tmp_path, "mint")
    (tmp_path / "workflow").mkdir()
    run = tmp_path / "workflow" / "env-run"
    run.write_text("#!/bin/sh\necho 'env-run: vllm is not built' >&2; exit 2\n")
    run.chmod(0o755)
    monkeypatch.setattr(served_model, "ROOT", tmp_path)
    with pytest.raises(UserError, match="vllm is not built"), served_model.serve(tmp_path):
        pass


@pytest.mark.long
def test_inspect_plays_as_our_driver_does(folder, mint_data, tmp_path, monkeypatch, sandbox):
    monkeypatch.setattr(agents, "_files", lambda data, name: mint_data)
    monkeypatch.setattr(served_model, "forget", lambda url: None)
    suite = environments.load("mint", {"data": mint_data, "sets": ["gsm8k"]})
    with CompletionServer(Engine(folder, "fp32", "cpu")) as server:
        choice = {"text": "I see. <execute>1 + 1</execute>", "finish_reason": "stop"}
        made = {"choices": [choice], "usage": {"completion_tokens": 7}}
        monkeypatch.setattr(server, "complete", lambda body: made)
        monkeypatch.setattr(served_model, "SERVED", "tiny")
        args = argparse.Namespace(**{**vars(ARGS), "data": tmp_path})
        ours = agents.play_served(suite, server.url, args, 3)
        theirs = agents.play_by_inspect("gsm8k", server.url, args)
    assert theirs.said == ours.said and [len(said) for said in theirs.said] == [5, 5, 5]
