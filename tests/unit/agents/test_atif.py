"""Exported trajectories against the schema of the format's own models."""

import json

import hostile_episode
import jsonschema
import pytest
from hostile_episode import HOSTILE, SPEC
from lemur.agents import atif, judged, play_spec
from lemur.core.provenance import ROOT

SCHEMA = json.loads((ROOT / "tests" / "golden" / "atif.schema.json").read_text())


def exported(folder, model):
    hostile_episode.write(folder)
    files = folder / "episodes.jsonl", folder / "verdicts.jsonl"
    opened = judged.open_episodes({**SPEC, "model": model}, *files, play_spec.NONE)
    atif.write(opened, folder / "trajectories.jsonl")
    lines = (folder / "trajectories.jsonl").read_bytes().decode("ascii").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("model", ["start", "gold"])
def test_every_trajectory_is_as_the_formats_own_models_have_it(tmp_path, model):
    made = exported(tmp_path / "guessing", model)
    for one in made:
        jsonschema.validate(one, SCHEMA)
        # What the models ask for beyond their schema.
        assert [step["step_id"] for step in one["steps"]] == list(range(1, len(one["steps"]) + 1))
        for step in one["steps"]:
            assert step["source"] == "agent" or not {"metrics", "llm_call_count"} & set(step)
            assert step.get("llm_call_count") != 0 or "metrics" not in step
    hostile, plain = made  # the episode whose world failed has no step
    prompt, first, second = hostile["steps"]
    assert (prompt["source"], prompt["message"]) == ("user", HOSTILE)
    assert first["message"] == first["observation"]["results"][0]["content"] == HOSTILE
    assert (hostile["extra"]["strict"], hostile["extra"]["paper"]) == (0.0, 1.0)
    assert plain["steps"][1]["extra"] == {"action": 37, "reward": 1.0, "finish": "end"}
    assert plain["extra"]["known_solutions"] is (model == "gold")
    assert ("metrics" in plain["steps"][1]) is (model != "gold")


def test_the_schema_refuses_what_is_none(tmp_path):
    (one, _) = exported(tmp_path / "guessing", "start")
    for broken in ({**one, "extra_key": 1}, {**one, "steps": []}, {**one, "agent": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)
