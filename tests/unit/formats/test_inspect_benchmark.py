"""Answers to benchmarks as Inspect's logs, opened by Inspect's own reader."""

import made_scores
import pytest
from inspect_ai.log import read_eval_log
from lemur.export import scores
from made_scores import HOSTILE

pytestmark = pytest.mark.long  # the library alone takes seconds to load
WHOLE = HOSTILE.encode("utf-8", "backslashreplace").decode()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    scores.write(*made_scores.write(folder / "run"), folder / "inspect", folder / "every_eval_ever")
    return folder


def log(exported, benchmark):
    return read_eval_log(str(exported / "inspect" / "chat" / f"{benchmark}.eval"))


def test_inspect_reads_each_problem_with_prompt_answer_and_verdict(exported):
    found = log(exported, "gsm8k")
    assert found.status == "success" and found.eval.model == "lemur/mini-chat"
    assert found.eval.dataset.location == "openai/gsm8k"
    assert "2 of 1,319 problems, 8 shots, chatml" in found.eval.metadata["asked"]
    first, second = found.samples
    assert (first.input, first.target, first.output.completion) == ("Q: gsm8k/0?", "4", "It is 4")
    score = first.scores["exact match"]
    assert (score.value, score.answer, score.explanation) == (1.0, "4", "passed")
    assert second.input == second.output.completion == WHOLE
    assert second.scores["exact match"].value == 0.0 and second.metadata["repeats"] == ["again"]
    (metric,) = found.results.scores
    assert {name: one.value for name, one in metric.metrics.items()} == {
        "value": 0.5, "low": 0.25, "high": 0.75
    }  # fmt: skip


def test_inspect_tells_choices_likelihoods_and_what_was_not_judged(exported):
    (choice,) = log(exported, "mmlu").samples
    assert choice.choices == [" A", " B"] and choice.output.completion == " B"
    assert [sample.scores["bits per byte"].value for sample in log(exported, "bits_per_byte_code").samples] == [0.5, 0.9]  # fmt: skip
    unjudged = log(exported, "humaneval")
    assert unjudged.samples[0].scores is None and unjudged.results.completed_samples == 0
    assert unjudged.samples[0].metadata["detail"] == "no sandbox"


def test_both_formats_hold_the_same_scores(exported):
    """From one result: a record of every-eval-ever lies beside each log of what was judged."""
    found = {
        path.parent.parent.parent.name for path in (exported / "every_eval_ever").rglob("*.json")
    }
    assert found == {"gsm8k", "mmlu", "bits_per_byte_code"}
    assert {path.stem for path in (exported / "inspect" / "chat").iterdir()} == {
        *found,
        "humaneval",
    }
