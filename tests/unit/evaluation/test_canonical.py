"""The benchmarks' own solutions pass and deliberately wrong ones fail, in the real sandbox."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from lemur.evaluation.benchmarks.humaneval.judge import FunctionJudge
from lemur.evaluation.benchmarks.mbpp.judge import AssertionJudge
from lemur.evaluation.documents import lines
from lemur.sandbox.judge import judge
from lemur.sandbox.policy import Limits
from tiny_benchmarks import listing


def solved_function(document):
    """HumanEval's own solution as if a model had written it: its head is cut before the line end."""
    return FunctionJudge(None).job(document, "\n" + document["canonical_solution"])


LIMITS = Limits(cpu_seconds=15, wall_seconds=60)  # MBPP/123 alone takes four seconds


@pytest.fixture(scope="module")
def humaneval(mirror):
    (path,) = mirror("openai/human-eval/*/data/HumanEval.jsonl.gz")
    return lines(path.read_bytes(), str(path))


@pytest.fixture(scope="module")
def mbpp(mirror, tmp_path_factory):
    from lemur.evaluation.benchmarks.mbpp import MBPP
    from lemur.evaluation.source import Source

    (path,) = mirror("princeton-nlp/intercode/*/data/python/mbpp/ic_mbpp.json")
    folder = tmp_path_factory.mktemp("mbpp")
    (folder / path.name).symlink_to(path)
    return MBPP().read(Source(listing(folder, path.name)), path.name)[""]["test"]


def verdicts(sandbox, jobs):
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda job: judge(sandbox, job, LIMITS), jobs))


def failing(documents, made, verdict):
    pairs = zip(documents, made, strict=True)
    return [
        (pair.get("task_id", pair.get("_id")), got) for pair, got in pairs if got.verdict != verdict
    ]


def test_some_solutions_of_humaneval_pass(sandbox, humaneval):
    chosen = [humaneval[number] for number in (0, 32, 38, 50, 53, 163)]  # helpers, random tests
    made = verdicts(sandbox, [solved_function(one) for one in chosen])
    assert not failing(chosen, made, "passed")


def test_some_solutions_of_mbpp_pass(sandbox, mbpp):
    chosen = [one for one in mbpp if one["_id"] in ("mbpp/11", "mbpp/126", "mbpp/510")]
    chosen += [one for one in mbpp if one["test_setup_code"]]
    assert len(chosen) == 4
    made = verdicts(sandbox, [AssertionJudge(None).job(one, one["code"]) for one in chosen])
    assert not failing(chosen, made, "passed")


def test_wrong_solutions_fail(sandbox, humaneval):
    wrong = [
        "\n    return None\n",
        "\n    pass\n",
        "\n    raise SystemExit(0)\n",
        "\n    import os; os._exit(0)\n",
    ]
    chosen = humaneval[:4]
    jobs = [FunctionJudge(None).job(one, text) for one, text in zip(chosen, wrong, strict=True)]
    assert [verdict.verdict for verdict in verdicts(sandbox, jobs)] == [
        "failed",
        "failed",
        "error",
        "error",
    ]


@pytest.mark.long
def test_all_solutions_of_humaneval_pass(sandbox, humaneval):
    assert len(humaneval) == 164
    made = verdicts(sandbox, [solved_function(one) for one in humaneval])
    assert not failing(humaneval, made, "passed")


@pytest.mark.long
def test_all_wrong_solutions_of_humaneval_fail(sandbox, humaneval):
    made = verdicts(
        sandbox, [FunctionJudge(None).job(one, "\n    return None\n") for one in humaneval]
    )
    assert Counter(one.verdict for one in made) == {"failed": 164}


@pytest.mark.long
def test_all_solutions_of_mbpp_pass(sandbox, mbpp):
    assert len(mbpp) == 500
    made = verdicts(sandbox, [AssertionJudge(None).job(one, one["code"]) for one in mbpp])
    assert not failing(mbpp, made, "passed")
