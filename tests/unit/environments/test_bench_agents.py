"""What make bench-agents measures and says: three ways to play the same episodes."""

import argparse
from pathlib import Path

import pytest
from bench import agents, agents_report
from bench.agents_report import ALONE, ANEW, KEPT
from lemur.agents import environments
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.inference.engine import Engine

ARGS = argparse.Namespace(model=Path("models/tiny/model"), limit=3, new=6, pause=0.2)


@pytest.fixture(scope="module")
def rows(folder):
    """A row for each way, of the made environment in place of MINT's sets."""
    suite = environments.load(
        "guessing", {"turns": 3}, ROOT / "tests" / "unit" / "agents" / "guessing"
    )
    engine = Engine(folder, "fp32", "cpu")
    made = {
        side: agents.play(suite, engine, ARGS, count, kept)
        for side, (count, kept) in agents_report.sides(ARGS.limit).items()
    }
    seconds = {KEPT: (1.0, 1.1, 0.9), ANEW: (4.0, 4.2, 3.7), ALONE: (2.2, 2.3, 1.9)}
    return {
        (name, side): [{**row, "seconds": second} for second in seconds[side]]
        for name in agents_report.SETS
        for side, row in made.items()
    }


def test_the_ways_differ_in_what_is_encoded_and_not_in_episodes(rows):
    kept, anew, alone = (rows["gsm8k", side][0] for side in (KEPT, ANEW, ALONE))
    assert kept["episodes"] == anew["episodes"] == alone["episodes"]
    assert len(kept["episodes"]) == 3 and all(
        len(episode.turns) == 3 for episode in kept["episodes"]
    )
    assert kept["reused"] > kept["encoded"] and anew["reused"] == alone["reused"] == 0
    assert anew["encoded"] == alone["encoded"] == kept["encoded"] + kept["reused"]


def test_the_page_says_ratios_goals_and_what_cannot_be_measured(rows):
    worlds = {"Python cell": (3.0, 10.0), "SQL query": (7.5, 5.0), "shell command": "no bubblewrap"}
    lines = agents_report.page(rows, worlds, agents.same, ARGS).splitlines()
    (kept,) = [line for line in lines if line.startswith(f"| gsm8k | {KEPT} |")]
    assert kept.split("|")[3].strip() == "3" and kept.split("|")[4].strip() == "10800"
    assert kept.endswith("| 9 | 3 of 3 |")
    (anew,) = [line for line in lines if line.startswith(f"| {KEPT} to {ANEW}")]
    assert "| 3 | 3.97 (" in anew and anew.count("reached") == 2
    (alone,) = [line for line in lines if line.startswith(f"| {KEPT} to {ALONE}")]
    assert alone.count("not decided") + alone.count("reached") == 2
    assert (
        "| Python cell | 3.0, reached | 10 |" in lines
        and "| SQL query | 7.5, missed | 5 |" in lines
    )
    assert "| shell command | no bubblewrap | 50 |" in lines


def test_data_that_are_not_there_are_one_line(tmp_path):
    with pytest.raises(UserError, match="make bench-agents downloads it"):
        agents._files(tmp_path, "mint")
