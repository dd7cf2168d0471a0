"""Answers that no model should give, and judges that fall: counted, reported, and nothing lost."""

import pytest
from answered import scored
from lemur.evaluation import executed
from tiny_benchmarks import PROBLEMS

# One for each of the tiny benchmark's six problems.
ANSWERS = (
    "",
    "\n    return a + b + 1  # " + "x" * 1_000_000,  # one line of 1 MB, and right
    "\n    return '\ud800\x00'",  # neither UTF-8 nor a source that Python reads
    "\n    return 1\n" * 20_000,  # ends at no stop text
    "\ufffd" * 500,
    "\n    return a + b + 5",
)


def respond(document):
    return ANSWERS[[problem["task_id"] for problem in PROBLEMS].index(document["task_id"])]


def test_every_answer_is_judged_and_counted(spec, humaneval, tmp_path, sandbox):
    made, items, _ = scored(spec(), humaneval, tmp_path / "out", respond)
    assert [item["verdict"] for item in items] == [
        "failed", "passed", "error", "failed", "error", "passed",
    ]  # fmt: skip
    assert made["value"] == pytest.approx(2 / 6) and sum(made["verdicts"].values()) == 6
    assert made["responses"]["empty"] == 1 and made["judged"] is True
    assert all(len(item["detail"]) <= 300 and "\n" not in item["detail"] for item in items)


def test_a_judge_that_falls_is_no_verdict(spec, humaneval, tmp_path, sandbox, monkeypatch):
    real = executed.judge_program

    def falls(confined, job, limits):
        if "add1" in job.program:
            raise OSError("too many open files")
        return real(confined, job, limits)

    monkeypatch.setattr(executed, "judge_program", falls)
    made, items, _ = scored(spec(), humaneval, tmp_path / "out", respond)
    assert items[1]["verdict"] == "not judged" and made["n"] == 6 and made["n_judged"] == 5
    assert made["not_judged"] == {"the judge fell: OSError: too many open files": 1}
    assert made["value"] == pytest.approx(1 / 5)  # not judged is not failed


def test_where_every_judge_falls_there_is_no_score(spec, humaneval, tmp_path, sandbox, monkeypatch):
    def falls(*_):
        raise RuntimeError("gone")

    monkeypatch.setattr(executed, "judge_program", falls)
    made, _, _ = scored(spec(), humaneval, tmp_path / "out", respond)
    assert made["value"] is None and made["judged"] is False
    assert made["reason"] == "6 x the judge fell: RuntimeError: gone"


@pytest.mark.parametrize("name", ["gsm8k"])
def test_answers_without_a_number(spec, gsm8k, tmp_path, name):
    texts = ["", "x" * 1_000_000, "\ud800", "9" * 5000, "no"]
    made, items, _ = scored(
        spec(name), gsm8k, tmp_path / "out", lambda one: texts[int(one["_id"][-1])]
    )
    assert made["value"] == 0.0 and made["responses"]["empty"] == 1 and len(items) == 5
