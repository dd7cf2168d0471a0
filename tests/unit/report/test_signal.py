"""Which benchmarks carry a signal at the size of a run, all of them taken together."""

import pytest
import trial_run
from lemur.evaluation.score import read_scores
from lemur.figures.paired import Difference
from lemur.report import signal


def score(folder, benchmark, n=40, **shares):
    for model, value in shares.items():
        made = trial_run.score(benchmark, model, value, n=n, format="completion")
        path = trial_run.write_file(folder / model / benchmark / "scores.json", made)
        trial_run.write_file(path.with_name("verdicts.jsonl"), trial_run.verdicts(made))


def said(folder):
    return signal.sentences(read_scores(sorted(folder.glob("*/*/scores.json"))))


def test_p_is_mcnemars_or_of_the_interval():
    assert Difference(0.1, 0.0, 0.2, 40, True, p=0.04).p_value == 0.04
    # The interval ends at no change: p is 5 % by its definition.
    assert Difference(0.1, 0.0, 0.2, 40, True).p_value == pytest.approx(0.05, abs=1e-6)
    assert Difference(0.0, 0.0, 0.0, 40, True).p_value == 1
    assert Difference(0.1, 0.1, 0.1, 40, True).p_value == 0


def test_what_changed_is_told_from_what_could_not_be_seen(tmp_path):
    score(tmp_path, "gsm8k", start=0.1, pretrained=0.9)
    score(tmp_path, "humaneval", start=0.5, pretrained=0.5)
    (sentence,) = said(tmp_path)
    assert sentence.startswith(
        "Continued pretraining changed 1 of 2 scores beyond chance (Holm's correction): GSM8K (+80.0 points). "
        "To be seen four times in five, a change had to be at least: HumanEval "
    )
    assert sentence.endswith(" points.")


def test_another_format_is_said(tmp_path):
    score(tmp_path, "gsm8k", pretrained=0.9, chat=0.1)
    score(tmp_path, "humaneval", pretrained=0.5, chat=0.5)
    path = tmp_path / "chat" / "gsm8k" / "scores.json"
    path.write_text(path.read_text().replace('"completion"', '"chatml"'))
    (sentence,) = said(tmp_path)
    assert "GSM8K (-80.0 points; asked as chatml and before as completion, so that" in sentence


def test_one_of_many_is_not_enough(tmp_path):
    """McNemar's p of 7 against 0 is 0.016: beyond chance alone, not as the best of six."""
    score(tmp_path, "gsm8k", start=0.5, pretrained=0.675)
    score(tmp_path, "mbpp", start=0.5, pretrained=0.5)
    (sentence,) = said(tmp_path)
    assert "changed 1 of 2 scores" in sentence
    for benchmark in ("humaneval", "bbh", "mmlu", "spider"):
        score(tmp_path, benchmark, start=0.5, pretrained=0.5)
    (sentence,) = said(tmp_path)
    assert "changed 0 of 6 scores beyond chance" in sentence


def test_one_score_needs_no_correction_and_is_left_to_its_interval(tmp_path):
    score(tmp_path, "gsm8k", start=0.1, pretrained=0.9)
    assert said(tmp_path) == []
