"""What is said beside a score: empty answers, answers cut short, programs that could forge a pass."""

import pytest
from lemur.evaluation import caveats
from lemur.evaluation.score import Responses, Score


def score(benchmark="humaneval", value=0.0, n=24, **more):
    given = {"model": "start", "metric": "pass@1", "interval": None, "of": n, "judged": True}
    return Score(benchmark=benchmark, value=value, n=n, **given | more)


def answered(empty=0, truncated=0, **finish):
    return {"responses": Responses(finish=finish, empty=empty, truncated_prompts=truncated)}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (score(), []),
        (score(**answered(stop=24)), []),
        (score(**answered(19, stop=24)), ["19 of 24 answers are empty"]),
        (score(**answered(1, stop=20, length=4)), ["1 of 24 answers is empty", "4 of 24 answers end at the limit of new tokens"]),
        (score(**answered(2, 3, stop=22, refused=2)), ["2 of 24 answers are empty", "2 of 24 prompts were refused by the server; 3 of 24 prompts did not fit whole"]),
        (score("multipl_e", 0.5, 12, n_judged=9), ["9 of 9 programs share a process with their test and could forge a pass"]),
        (score("ds1000", 0.5, 12, details={"one_process": {"ds1000/5": "a figure"}}), ["1 of 12 programs shares a process with its test and could forge a pass"]),
        (score("ds1000", 0.5, 12, details={"one_process": {}}), []),
        (score("multipl_e", None, 12), []),
    ],
)  # fmt: skip
def test_what_is_said(given, told):
    assert caveats.all_caveats(given) == told
