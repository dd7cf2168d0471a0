"""Scores for a terminal."""

import trial_run
from lemur.report import printed


def test_a_row_a_score_and_what_was_not_judged_below(tmp_path):
    scores = [
        trial_run.score("humaneval", "start", 0.125, responses={"empty": 0}),
        trial_run.score("humaneval", "chat", 0.0, responses={"empty": 19}),
        trial_run.score("mbpp", "chat", None, reason="bubblewrap is not installed"),
        trial_run.score("spider", "chat", 0.5, not_judged={"out of disk": 2}),
    ]
    paths = [
        trial_run.write_file(tmp_path / str(number) / "scores.json", value)
        for number, value in enumerate(scores)
    ]
    lines = printed.text_of(paths, {"start": "start (instruct, 4-bit)"}).splitlines()
    assert lines[0].split("  ")[0] == "benchmark"
    assert (
        "start (instruct, 4-bit)" in lines[1] and "12.5%" in lines[1] and "6.2 to 18.8" in lines[1]
    )
    assert lines[1].endswith("24 of 164") and lines[2].endswith("19 of 24")
    assert lines[-2:] == [
        "not judged: MBPP, chat: bubblewrap is not installed",
        "not judged in part: spider, chat: 2 x out of disk",
    ]
