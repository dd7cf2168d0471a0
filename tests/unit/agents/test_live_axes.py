"""What was played here on the axes of the paper's radar: which parts, how they become one number."""

import math

import played_results
import pytest
from lemur.agents import judged, live_axes
from lemur.agents.rates import Rate
from played_results import Outcome

REASONING = {"gsm8k": 48, "math": 100, "theoremqa": 49, "hotpotqa": 43, "mmlu": 76}


def result(folder, name, environment, outcomes, model="start", **settings):
    path = played_results.write_result(folder, name, environment, model, outcomes, **settings)
    return judged.read_result(path)


def tasks(prefix, total, solved):
    return [Outcome(f"{prefix}/{n}", 1, int(n < solved)) for n in range(total)]


def test_the_parts_have_as_many_tasks_as_the_paper_counts():
    """316 reasoning episodes, 136 of code, 134 games: the denominators of the recounted axes."""
    counted = {"Tool augmentation": 316, "NL feedback on reasoning": 316,
               "NL feedback on coding": 136, "Exploring physical environment": 134}  # fmt: skip
    for axis, total in counted.items():
        how, parts = live_axes.PARTS[axis]
        assert how == live_axes.POOLED and sum(part.tasks for part in parts) == total
    assert [len(live_axes.PARTS[axis][1]) for axis in ("Self-debugging", "Exploring digital environment")] == [5, 2]  # fmt: skip


def test_all_tasks_within_the_papers_limits_are_a_whole_axis(tmp_path):
    outcomes = [task for name, total in REASONING.items() for task in tasks(name, total, 20)]
    (label,) = live_axes.live_labels([result(tmp_path, "mint", "mint", outcomes, turns=5)])
    assert (label.axis, label.whole, label.missing) == ("Tool augmentation", True, ())
    assert label.value == 100 * 100 / 316 and label.interval == Rate(100, 316).interval


@pytest.mark.parametrize(
    "change, said",
    [
        ({"turns": 3}, "3 turns for 5"),
        ({"feedback": True}, None),
        ({"total": 47}, "of 48 tasks"),
    ],
)
def test_what_differs_from_the_paper_is_a_part_and_says_so(tmp_path, change, said):
    """Fewer tasks, other limits; with a teacher it is another axis."""
    settings = {"turns": 5, **change}
    outcomes = tasks("gsm8k", settings.pop("total", 48), 4)
    (label,) = live_axes.live_labels([result(tmp_path, "x", "mint", outcomes, **settings)])
    assert not label.whole and label.missing[0] == "MINT math"
    if said is None:
        assert label.axis == "NL feedback on reasoning" and label.played[0].whole
    else:
        assert not label.played[0].whole and said in label.note


def test_a_mean_of_parts_is_of_those_that_were_played(tmp_path):
    code = [*tasks("humaneval", 45, 9), *tasks("mbpp", 91, 0)]
    sql = [Outcome(f"{n}", 1, int(n < 5), info={"world": "MariaDB 10.11.6"}) for n in range(10)]
    results = [
        result(tmp_path, "code", "mint", code, turns=5),
        result(tmp_path, "sql", "intercode_sql", sql, turns=10),
    ]
    (label,) = live_axes.live_labels(results)
    assert label.axis == "Self-debugging" and label.missing == ("RoboCodeGen", "InterCode-Bash")
    assert label.value == pytest.approx((20 + 0 + 50) / 3)
    rates = [Rate(9, 45), Rate(0, 91), Rate(5, 10)]
    below = math.sqrt(sum((rate.percent - rate.interval[0]) ** 2 for rate in rates)) / 3
    assert label.interval[0] == pytest.approx(label.value - below)
    assert "InterCode-SQL 5 of 10 (of 1034 tasks)" in label.note  # its world is the paper's


def test_of_two_entries_the_one_nearest_to_the_paper_counts_and_they_are_not_pooled(tmp_path):
    short = result(tmp_path, "short", "mint", tasks("gsm8k", 40, 40), turns=3)
    near = result(tmp_path, "near", "mint", tasks("gsm8k", 10, 1), turns=5)
    for results in ([short, near], [near, short]):
        (label,) = live_axes.live_labels(results)
        assert label.value == 10


def test_a_game_in_another_prompt_is_marked(tmp_path):
    games = [Outcome(f"pick/{n}", 3, 1) for n in range(134)]
    (label,) = live_axes.live_labels([result(tmp_path, "a", "alfworld", games, turns=50)])
    assert (label.axis, label.whole) == ("Exploring physical environment", False)
    assert "50 turns for 5, another prompt than the paper's" in label.note


def test_known_solutions_and_what_could_not_be_played_are_on_no_axis(tmp_path):
    gold = result(tmp_path, "g", "mint", tasks("gsm8k", 48, 48), model="gold", turns=5)
    none = result(tmp_path, "n", "intercode_ctf", [Outcome("1", 0, left_out="no sandbox")])
    other = result(tmp_path, "b", "bfcl", tasks("base", 3, 3))
    assert live_axes.live_labels([gold, none, other]) == []
