"""`snakemake diff`: values, stages, hours and paired differences of two recipes or two runs."""

import subprocess
import sys

import pytest
import trial_run
from lemur.config import recipe
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.diff import side, text
from lemur.diff.stages import STAGES, changes

TRAINED = ["pretrain", "sft", "scores of pretrained", "scores of chat"]


@pytest.fixture(scope="module")
def mini():
    return recipe.resolve("mini")


def named(first, second):
    changed, same = changes(first, second)
    assert [*(one.stage for one in changed), *same] != []
    return [one.stage for one in changed]


@pytest.mark.parametrize("values, stages", [
    ({}, []),
    ({"mixture.code_to_text": 3}, ["mixture", "pack", *TRAINED]),
    ({"pretrain.optimizer.learning_rate": 0.002}, TRAINED),
    ({"sft.optimizer.learning_rate": 0.002}, ["sft", "scores of chat"]),
    ({"evaluate.benchmarks.gsm8k.limit": 8}, ["scores of start", "scores of pretrained", "scores of chat"]),
])  # fmt: skip
def test_a_stage_differs_by_its_own_settings_or_by_what_it_reads(mini, values, stages):
    """The table of config/README.md, of which tests/e2e/test_reruns.py asks Snakemake itself."""
    assert named(mini, recipe.resolve("mini", values)) == stages


def test_another_corpus_is_made_anew_and_the_name_alone_changes_nothing(mini):
    changed = named(mini, recipe.resolve("mini-registry"))
    assert {"corpus downloads", "clean", "tokenize", "mixture", "heldout", *TRAINED} <= set(changed)
    assert "instruction downloads" not in changed and "base" not in changed
    assert named(mini, {**mini, "name": "other", "description": "x"}) == []
    assert {stage.name for stage in STAGES} >= set(changed)


def run(folder, resolved, right):
    """A finished run: its recipe, and how many of 40 problems each model solves."""
    kept = trial_run.write_file(folder / "recipes" / ("0" * 16 + ".json"), resolved)
    assert kept.is_file()
    for (model, benchmark), value in right.items():
        score = trial_run.score(benchmark, model, value, n=40, of=1319)
        place = folder / "evaluate" / model / benchmark
        trial_run.write_file(place / "scores.json", score)
        trial_run.write_file(place / "verdicts.jsonl", trial_run.verdicts(score))
    return str(folder)


def told(*folders):
    return text.lines(*(side.read(folder) for folder in folders))


def test_two_runs_are_compared_on_the_same_problems(mini, tmp_path):
    right = {("chat", "gsm8k"): 0.25, ("start", "bits_per_byte_code"): 0.8}
    first = run(tmp_path / "first", mini, right)
    other = recipe.resolve("mini", {"pretrain.optimizer.learning_rate": 0.002})
    second = run(tmp_path / "second", other, {("chat", "gsm8k"): 0.5, ("start", "bits_per_byte_code"): 0.7})  # fmt: skip
    lines = told(first, second)
    assert lines[:2] == [
        f"1 values differ ({first} \N{RIGHTWARDS ARROW} {second}):",
        "  pretrain.optimizer.learning_rate: 4e-05 \N{RIGHTWARDS ARROW} 0.002",
    ]
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert "  sft: after pretrain" in lines and "  pretrain: its settings" in lines
    assert rows["gsm8k"][1:5] == ["chat", "25.0", "50.0", "+25.0"] and rows["gsm8k"][-1] == "40"
    assert rows["bits_per_byte_code"][4] == "-0.100"


def test_held_out_documents_of_another_corpus_are_not_paired(mini, tmp_path):
    right = {("start", "bits_per_byte_code"): 0.8}
    first = run(tmp_path / "first", mini, right)
    second = run(tmp_path / "second", recipe.resolve("mini-registry"), right)
    lines = told(first, second)
    assert "1 scores of held-out documents: the two runs hold out other ones" in lines
    assert not [line for line in lines if line.startswith("bits_per_byte_code")]
    assert [line for line in lines if line.startswith("  corpus.sources.dask: (not there)")]
    assert not [line for line in lines if line.startswith("  corpus.sources.dask.")]


def test_recipes_without_runs_have_their_values_and_hours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = told("mini", "h200")
    assert "no scores of mini and h200 are in results/: nothing to compare in pairs" in lines
    plan = lines[lines.index("time of one device by the plan:") :]
    assert [line.split()[0] for line in plan[1:5]] == ["stage", "pretrain", "sft", "evaluate"]


@pytest.mark.parametrize("given, message", [
    ("h20", "did you mean 'h200'"), ("no/such", "no/such: no such folder"),
])  # fmt: skip
def test_a_side_that_is_none_is_one_line(given, message):
    with pytest.raises(UserError, match=message):
        side.read(given)


def test_a_projects_recipe_is_a_side_by_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("extends: smoke\nseed: 7\n")
    given = side.read(str(tmp_path / "mine.yaml"))
    assert given.resolved["seed"] == 7 and given.folder == tmp_path / "results" / "mine"
    with pytest.raises(UserError, match="none.yaml: no such file"):
        side.read("none.yaml")


def test_a_folder_whose_recipe_is_not_known_is_refused(mini, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no recipe in recipes/"):
        side.read(str(tmp_path / "empty"))
    folder = run(tmp_path / "two", mini, {})
    trial_run.write_file(tmp_path / "two" / "recipes" / "1.json", mini)
    with pytest.raises(UserError, match="2 recipes and no score"):
        side.read(folder)


def test_its_command_prints_the_answer_alone(tmp_path):
    command = [sys.executable, "-m", "lemur.diff", "mini", "mini"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "workflow")})  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith("mini and mini have the same values\n")
    assert "no stage makes anything else" in done.stdout
