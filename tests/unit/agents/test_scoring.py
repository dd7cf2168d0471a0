"""What is written of judged episodes, whatever a world said."""

import json

from hostile_episode import SPEC
from lemur.agents import episodes_file, play_spec, scoring
from lemur.agents.episode import WORLD_FAILED, Episode
from played_results import played_as


def test_last_words_that_no_file_can_hold_lose_no_score(tmp_path):
    """Half of a surrogate pair in a world's error once ended the judging of all other episodes."""
    lost = Episode("guess/0", "", (), WORLD_FAILED, detail="gone: \ud800\x1b[2J")
    settings = played_as("guessing", SPEC["settings"])
    episodes_file.write(tmp_path / "episodes.jsonl", settings, {}, [lost])
    out = tmp_path / "scores.json"
    scoring.run(SPEC, tmp_path / "episodes.jsonl", play_spec.NONE, out, tmp_path / "verdicts.jsonl")
    said = "world failed: gone: [U+D800][U+001B][2J"
    assert json.loads(out.read_text())["left_out"] == {"guess/0": said}
    assert json.loads((tmp_path / "verdicts.jsonl").read_text())["left_out"] == said
