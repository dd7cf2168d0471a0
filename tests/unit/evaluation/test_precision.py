"""What generations were computed in is recorded with them, where it is not what was asked for."""

import pytest
import torch
from answered import lines
from lemur.core.errors import UserError
from lemur.evaluation import caveats, fingerprint, generation, judging
from lemur.evaluation.score import read_score
from lemur.evaluation.tasks import Bench
from lemur.inference.precision import choose_dtype
from lemur.models import bfloat16

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def native(monkeypatch):
    """Says whether this CPU has instructions for bfloat16."""

    def say(known):
        monkeypatch.setattr(bfloat16, "instructions", lambda: known)

    return say


def test_float32_stands_in_for_bf16_on_some_cpus_alone(native):
    native(False)
    assert (
        choose_dtype("bf16", CPU) == torch.float32 and choose_dtype("bf16", GPU) == torch.bfloat16
    )
    native(True)
    assert (
        choose_dtype("bf16", CPU) == torch.bfloat16 and choose_dtype("fp32", CPU) == torch.float32
    )
    with pytest.raises(UserError, match="precision 'fp8': allowed are bf16, fp32"):
        choose_dtype("fp8", CPU)


def test_it_is_recorded_and_judged_on_any_processor(spec, folder, humaneval, tmp_path, native):
    made = {}
    for known in (True, False):
        native(known)
        out = tmp_path / str(known) / "generations.jsonl"
        generation.run(spec(precision="bf16", limit=1), folder, humaneval, out)
        head, *_ = lines(out)
        assert head["settings"].get("computed") == (None if known else "float32")
        assert head["settings"]["precision"] == "bf16"
        native(not known)  # who judges has the other kind
        scores = out.with_name("scores.json")
        judging.run(spec(precision="bf16", limit=1), out, humaneval, scores)
        made[known] = read_score(scores)
    assert caveats.computed(made[True]) == ""
    assert caveats.computed(made[False]) == "bf16 was computed in float32"


def test_a_killed_run_does_not_go_on_in_another_precision(
    spec, folder, humaneval, tmp_path, native
):
    out = tmp_path / "generations.jsonl"
    for known, journals in ((True, 1), (False, 1)):
        native(known)
        generation.run(spec(precision="bf16", limit=1), folder, humaneval, out)
        assert len(list((tmp_path / "responses").glob("*.jsonl"))) == journals
        assert ("computed" in lines(out)[0]["settings"]) != known


def test_others_compute_by_themselves(spec, humaneval, native):
    native(False)
    for more in (
        {"precision": "fp32"},
        {"backend": {"name": "vllm"}},
        {"backend": {"name": "server", "url": "http://127.0.0.1:1/v1", "served": "x"}},
    ):
        given = spec(**{"precision": "bf16", **more})
        assert fingerprint.collect(given, Bench(given, humaneval), "").computed is None
