"""The card that says what a model scored is made of the training's card and of scores.json alone."""

import json
import subprocess
import sys

import pytest
import yaml
from lemur.errors import UserError
from lemur.models.card import trained_card
from lemur.provenance import ROOT
from lemur.report.scored_card import with_scores, write
from tiny_training import settings

CARD = trained_card(
    settings(),
    {"description": "a start", "licence": "MIT"},
    None,
    {"tokens": 768, "steps": 12, "final_loss": 3.2, "engine": "torch", "computed": "fp32"},
)


def score(benchmark="gsm8k", **changes):
    return {
        "benchmark": benchmark, "model": "chat", "metric": "exact match", "value": 0.125,
        "interval": [0.05, 0.2813], "higher_is_better": True, "n": 24, "of": 1319, "shots": 8,
        "format": "chatml", "judged": True, "reason": None, **changes,
    }  # fmt: skip


SCORES = [
    score("humaneval", value=None, interval=None, judged=False, shots=0, of=164,
          reason="no sandbox |\n<script>alert(1)</script>"),
    score(),
    score("bits", metric="bits per byte", value=0.62, higher_is_better=False, shots=0, of=24),
]  # fmt: skip


def test_what_to_know_of_a_score_stands_below_the_table():
    empty = {"empty": 19, "finish": {"stop": 24}}
    made = with_scores(CARD, "tiny-chat", [score("humaneval", responses=empty), score()])
    assert "\n- humaneval: 19 of 24 answers are empty.\n" in made and "- gsm8k" not in made


def test_scores_stand_in_the_card_and_in_the_metadata():
    made = with_scores(CARD, "tiny-chat", SCORES)
    rows = [line for line in made.splitlines() if line.startswith("|") and "of" in line]
    assert (
        "| gsm8k | exact match | 0.1250 | 0.0500 to 0.2813 | 24 of 1,319 | chatml, 8 shots |"
        in rows
    )
    (unjudged,) = [row for row in rows if "humaneval" in row]
    assert "not judged: no sandbox \\| &lt;script&gt;" in unjudged
    assert "Lower is better for bits per byte." in made
    assert made.index("## Data") < made.index("## Scores") < made.index("## Licence")
    front, body = made.split("---\n")[1:3]
    (entry,) = yaml.safe_load(front)["model-index"]
    assert entry["name"] == "tiny-chat"
    # What was not judged is no result.
    found = {one["dataset"]["type"]: one["metrics"] for one in entry["results"]}
    assert found == {
        "gsm8k": [{"type": "exact match", "value": 0.125}],
        "bits": [{"type": "bits per byte", "value": 0.62}],
    }
    # Nothing of the training's card is changed or lost.
    old_front, old_body = CARD.split("---\n")[1:3]
    assert front.startswith(old_front)
    assert body.replace(body[body.index("## Scores") : body.index("## Licence")], "") == old_body


def test_a_model_without_scores_says_so():
    made = with_scores(CARD, "tiny-chat", [])
    assert "None: the recipe scores this model on no benchmark." in made
    assert "model-index" not in made


def test_mistakes_are_one_line(tmp_path):
    spec, out = {"recipe": "tiny", "model": "chat"}, tmp_path / "card" / "README.md"
    with pytest.raises(UserError, match=r"README\.md: no such file"):
        write(spec, tmp_path, SCORES, out)
    (tmp_path / "README.md").write_text(CARD)
    with pytest.raises(UserError, match="gsm8k are those of 'pretrained', not of 'chat'"):
        write(spec, tmp_path, [score(model="pretrained")], out)
    (tmp_path / "README.md").write_text("# mine\n")
    with pytest.raises(UserError, match=r"README\.md: not a model card"):
        write(spec, tmp_path, SCORES, out)
    assert not out.exists()


def test_the_command(tmp_path):
    folder, out = tmp_path / "chat" / "model", tmp_path / "card" / "README.md"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder.parent / "DONE.json").write_text("{}")
    paths = []
    for one in SCORES:
        paths.append(tmp_path / f"{one['benchmark']}.json")
        paths[-1].write_text(json.dumps(one))
    script = ROOT / "scripts" / "8_figures" / "model_card.py"
    spec = json.dumps({"recipe": "tiny", "model": "chat"})
    command = [sys.executable, script, "--spec", spec, "--model", folder, "--scores", *paths]
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == with_scores(CARD, "tiny-chat", SCORES)
    record = json.loads((out.parent / "README.md.prov.json").read_text())
    assert str(paths[0]) in json.dumps(record)
