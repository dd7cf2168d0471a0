"""Scoring of models that no recipe trains: names, folders, servers, and one line for a mistake."""

import json
import re

import pytest
from lemur.config import load, recipe, scoring, stages
from lemur.core.errors import UserError

MINI = recipe.resolve("mini")


def one(**asked):
    made = scoring.alone(MINI, asked)
    (entry,) = made["evaluate"]["baselines"]
    return made, entry


def folder(path, **config):
    path.mkdir(parents=True)
    files = {"config.json": config, "tokenizer_config.json": {}, "tokenizer.json": {}}
    for name, value in files.items():
        (path / name).write_text(json.dumps(value))
    (path / "model.safetensors").write_bytes(b"")
    return path


def test_a_hub_name_of_the_catalogue_keeps_its_pin():
    made, entry = one(model="OpenLemur/lemur-70b-chat-v1", benchmarks=["humaneval"])
    assert entry["name"] == "lemur-70b-chat-v1" and entry["format"] == "chatml"
    assert made["name"] == "models" and made["evaluate"]["models"] == []
    (chosen,) = made["evaluate"]["benchmarks"]
    assert chosen["limit"] is None and chosen["decoding"]["max_new_tokens"] == 512
    spec = stages.judge(made, entry["name"], "humaneval")
    assert spec["format"] == "chatml" and spec["model"] == entry["name"] and "backend" not in spec


AGENTS = recipe.resolve("mini-agents")
SERVED = {"model": "a/b", "server": "http://127.0.0.1:8000/v1"}


def test_one_model_plays_what_the_recipe_or_the_command_names():
    made = scoring.alone(AGENTS, {**SERVED, "limit": 1, "batch": 7})
    part = made["agents"]
    assert part["models"] == ["a--b"] and part["batch"] == 7
    assert {item["name"]: item["limit"] for item in part["environments"]} == dict.fromkeys(
        (item["name"] for item in AGENTS["agents"]["environments"]), 1
    )
    backend = {"name": "server", "url": "http://127.0.0.1:8000/v1", "served": "a/b"}
    assert stages.play(made, "a--b", "bfcl")["backend"] == backend
    asked = ["bfcl", {"name": "mint", "limit": 3, "feedback": {"model": "start"}}]
    for base in (MINI, AGENTS):
        made = scoring.alone(base, {**SERVED, "environments": asked, "limit": 2})
        assert [item["limit"] for item in made["agents"]["environments"]] == [2, 3]
        assert stages.play(made, "a--b", "mint")["teacher"] == {"model": "start"}
    made = scoring.alone(
        MINI, {**SERVED, "environments": [{"name": "mint", "feedback": {"model": "a--b"}}]}
    )
    assert stages.play(made, "a--b", "mint")["teacher"]["backend"] == backend
    without = {key: value for key, value in MINI.items() if key != "agents"}
    assert "agents" not in scoring.alone(without, SERVED)


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        (["mynt"], "config.environments.0: no environment 'mynt' in config/environments.yaml; did you mean 'mint'?"),
        ([{"name": "mint", "limt": 3}], "config: environments.0.limt: unknown key; did you mean 'limit'?"),
        ([{"name": "mint", "feedback": {"model": "chat"}}], "feedback.model: 'chat'"),
    ],
)  # fmt: skip
def test_a_mistake_in_environments_is_one_line(environments, said):
    with pytest.raises(UserError) as caught:
        scoring.alone(MINI, {**SERVED, "environments": environments})
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_teacher_of_the_recipe_that_is_not_loaded_is_named():
    taught = {"agents.environments": [{"name": "mint", "feedback": {"model": "chat"}}]}
    with pytest.raises(UserError, match="'chat' gives feedback in recipe 'mini-agents'"):
        scoring.alone(recipe.resolve("mini-agents", taught), SERVED)


@pytest.mark.parametrize("commit", [None, "0123456789abcdef0123456789abcdef01234567"])
def test_any_other_hub_name_is_taken_at_its_commit_or_the_newest(commit):
    _, entry = one(model="Some/Model-7B" + (f"@{commit}" if commit else ""), limit=3)
    assert entry["from"]["revision"] == (commit or "newest")
    assert entry["from"]["hub"] == "Some/Model-7B"
    assert entry["name"] == "Some--Model-7B" + (f"@{commit}" if commit else "")


def test_a_folder_is_used_where_it_lies(tmp_path):
    shape = dict(num_hidden_layers=2, hidden_size=8, num_attention_heads=2, intermediate_size=16,
                 vocab_size=32, max_position_embeddings=64)  # fmt: skip
    mine = folder(tmp_path / "My Model", **shape)
    _, entry = one(model=str(mine))
    assert entry["folder"] == str(mine) and entry["architecture"]["kv_heads"] == 2
    _, other = one(model=str(folder(tmp_path / "odd", model_type="other")))
    assert "architecture" not in other and other["name"] != entry["name"]


def test_a_folder_called_model_is_named_after_those_that_it_lies_in(tmp_path):
    _, tuned = one(model=str(folder(tmp_path / "smoke" / "sft" / "model")))
    _, other = one(model=str(folder(tmp_path / "smoke" / "pretrain" / "model")))
    assert re.fullmatch(r"smoke--sft--model-[0-9a-f]{8}", tuned["name"])
    assert re.fullmatch(r"smoke--pretrain--model-[0-9a-f]{8}", other["name"])


def test_served_names_stay_apart_and_readable():
    """Those that differ in what a path lacks, or would lack after another was made a path."""
    alike = ["a/b", "a--b", "a:b", "a b", "a-b", "A-b", "a@b", "a-/b", "a/-b", "ä/b", "a/b ", "x" * 5000, "x" * 5001, "/"]  # fmt: skip
    named = [one(model=name, server="http://127.0.0.1:8000/v1", benchmarks=["gsm8k"])[1]["name"]
             for name in alike]  # fmt: skip
    assert len({name.lower() if name != "A-b" else name for name in named}) == len(alike)
    assert named[0] == "a--b" and named[4] == "a-b" and named[5] == "A-b" and named[6] == "a@b"
    assert all(name.startswith("a-") for name in named[:4])
    assert all(re.fullmatch(r"[\w@.-]{1,120}", name) for name in named)


def test_without_benchmarks_those_of_the_recipe_are_taken_whole():
    made, _ = one(model="a/b")
    names = [item["name"] for item in made["evaluate"]["benchmarks"]]
    assert names == ["humaneval", "gsm8k"]  # bits per byte reads a corpus
    made, _ = one(model="a/b", limit=4, benchmarks=["mbpp", {"name": "gsm8k", "limit": 9}])
    assert [item["limit"] for item in made["evaluate"]["benchmarks"]] == [4, 9]


def test_a_server_is_asked_by_name():
    made, entry = one(model="org/served", server="http://127.0.0.1:8000/v1/", benchmarks=["gsm8k"])
    spec = stages.generate(made, entry["name"], "gsm8k")
    assert spec["backend"] == {
        "name": "server",
        "url": "http://127.0.0.1:8000/v1",
        "served": "org/served",
    }
    made, entry = one(model="a/b", backend="vllm", format="chatml")
    spec = stages.generate(made, entry["name"], "humaneval")
    assert spec["backend"] == {"name": "vllm"} and spec["format"] == "chatml"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"benchmarks": ["gsm8k"]}, "benchmarks: goes with model=<hub name or folder>"),
        ({"model": "./nowhere"}, "./nowhere: no such folder"),
        ({"model": "lemur-70b-v"}, "did you mean 'lemur-70b-v1'?"),
        ({"model": "a/b@main"}, "neither a folder, nor owner/name[@commit]"),
        ({"model": "a/b", "benchmarks": ["humanevl"]}, "no benchmark 'humanevl' in config/benchmarks.yaml; did you mean 'humaneval'?"),
        ({"model": "a/b", "benchmarks": ["bits_per_byte_code"]}, "reads a recipe's corpus"),
        ({"model": "a/b", "benchmarks": [{"name": "gsm8k", "limits": 3}]}, "not limits"),
        ({"model": "a/b", "benchmarks": ["gsm8k", "gsm8k"]}, "'gsm8k' stands twice"),
        ({"model": "a/b", "format": "chat"}, "format: 'chat'"),
        ({"model": "a/b", "backend": "vlm"}, "did you mean 'vllm'?"),
        ({"model": "a/b", "backend": "server"}, "server=<URL> go together"),
        ({"model": "a/b", "server": "127.0.0.1:8000"}, "is not an address"),
        ({"model": "a/b", "server": "http://u:p@h/v1"}, "credentials"),
        ({"model": "a/b", "server": "http://[::1/v1"}, "is not an address"),
        ({"model": "a/b", "server": "http://127.0.0.1:99999/v1"}, "is not an address"),
        ({"model": "a/b", "server": "http://h/v 1"}, "is not an address"),
        ({"model": "x" * 5000}, "of 5000 characters: File name too long"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(asked, message):
    with pytest.raises(UserError) as caught:
        scoring.alone(MINI, asked)
    line = str(caught.value)
    assert message in line and line.startswith("config: ") and "\n" not in line


@pytest.mark.parametrize(
    "missing", ["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"]
)
def test_a_folder_without_a_part_names_it(tmp_path, missing):
    mine = folder(tmp_path / "m")
    (mine / missing).unlink()
    with pytest.raises(UserError, match="safetensors" if "safe" in missing else missing):
        one(model=str(mine))


@pytest.mark.parametrize(
    ("name", "temperature", "words"),
    [
        ("humaneval", 0, "greedy answers are all the same"),
        ("gsm8k", 0.8, "pass@k is of programs"),
        ("humaneval", 0.8, None),
    ],
)
def test_several_answers_are_sampled_programs(name, temperature, words):
    catalogue = load.catalogue("benchmarks")
    decoding = {"max_new_tokens": 8, "temperature": temperature, "samples": 10}
    changed = {**catalogue, name: {**catalogue[name], "decoding": decoding}}
    if words is None:
        (made,) = recipe.chosen_benchmarks([{"name": name}], changed, "here")
        assert made["decoding"]["samples"] == 10
        return
    with pytest.raises(UserError, match=words) as caught:
        recipe.chosen_benchmarks([{"name": name}], changed, "here")
    assert "here.0" in str(caught.value) and "\n" not in str(caught.value)


def test_no_more_shots_than_solved_examples():
    catalogue = load.catalogue("benchmarks")
    (made,) = recipe.chosen_benchmarks([{"name": "gsm8k", "shots": 3}], catalogue, "here")
    assert made["shots"] == 3
    for name, shots, words in (
        ("gsm8k", 9, "'gsm8k' has 8"),
        ("humaneval", 1, "'humaneval' has 0"),
    ):
        with pytest.raises(UserError, match=f"here.0: shots: {shots}: {words} solved examples"):
            recipe.chosen_benchmarks([{"name": name, "shots": shots}], catalogue, "here")


def test_baselines_are_catalogue_entries():
    models = load.catalogue("models")
    found = scoring.baselines(["llama-2-70b", "OpenLemur/lemur-70b-v1"], models, "here")
    assert [entry["name"] for entry in found] == ["llama-2-70b", "lemur-70b-v1"]
    for named, message in ((["lama-2-70b"], "did you mean 'llama-2-70b'?"),
                           (["llama-2-70b", "meta-llama/Llama-2-70b-hf"], "stands twice")):  # fmt: skip
        with pytest.raises(UserError) as caught:
            scoring.baselines(named, models, "here")
        assert message in str(caught.value)


def test_every_baseline_of_the_catalogue_names_a_row_of_the_papers_table():
    from lemur.core.provenance import ROOT
    from lemur.figures import reported

    rows = {model for model, _ in reported.table(ROOT / "reports/paper/reported.csv", "foundation")}
    named = {entry["paper"] for entry in load.catalogue("models").values() if "paper" in entry}
    assert named <= rows and "Lemur-70B-Chat" in named


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"evaluate.models": []}, "evaluate.models: empty, and no evaluate.baselines"),
        ({"sft.from": "start"}, "with sft.from start nothing is pretrained"),
        ({"evaluate.baselines": ["x"]}, "evaluate.baselines.0: no model 'x'"),
        ({"base": "starcoder-15b"}, "has no architecture"),
        ({"evaluate.backend": {"name": "server"}}, "is not allowed"),
    ],
)
def test_a_recipe_is_checked_for_them_too(values, message):
    with pytest.raises(UserError) as caught:
        recipe.resolve("mini", values)
    assert message in str(caught.value)
