"""Scores as records of every-eval-ever, held against that project's own schemas.

They are those of its package 0.3.0 (MIT, (c) 2026 EvalEval), which wants a newer Python than this project.
"""

import hashlib
import json

import made_scores
import pytest
from jsonschema import Draft7Validator
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation import sample
from lemur.export import every_eval_ever, result
from made_scores import HOSTILE, SAMPLES

GOLDEN = ROOT / "tests" / "golden"


def validator(name):
    return Draft7Validator(json.loads((GOLDEN / f"{name}.schema.json").read_text()))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_scores.write(tmp_path_factory.mktemp("run"))


def export(run, folder):
    for spec, scores, samples in zip(*run, strict=True):
        every_eval_ever.write(result.read(spec, scores, samples), folder)


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    export(run, folder)
    return folder


def records(exported):
    """{benchmark: (path below the folder, record)}."""
    found = {}
    for path in exported.rglob("*.json"):
        made = json.loads(path.read_text())
        place = path.relative_to(exported).as_posix()
        found[made["evaluation_results"][0]["evaluation_name"]] = (place, made)
    return found


def test_samples_are_read_as_they_were_written(run):
    for path, given in zip(run[2], SAMPLES.values(), strict=True):
        assert sample.read(path) == given


def test_each_record_is_one_of_its_schema_and_names_its_instances(exported):
    found = records(exported)
    assert set(found) == {"gsm8k", "mmlu", "bits_per_byte_code"}  # what was not judged has none
    for place, made in found.values():
        assert list(validator("every_eval_ever").iter_errors(made)) == []
        assert place.startswith(f"data/{made['evaluation_results'][0]['evaluation_name']}/lemur/mini-chat/")  # fmt: skip
    place, made = found["gsm8k"]
    detail = made["detailed_evaluation_results"]
    path = exported / detail["file_path"]
    assert detail["file_path"] == place.replace(".json", "_samples.jsonl")
    assert detail["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert detail["total_rows"] == len(lines) == 2
    for line in lines:
        assert list(validator("every_eval_ever_instance").iter_errors(line)) == []
        assert line["evaluation_id"] == made["evaluation_id"]
    assert [line["evaluation"] for line in lines] == [
        {"score": 1.0, "is_correct": True}, {"score": 0.0, "is_correct": False}
    ]  # fmt: skip
    assert lines[1]["output"]["raw"] == [HOSTILE, "again"]
    (score,) = made["evaluation_results"]
    assert (
        score["source_data"]["hf_repo"] == "openai/gsm8k" and score["score_details"]["score"] == 0.5
    )
    # A likelihood is neither right nor wrong.
    assert "detailed_evaluation_results" not in found["bits_per_byte_code"][1]
    assert found["bits_per_byte_code"][1]["evaluation_results"][0]["metric_config"][
        "lower_is_better"
    ]


def test_the_schemas_refuse_what_is_no_record(exported):
    """A validator that accepts everything would prove nothing."""
    _, made = records(exported)["gsm8k"]
    broken = {**made, "evaluation_results": [{"evaluation_name": "gsm8k"}]}
    assert list(validator("every_eval_ever").iter_errors(broken))
    assert list(validator("every_eval_ever_instance").iter_errors({"sample_id": "1"}))


def test_the_same_results_are_the_same_bytes(run, exported, tmp_path):
    export(run, tmp_path)

    def whole(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json*")}

    assert whole(tmp_path) == whole(exported) and len(whole(tmp_path)) == 5


def test_results_of_another_model_are_refused(run):
    specs, (score, *_), (answers, *_) = run
    with pytest.raises(UserError, match=r"scores\.json: model is 'chat', not 'start'"):
        result.read({**specs[0], "model": "start"}, score, answers)
    answers = score.with_name("broken.jsonl")
    answers.write_text('{"task": 1}\n')
    with pytest.raises(UserError, match=r"broken\.jsonl: line 1: document is missing"):
        result.read(specs[0], score, answers)
