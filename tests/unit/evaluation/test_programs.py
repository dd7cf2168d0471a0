"""HumanEval's answers as they are, and as the paper's released script cuts them."""

import pytest
from answered import scored
from lemur.evaluation.benchmarks.humaneval.judge import to_last_return
from lemur.evaluation.score import read_score
from lemur.figures.paired import otherwise


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        ("\n    return 1\n\nprint(2)", "\n    return 1"),
        ("\n    if a:\n        return 1\n    return 2\n", "\n    if a:\n        return 1\n    return 2"),
        ("\n    total = returned = 3\n    return (\n        total\n    )", "\n    total = returned = 3\n    return ("),
        ("\n    raise ValueError", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_an_answer_is_cut_after_its_last_return(answer, cut):
    assert to_last_return(answer) == cut


def test_both_verdicts_stand_side_by_side(spec, humaneval, tmp_path, sandbox):
    answers = {
        # Prose after the function: no program, but for the paper's script.
        0: "\n    return a + b\n\nThis is right.",
        # A return over several lines: cut in its midst.
        1: "\n    return (\n        a + b + 1\n    )",
        2: "\n    return a + b + 2\n",
        3: "\n    pass",
    }
    made, items, _ = scored(
        spec(), humaneval, tmp_path / "out", lambda one: answers.get(int(one["task_id"][10:]), "")
    )
    found = {item["document"]: (item["verdict"], item["paper"]) for item in items}
    both = [found[f"HumanEval/{number}"] for number in range(4)]
    assert both[:3] == [("error", "passed"), ("passed", "error"), ("passed", "passed")]
    assert "passed" not in both[3]
    assert made["value"] == pytest.approx(2 / 6)
    beside = made["beside"]["paper"]
    assert (beside["value"], beside["differs_on"], beside["n"]) == (pytest.approx(2 / 6), 2, 6)


def test_answers_that_want_a_module_are_counted(spec, humaneval, tmp_path, sandbox):
    def respond(document):
        number = int(document["task_id"][10:])
        return "\n    import numpy.linalg\n" if number % 2 else "\n    import math, nothing\n"

    made, _, _ = scored(spec(), humaneval, tmp_path / "out", respond)
    assert made["lacking_modules"] == {"nothing": 3, "numpy": 3}
    shown = otherwise(read_score(tmp_path / "out" / "scores.json"), [])
    assert shown.endswith("3 ended for want of nothing; 3 ended for want of numpy")
