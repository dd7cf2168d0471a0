"""The files that rules read and make, and what targets are refused for, without Snakemake."""

import dataclasses
from types import SimpleNamespace

import pytest
from lemur.config import paths
from lemur.dag import run as runs
from lemur.dag.agent_files import AgentFiles
from lemur.dag.downloads import Downloads
from lemur.dag.export_files import ExportFiles
from lemur.dag.figure_files import FigureFiles
from lemur.dag.scored_models import ScoredModels, folder_beside
from lemur.dag.start import constraints
from lemur.dag.study_files import StudyFiles
from lemur.dag.targets import Targets


def test_where_each_model_lies(smoke, asked_for):
    models = ScoredModels(smoke)
    done = {
        model: models.done(SimpleNamespace(recipe="smoke", model=model))
        for model in ("start", "pretrained", "chat", "pretrained-step-2")
    }
    base = smoke.recipe["base"]["name"]
    assert done == {
        "start": f"resources/models/{base}/DONE.json",
        "pretrained": "results/smoke/pretrain/DONE.json",
        "chat": "results/smoke/sft/DONE.json",
        "pretrained-step-2": "results/smoke/pretrain/step-2/DONE.json",
    }
    served = ScoredModels(asked_for("model=m", "server=http://127.0.0.1:8000/v1"))
    assert served.done(SimpleNamespace(recipe="models", model="m")) == []
    assert folder_beside([]) == "none"
    assert str(folder_beside("results/smoke/sft/DONE.json")) == "results/smoke/sft/model"
    assert str(folder_beside("mine/config.json")) == "mine"


def test_a_default_run_makes_the_report_and_a_study_its_verdict(smoke, study, asked_for):
    assert Targets(smoke).default[:2] == ["results/smoke/report.html", "results/index.html"]
    assert Targets(study).default[0] == f"results/{study.name}/study/verdict.txt"
    released = Targets(asked_for("recipe=lemur-70b-released")).default
    assert released[0] == "results/figures/lemur-70b-released/foundation.html"


def test_everything_is_downloaded_once(smoke):
    listed = Downloads(smoke).all
    assert len(listed) == len(set(listed)) > 5
    assert all(path.startswith("resources/") for path in listed)


def test_the_scores_of_a_study_are_those_of_its_cells(study, smoke):
    cells = {path.split("/")[1] for path in StudyFiles(study).scores}
    assert cells == {cell.recipe for cell in study.study.cells}
    assert StudyFiles(smoke).scores == [] == StudyFiles(smoke).mixtures


def test_patterns_of_wildcards_match_the_recipe_alone(smoke):
    patterns = constraints(smoke)
    assert patterns["recipe"] == "smoke"
    assert "gold" in patterns["model"].split("|")


def without_agents(run):
    recipe = {key: value for key, value in run.recipe.items() if key != "agents"}
    return dataclasses.replace(run, recipe=recipe)


@pytest.mark.parametrize(
    ("words", "refused", "line"),
    [
        ((), lambda run: StudyFiles(run).file("table.md")(None), "goes with --config study="),
        ((), lambda run: Targets(run).new_project(None), "--config name="),
        (("before=smoke",), lambda run: Targets(run).two_sides(None), "diff: after not given"),
        (("as=sft",), lambda run: Targets(run).what_to_adopt(None), "adopt: of not given"),
        ((), lambda run: ExportFiles(run).publish_spec(None), "publish needs where to"),
        (("to=hub",), lambda run: ExportFiles(run).publish_spec(None), "repository=<owner>/<name>"),
        (("environment=mimt",), lambda run: AgentFiles(run).replayed, "did you mean 'mint'"),
        ((), lambda run: AgentFiles(run).replay_table(None), "--config records=<folder>"),
        ((), lambda run: AgentFiles(without_agents(run)).wanted(None), "names no agents"),
        (
            ("model=m", "server=http://127.0.0.1:8000/v1"),
            lambda run: Targets(run).unless_scoring_alone("x")(None),
            "it scores a model and trains none",
        ),
    ],
)
def test_a_target_without_what_it_needs_is_refused_in_one_line(words, refused, line, asked_for):
    """As Snakemake shows it: an exception would come with lines of the Snakefile."""
    chosen = any(word.split("=")[0] in ("recipe", "model") for word in words)
    run = asked_for(*words) if chosen else asked_for("recipe=smoke", *words)
    with pytest.raises(SystemExit) as ended:
        refused(run)
    assert str(ended.value).startswith("error: ") and line in str(ended.value)


def test_a_mistake_of_the_recipe_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        runs.resolve(*runs.read_config({}, ["recipe=smok"]))
    line = "error: no recipe 'smok' in config/recipes; did you mean 'smoke'?"
    assert str(ended.value).startswith(line)


def test_figures_of_the_recipe_are_those_of_the_report(smoke):
    figures = FigureFiles(smoke)
    assert f"{smoke.file(paths.FIGURES)}/loss.svg" in figures.recipe_files
    assert set(figures.in_report) <= {figures.claims, figures.foundation, *figures.recipe_files, *figures.paper}  # fmt: skip
