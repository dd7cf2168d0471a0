"""Scores for a terminal."""

import trial_run
from lemur.report import printed


def test_a_row_a_score_and_what_to_know_of_it_below(tmp_path):
    paths = []
    for score in (
        trial_run.score("humaneval", "start", 0.125),
        trial_run.score("humaneval", "chat", 0.0, responses={"empty": 19}),
        trial_run.score("mbpp", "chat", None, reason="bubblewrap is not installed"),
        trial_run.score("spider", "chat", 0.5, not_judged={"out of disk": 2}),
    ):
        folder = tmp_path / score["benchmark"] / score["model"]
        paths.append(trial_run.write_file(folder / "scores.json", score))
        trial_run.write_file(folder / "verdicts.jsonl", trial_run.verdicts(score))
    lines = printed.text_of(paths, {"start": "start (instruct, 4-bit)"}).splitlines()
    assert lines[0].split("  ")[0] == "benchmark"
    first, second = lines[1:3]
    assert all(word in first for word in ("start (instruct, 4-bit)", "12.5%", "6.2 to 18.8"))
    assert first.endswith("24 of 164") and "-12.5" in second.split("24 of 164")[1]
    assert lines[-3:] == [
        "HumanEval, chat: 19 of 24 answers are empty",
        "MBPP, chat: not judged: bubblewrap is not installed",
        "spider, chat: 2 not judged: out of disk",
    ]
