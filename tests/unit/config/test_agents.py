"""A recipe's agents: environments with all their settings, and mistakes before any job starts."""

import pytest
from lemur.config import load, recipe, stages
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.cost import resources
from lemur.cost.recipe import planned


def test_an_entry_has_every_setting_and_what_the_recipe_changes():
    made = recipe.resolve("mini-agents")
    entry = stages.environment(made, "mint_mbpp")
    known = load.catalogue("environments")["mint"]["settings"]
    assert entry["settings"] == {**known, "sets": ["mbpp"], "turns": 3}
    spec = stages.play(made, "start", "mint_mbpp")
    assert spec["environment"] == "mint" and spec["player"] == "model" and spec["limit"] == 3
    assert spec["sampling"] == {"max_new_tokens": 96}
    assert stages.play(made, "gold", "bfcl")["player"] == "gold"
    assert "agents" not in recipe.resolve("mini", {"agents": None})


def test_tasks_of_the_project_are_played_where_a_recipe_asks_for_them_or_no_others_are():
    played = {item["name"]: item for item in recipe.resolve("mini")["agents"]["environments"]}
    assert all((ROOT / item["shipped"]).is_dir() for item in played.values())
    assert stages.play(recipe.resolve("mini"), "chat", "mint")["shipped"].endswith("mint/shipped")
    (mint, *_) = recipe.resolve("mini-agents")["agents"]["environments"]
    assert mint["shipped"] is None
    assert "shipped" not in stages.play(recipe.resolve("mini-agents"), "start", mint["name"])


def test_games_and_their_library_are_wanted_where_their_set_is_played():
    played = {item["name"]: item for item in recipe.resolve("lemur-70b")["agents"]["environments"]}
    assert played["mint"]["needs"] == ["session", "alfworld"]
    assert (played["mint"]["games"], played["mint"]["tasks"]) == ("alfworld", 586)
    (mint, *_) = recipe.resolve("mini")["agents"]["environments"]
    assert (mint["needs"], mint["tasks"], "games" in mint) == (["session"], 139, False)


def test_every_pinned_environment_of_the_paper_is_in_the_whole_suite():
    suite = {
        item["environment"]
        for item in recipe.resolve("lemur-70b-released")["agents"]["environments"]
    }
    assert suite == set(load.catalogue("environments"))


def taught(**feedback):
    entry = {"name": "mint", "feedback": feedback}
    return {"agents.models": ["gold", "chat"], "agents.environments": [entry]}


def test_an_entry_names_its_teacher():
    made = recipe.resolve("mini-agents", taught(model="start"))
    known = load.catalogue("environments")["mint"]["settings"]
    assert stages.teacher(made, "mint") == "start"
    for model in ("chat", "gold"):
        spec = stages.play(made, model, "mint")
        assert spec["teacher"] == {"model": "start"} and "backend" not in spec
        told = {"feedback": True, "binary": False, "with_solution": False}
        assert spec["settings"] == known | told
    given = {"model": "gpt", "server": "http://a/v1/", "kind": "binary", "solution": True}
    made = recipe.resolve("mini-agents", taught(**given))
    spec = stages.play(made, "chat", "mint")
    assert stages.teacher(made, "mint") is None
    backend = {"name": "server", "url": "http://a/v1", "served": "gpt"}
    assert spec["teacher"] == {"model": "gpt", "backend": backend}
    assert spec["settings"]["binary"] and spec["settings"]["with_solution"]
    without = stages.play(recipe.resolve("mini-agents"), "start", "mint_mbpp")
    assert "teacher" not in without and "feedback" not in without["settings"]


def test_vllm_loads_one_model_for_a_job():
    vllm = {"evaluate.backend": {"name": "vllm"}}
    made = recipe.resolve("mini-agents", {**taught(model="chat"), **vllm})
    spec = stages.play(made, "chat", "mint")
    assert spec["backend"] == spec["teacher"]["backend"] == {"name": "vllm"}
    assert "backend" not in stages.play(made, "gold", "mint")
    with pytest.raises(UserError, match="with chat playing, a `server` must have 'start'"):
        recipe.resolve("mini-agents", {**taught(model="start"), **vllm})


def test_a_teacher_beside_a_player_takes_memory():
    alone, both = (
        resources.ask(planned(recipe.resolve("mini-agents", changed)), "play").memory_mb
        for changed in ({}, taught(model="start"))
    )
    served = taught(model="gpt", server="http://a/v1")
    assert both > alone + 500
    assert resources.ask(planned(recipe.resolve("mini-agents", served)), "play").memory_mb == alone


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"agents.environments": [{"name": "mynt"}]}, "no environment 'mynt' in config/environments.yaml; did you mean 'mint'?"),
        ({"agents.environments": [{"name": "mint", "settings": {"tirns": 3}}]}, "settings: 'mint' has no 'tirns'; did you mean 'turns'?"),
        ({"agents.environments": [{"name": "mint"}, {"name": "mint"}]}, "agents.environments.1: 'mint' stands twice"),
        ({"agents.models": ["chatt"]}, "agents.models: 'chatt'; did you mean 'chat'?"),
        ({"agents.environments": []}, "at least 1"),
        (taught(model="chatt"), "agents.environments.0: feedback.model: 'chatt'; did you mean 'chat'?"),
        (taught(model="gold"), "feedback.model: 'gold'"),
        (taught(model="a", server="a/v1"), "feedback.server: 'a/v1' is not an address"),
        (taught(model="chat", kind="binry"), "feedback.kind: 'binry' is not allowed; did you mean 'binary'?"),
        (taught(modle="chat"), "feedback.modle: unknown key; did you mean 'model'?"),
        (taught(server="http://a/v1"), "feedback.model: missing"),
        ({"agents.environments": [{"name": "bfcl", "feedback": {"model": "start"}}]}, "feedback: 'bfcl' has no teacher (allowed: mint"),
        ({"agents.environments": [{"name": "bfcl", "data": "shipped"}]}, "agents.environments.0: data: no tasks of 'bfcl' come with the project"),
        ({"agents.environments": [{"name": "bfcl", "data": "shiped"}]}, "did you mean 'shipped'?"),
        ({"agents.environments": [{"name": "bfcl", "models": ["strat"]}]}, "agents.environments.0.models: 'strat'; did you mean 'start'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_before_any_job(changed, said):
    with pytest.raises(UserError) as raised:
        recipe.resolve("mini-agents", changed)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_what_takes_minutes_to_build_is_needed_only_where_it_stands(tmp_path, monkeypatch):
    made = recipe.resolve("mini")
    monkeypatch.setattr(stages, "ROOT", tmp_path)
    assert stages.environment(made, "alfworld")["needs"] == []
    assert stages.environment(made, "mint")["needs"] == ["session"]
    spec = stages.play(made, "chat", "alfworld")
    (tmp_path / ".envs" / "alfworld").mkdir(parents=True)
    (tmp_path / ".envs" / "alfworld" / "lock.stamp").write_text("cpu x 3.11")
    assert stages.environment(made, "alfworld")["needs"] == ["alfworld"]
    assert stages.play(made, "chat", "alfworld") == spec and "if_built" not in spec
