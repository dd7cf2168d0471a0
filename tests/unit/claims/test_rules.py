"""Each rule gives each of its verdicts, and none but from the evidence."""

import pytest
import trial_run
from lemur.claims import judge
from lemur.claims.claim import Claim, Comparison, Needs, Verdict
from lemur.claims.evidence import Evidence, Run
from lemur.claims.rules import RULES
from lemur.core.errors import UserError
from lemur.evaluation.score import read_scores

REPRODUCED, CONSISTENT, DIFFERS, NOT_CHECKABLE = Verdict


@pytest.mark.parametrize("mine, theirs, verdict, too_few", [
    (60, 40, CONSISTENT, False), (41, 40, CONSISTENT, True), (39, 40, CONSISTENT, True),
    (40, 60, DIFFERS, False),
])  # fmt: skip
def test_printed_scores_that_lead_are_consistent_at_most(evidence, mine, theirs, verdict, too_few):
    given = evidence({"a": (50, mine), "b": (50, theirs), "c": (0, 0)})
    found = RULES["leads"](given, table="foundation", model="a", others=["c", "b"], metrics=["C"])
    assert found.verdict is verdict and f"b {theirs}.0" in found.found
    assert found.difference == pytest.approx(mine - theirs)
    assert found.low < found.difference < found.high
    assert ("too few to tell" in found.sure) is too_few


@pytest.mark.parametrize("others, verdict", [
    ({"b": (90, 20), "c": (20, 90)}, CONSISTENT), ({"b": (90, 80)}, DIFFERS),
])  # fmt: skip
def test_balance_is_judged_by_the_weaker_domain(evidence, others, verdict):
    given = evidence({"a": (60, 50), **others})
    rule = RULES["stronger_in_its_weaker_domain"]
    found = rule(given, table="foundation", model="a", others=list(others))
    assert found.verdict is verdict and "weaker domain of a: code 50.0" in found.found


@pytest.mark.parametrize("second, verdict", [((20, 90), CONSISTENT), ((20, 10), DIFFERS)])
def test_models_specialise_where_no_one_is_best_at_both(evidence, second, verdict):
    given = evidence({"a": (90, 20), "b": second})
    assert RULES["specialise"](given, table="foundation", models=["a", "b"]).verdict is verdict


@pytest.mark.parametrize("after, verdict, lost", [
    ((50, 40), CONSISTENT, False), ((30, 70), CONSISTENT, True), ((30, 41), DIFFERS, True),
])  # fmt: skip
def test_what_training_gives_is_weighed_against_what_it_takes(evidence, after, verdict, lost):
    given = evidence({"before": (50, 30), "after": after})
    rule = RULES["gains_more_than_it_loses"]
    found = rule(given, table="foundation", model="after", start="before")
    assert found.verdict is verdict and ("text got worse" in found.found) is lost


def test_averages_are_taken_again(evidence):
    given = evidence({"a": (50, 60)})
    given.reported["foundation"]["a", "average"] = 55.0
    assert RULES["means_hold"](given, table="foundation", average="average").verdict is CONSISTENT
    given.reported["foundation"]["a", "average"] = 55.1
    found = RULES["means_hold"](given, table="foundation", average="average")
    assert found.verdict is DIFFERS and "mean 55.00, printed 55.1" in found.found


@pytest.mark.parametrize("mine, theirs, verdict", [
    ("1" * 30 + "0" * 10, "0" * 40, REPRODUCED), ("1" * 3 + "0" * 37, "1" * 2 + "0" * 38, CONSISTENT),
    ("0" * 40, "1" * 30 + "0" * 10, DIFFERS),
])  # fmt: skip
def test_episodes_are_compared_in_pairs(evidence, mine, theirs, verdict):
    given = evidence(solved={"a": mine, "b": theirs, "worse": "0" * 40})
    runs = [["none", "reasoning"]]
    found = RULES["episodes_lead"](given, model="a", others=["worse", "b"], runs=runs)
    assert found.verdict is verdict and "on the same 40 problems" in found.sure
    assert found.difference == pytest.approx(100 * (mine.count("1") - theirs.count("1")) / 40)


def test_a_gap_that_is_closed_is_counted(evidence):
    texts = {"a": "1" * 30 + "0" * 10, "b": "1" * 10 + "0" * 30, "top": "1" * 35 + "0" * 5}
    runs = [["none", "reasoning"]]
    rule, given = RULES["narrows_gap"], evidence(solved=texts)
    found = rule(given, model="a", others=["b"], proprietary="top", runs=runs)
    assert found.verdict is REPRODUCED and "80% of it closed" in found.found
    none = rule(given, model="a", others=["top"], proprietary="top", runs=runs)
    assert none.verdict is DIFFERS and "there is no gap" in none.found


def papers(numbers, lines, **more):
    return Evidence(reported=numbers, outcomes=lines, problems={}, domains={}, **more)


def test_a_label_is_reproduced_until_its_print_or_its_episodes_change(paper):
    numbers, lines = paper
    axis, rule = "Tool augmentation", RULES["recounted"]
    assert rule(papers(numbers, lines), axis=axis).verdict is REPRODUCED
    radar = {**numbers["agent-radar"], ("Lemur-70B-Chat", axis): 32.65}
    found = rule(papers({**numbers, "agent-radar": radar}, lines), axis=axis)
    assert found.verdict is DIFFERS and "the paper prints 32.65" in found.found
    turned = next(line for line in lines if line.model == "lemur-70b-chat-v1" and line.feedback == "none"
                  and line.category == "reasoning" and line.solved)  # fmt: skip
    fewer = [line for line in lines if line is not turned]
    assert rule(papers(numbers, fewer), axis=axis).verdict is DIFFERS


def test_a_label_of_printed_parts_is_their_mean(paper):
    numbers, lines = paper
    rule, axis = RULES["label_is_mean"], "Exploring digital environment"
    assert rule(papers(numbers, lines), axis=axis).verdict is CONSISTENT
    radar = {**numbers["agent-radar"], ("Lemur-70B-Chat", axis): 13.7}
    assert rule(papers({**numbers, "agent-radar": radar}, lines), axis=axis).verdict is DIFFERS


def test_printed_scores_are_reproduced_by_the_papers_own_weights_alone(paper, tmp_path):
    """61.0 is printed of HumanEval: an interval around it, one beside it, and another model's."""
    numbers, lines = paper
    rule = RULES["measured"]

    def found(value, own):
        score = trial_run.score(
            "humaneval", "chat-v1", value, interval=[value - 0.05, value + 0.05]
        )
        path = trial_run.write_file(tmp_path / "scores.json", score)
        run = Run("llama-2-70b", 0, 10, own)
        given = papers(numbers, lines, scores=read_scores([path]), run=run)
        return rule(given, model="Lemur-70B-Chat")

    own = {"chat-v1": "Lemur-70B-Chat"}
    assert found(0.6, own).verdict is REPRODUCED
    assert found(0.5, own).verdict is DIFFERS and "printed 61.0" in found(0.5, own).sure
    assert found(0.6, {}).verdict is NOT_CHECKABLE
    assert rule(papers(numbers, lines), model="Lemur-70B-Chat").verdict is NOT_CHECKABLE


@pytest.mark.parametrize("run, verdict", [
    (None, NOT_CHECKABLE), (Run("smollm", 67_584, 10), NOT_CHECKABLE),
    (Run("llama-2-70b", 90_000_000_000, 3), NOT_CHECKABLE),
    (Run("llama-2-70b", 90_000_000_000, 10), CONSISTENT),
])  # fmt: skip
def test_only_a_run_of_the_papers_size_and_mixture_bears_upon_it(evidence, run, verdict):
    given = evidence(run=run)
    found = RULES["trained"](given, base="llama-2-70b", tokens=90_000_000_000, code_to_text=10)
    assert found.verdict is verdict


def test_weights_are_released_where_somebody_saw_them(evidence):
    rule = RULES["released"]
    pins = {"a": "f" * 40, "b": "unresolved"}
    assert rule(evidence(pins=pins), models=["a"]).verdict is CONSISTENT
    assert rule(evidence(pins=pins), models=["a", "b"]).verdict is NOT_CHECKABLE
    with pytest.raises(UserError, match="no 'c' on the hub"):
        rule(evidence(pins=pins), models=["c"])


def test_what_nobody_published_is_not_checkable(paper):
    numbers, lines = paper
    found = RULES["unrecorded"](papers(numbers, lines), axis="Self-debugging")
    assert found.verdict is NOT_CHECKABLE and "49.64" in found.found
    with pytest.raises(UserError, match="did you mean 'Self-debugging'"):
        RULES["unrecorded"](papers(numbers, lines), axis="Self-debuging")


def test_every_rule_is_tried_here():
    with open(__file__) as file:
        text = file.read()
    assert [name for name in RULES if f'RULES["{name}"]' not in text] == []


CLAIM = Claim("x", "Abstract, sentence 1", "words", "compared", "leads",
              {"table": "foundation", "model": "a", "others": ["b"], "metrics": ["C"]},
              Needs("scoring", "lemur-70b", ("pretrain", "sft"), tokens=1000),
              [Comparison("gsm8k", "chat", "start")])  # fmt: skip
HOURS = {"lemur-70b": {"pretrain": 20_000.0, "sft": 100.0, "token_hours": 0.5, "device": "H100"}}


def test_a_claim_says_what_it_takes_and_what_this_run_shows(evidence, tmp_path):
    paths = []
    for model, share in (("start", 0.75), ("chat", 0.25)):
        score = trial_run.score("gsm8k", model, share, n=40)
        paths.append(trial_run.write_file(tmp_path / model / "scores.json", score))
        trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), trial_run.verdicts(score))
    given = evidence({"a": (0, 60), "b": (0, 40)}, scores=read_scores(paths))
    (judged,) = judge.judge([CLAIM], given, HOURS)
    assert judged.takes == "scoring: 20,600 GPU-hours (H100) by the plan of lemur-70b"
    (own,) = judged.ours
    assert own.worse and not own.better and "-50.0" in own.text and "n = 40" in own.text
    judge.write([judged], tmp_path / "claims.json")
    assert judge.read(tmp_path / "claims.json") == [judged]
    assert judge.counted([judged])[CONSISTENT] == 1
    with pytest.raises(UserError, match="no plan of recipe"):
        judge.judge([CLAIM], given, {})
    (tmp_path / "claims.json").write_text('[{"name": 1}]')
    with pytest.raises(UserError, match="claims.json.0.: place is missing"):
        judge.read(tmp_path / "claims.json")


@pytest.mark.parametrize("start, chat, verdict", [
    (0.25, 0.75, REPRODUCED), (0.75, 0.25, DIFFERS), (0.5, 0.5, CONSISTENT),
])  # fmt: skip
def test_a_run_of_the_papers_size_decides_and_a_smaller_one_does_not(
    evidence, tmp_path, start, chat, verdict
):
    paths = []
    for model, share in (("start", start), ("chat", chat)):
        score = trial_run.score("gsm8k", model, share, n=40)
        paths.append(trial_run.write_file(tmp_path / model / "scores.json", score))
        trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), trial_run.verdicts(score))
    for papers_size, wanted in ((True, verdict), (False, CONSISTENT)):
        run = Run("llama-2-70b", 90_000_000_000, 10, papers_size=papers_size)
        given = evidence({"a": (0, 60), "b": (0, 40)}, scores=read_scores(paths), run=run)
        (judged,) = judge.judge([CLAIM], given, HOURS)
        assert judged.finding.verdict is wanted


def test_a_mistake_of_a_rule_names_its_claim(evidence):
    with pytest.raises(UserError, match="claim x: reported numbers: foundation: no 'b'"):
        judge.judge([CLAIM], evidence({"a": (0, 60)}), HOURS)
