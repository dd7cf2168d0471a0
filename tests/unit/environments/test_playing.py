"""From a spec to episodes, verdicts and scores, by the scripts that the rules run."""

import importlib
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lemur.agents import environments, playing, scoring
from lemur.config import load
from lemur.core.provenance import ROOT

GUESSING = ROOT / "tests" / "unit" / "agents" / "guessing"


def script(name, spec, *arguments):
    command = [sys.executable, ROOT / "scripts" / "7_agents" / name, "--spec", json.dumps(spec)]
    return subprocess.run([*map(str, [*command, *arguments])], capture_output=True, text=True)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def spec():
    def made(**changes):
        given = {
            "environment": "guessing",
            "path": str(GUESSING),
            "model": "gold",
            "player": "gold",
        }
        return given | {"seed": 1} | changes

    return made


def test_gold_answers_are_played_and_judged_by_the_scripts(spec, tmp_path):
    out, scores = tmp_path / "episodes.jsonl", tmp_path / "scores.json"
    done = script("play.py", spec(), "--model", "none", "--data", tmp_path, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "5/5 episodes (100%)" in done.stderr
    head, *episodes = lines(out)
    assert [episode["end"] for episode in episodes] == ["solved"] * 5 and head["left_out"] == {}
    done = script("judge.py", spec(), "--episodes", out, "--data", tmp_path, "--out", scores)
    assert done.returncode == 0, done.stderr
    made = json.loads(scores.read_text())
    assert made["n"] == 5 and made["paper"]["value"] == made["strict"]["value"] == 100.0
    assert made["paper"]["interval"][0] < 60 and made["ends"] == {"solved": 5}
    assert len(lines(tmp_path / "verdicts.jsonl")) == 5
    assert {path.name.removesuffix(".prov.json") for path in tmp_path.glob("*.prov.json")} == {
        "episodes", "episodes.jsonl", "scores.json", "verdicts.jsonl"
    }  # fmt: skip


def test_the_same_settings_give_the_same_bytes(spec, tmp_path):
    made = []
    for place, batch in ((tmp_path / "a", 1), (tmp_path / "b", 16)):
        playing.run(spec(batch=batch), Path("none"), tmp_path, place / "episodes.jsonl")
        made.append((place / "episodes.jsonl").read_bytes())
    assert made[0] == made[1]


def test_a_model_plays_the_same_at_every_batch_size(spec, tmp_path, folder):
    made = []
    for batch in (1, 16):
        out = tmp_path / str(batch) / "episodes.jsonl"
        given = spec(
            player="model", model="chat", precision="fp32", batch=batch, settings={"turns": 3}
        )
        if batch == 1:
            done = script("play.py", given, "--model", folder, "--data", tmp_path, "--out", out)
            assert done.returncode == 0, done.stderr
        else:  # here, where the libraries are loaded already
            playing.run(given, folder, tmp_path, out)
        made.append(out.read_bytes())
    assert made[0] == made[1]
    episodes = lines(tmp_path / "1" / "episodes.jsonl")[1:]
    assert {episode["end"] for episode in episodes} == {"out of turns"}
    assert all(len(episode["turns"]) == 3 for episode in episodes)
    assert len({turn["answer"] for episode in episodes for turn in episode["turns"]}) == 3
    given = spec(player="model", model="chat", precision="fp32", settings={"turns": 3}, context=20)
    playing.run(given, folder, tmp_path, tmp_path / "full.jsonl")
    assert {line["end"] for line in lines(tmp_path / "full.jsonl")[1:]} == {"context full"}


def test_tasks_that_cannot_be_played_are_named_and_never_scored(spec, tmp_path, monkeypatch):
    suite = environments.load("guessing", {}, GUESSING)
    reason = "no such game here"
    monkeypatch.setattr(
        type(suite), "unplayable", lambda self, task: reason if task.id == "guess/1" else None
    )
    monkeypatch.setattr(environments, "load", lambda *_: suite)
    out, scores = tmp_path / "episodes.jsonl", tmp_path / "scores.json"
    playing.run(spec(limit=2), Path("none"), tmp_path, out)
    scoring.run(spec(limit=2), out, tmp_path, scores, tmp_path / "verdicts.jsonl")
    made = json.loads(scores.read_text())
    assert made["n"] == 2 and made["left_out"] == {"guess/1": reason}
    suite.dies = 99
    monkeypatch.setattr(
        type(suite), "gold", lambda self, task: ["die"] if task.id == "guess/0" else ["5"]
    )
    shutil.rmtree(tmp_path / "episodes")
    playing.run(spec(limit=2), Path("none"), tmp_path, out)
    scoring.run(spec(limit=2), out, tmp_path, scores, tmp_path / "verdicts.jsonl")
    made = json.loads(scores.read_text())
    assert made["n"] == 1 and made["left_out"]["guess/0"] == "world failed: the number is lost"
    assert made["paper"]["value"] == 0.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"environment": "mynt", "path": None}, "environment 'mynt'"),
        ({"settings": {"tirns": 3}}, "setting 'tirns'; did you mean 'turns'?"),
        ({"sampling": {"temprature": 1}}, "did you mean 'temperature'?"),
        ({"player": "golden"}, "player: 'golden'"),
        ({"limit": 0}, "limit: a whole number of at least 1, not 0"),
        ({"lmit": 1}, "did you mean 'limit'?"),
    ],
)
def test_a_wrong_setting_is_one_line(spec, tmp_path, changes, said):
    done = script(
        "play.py", spec(**changes), "--model", "none", "--data", tmp_path, "--out", tmp_path / "e"
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and said in errors[0] and not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]\n", '{"form": 9}\n', '{"form": 1, "settings": {}}\n']
)
def test_damaged_episodes_are_one_line(spec, tmp_path, text):
    (tmp_path / "e").write_text(text)
    done = script(
        "judge.py",
        spec(),
        "--episodes",
        tmp_path / "e",
        "--data",
        tmp_path,
        "--out",
        tmp_path / "s",
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize("name", sorted(load.catalogue("environments")))
def test_settings_are_the_arguments_of_the_class_with_their_values(name):
    """config/environments.yaml says what a recipe may change, and what it is without."""
    settings = load.catalogue("environments")[name]["settings"]
    module = importlib.import_module(f"lemur.agents.environments.{name}")
    known = inspect.signature(module.SUITE.__init__).parameters
    for setting, value in settings.items():
        default = known[setting].default
        assert (list(default) if isinstance(default, tuple) else default) == value, setting
