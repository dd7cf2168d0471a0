"""The card that says what a model scored is made of the training's card and of scores.json alone."""

import json
import subprocess
import sys

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation.score import Responses, Score
from lemur.models.card import trained_card
from lemur.models.result import TrainingResult
from lemur.report.scored_card import with_scores, write
from tiny_training import settings

CARD = trained_card(
    settings(),
    {"description": "a start", "licence": "MIT"},
    None,
    TrainingResult(12, 768, 3.2, "torch", "fp32", "fp32", parameters=17_472),
)


def score(benchmark="gsm8k", **changes):
    given = {
        "benchmark": benchmark, "model": "chat", "metric": "exact match", "value": 0.125,
        "interval": (0.05, 0.2813), "n": 24, "of": 1319, "shots": 8, "format": "chatml", "judged": True,
    }  # fmt: skip
    return Score(**given | changes)


SCORES = [
    score("humaneval", value=None, interval=None, judged=False, shots=0, of=164,
          reason="no sandbox |\n<script>alert(1)</script>"),
    score(),
    score("bits", metric="bits per byte", value=0.62, higher_is_better=False, shots=0, of=24),
]  # fmt: skip


# What config/benchmarks.yaml says of them: of held-out text no hub has the data.
DATASETS = {
    "gsm8k": {"dataset": "openai/gsm8k", "config": "main", "split": "test", "task": "gsm8k"},
    "humaneval": {"dataset": "openai/openai_humaneval", "split": "test"},
}


def test_what_to_know_of_a_score_stands_below_the_table():
    empty = Responses(finish={"stop": 24}, empty=19)
    made = with_scores(CARD, "tiny-chat", [score("humaneval", responses=empty), score()], DATASETS)
    assert "\n- humaneval: 19 of 24 answers are empty.\n" in made and "- gsm8k" not in made


def test_scores_stand_in_the_card_and_in_the_metadata():
    made = with_scores(CARD, "tiny-chat", SCORES, DATASETS)
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
    # What was not judged is no result, nor what the hub has no data set of.
    (result,) = entry["results"]
    assert result["dataset"] == {
        "name": "gsm8k", "type": "openai/gsm8k", "config": "main", "split": "test"
    }  # fmt: skip
    (metric,) = result["metrics"]
    assert metric == {
        "type": "exact_match", "value": 0.125,
        "name": "exact match (24 of 1,319 problems, 8 shots, chatml)",
    }  # fmt: skip
    # Nothing of the training's card is changed or lost.
    old_front, old_body = CARD.split("---\n")[1:3]
    assert yaml.safe_load(old_front).items() <= yaml.safe_load(front).items()
    assert body.replace(body[body.index("## Scores") : body.index("## Licence")], "") == old_body


def test_the_hubs_library_reads_card_and_results_back(tmp_path):
    (tmp_path / "README.md").write_text(CARD)
    spec = {"recipe": "tiny", "model": "chat", "datasets": DATASETS}
    card, results = tmp_path / "card" / "README.md", tmp_path / "card" / ".eval_results" / "x.yaml"
    write(spec, tmp_path, SCORES, card, results)
    (found,) = ModelCard.load(card).data.eval_results
    assert (found.dataset_type, found.metric_value) == ("openai/gsm8k", 0.125)
    (entry,) = parse_eval_result_entries(yaml.safe_load(results.read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("openai/gsm8k", "gsm8k", 0.125)
    assert entry.notes == "gsm8k: exact match, 24 of 1,319 problems, 8 shots, chatml"
    # A card that has an index already is none of training's.
    with pytest.raises(ValueError, match="not a model card"):
        with_scores(card.read_text(), "tiny-chat", SCORES, DATASETS)


def test_a_model_without_scores_says_so():
    made = with_scores(CARD, "tiny-chat", [], DATASETS)
    assert "None: the recipe scores this model on no benchmark." in made
    assert "model-index" not in made


def test_mistakes_are_one_line(tmp_path):
    spec = {"recipe": "tiny", "model": "chat", "datasets": DATASETS}
    out, results = tmp_path / "card" / "README.md", tmp_path / "card" / "results.yaml"
    with pytest.raises(UserError, match=r"README\.md: no such file"):
        write(spec, tmp_path, SCORES, out, results)
    (tmp_path / "README.md").write_text(CARD)
    with pytest.raises(UserError, match="gsm8k are those of 'pretrained', not of 'chat'"):
        write(spec, tmp_path, [score(model="pretrained")], out, results)
    (tmp_path / "README.md").write_text("# mine\n")
    with pytest.raises(UserError, match=r"README\.md: not a model card"):
        write(spec, tmp_path, SCORES, out, results)
    assert not out.exists() and not results.exists()


def test_the_command(tmp_path):
    folder, out = tmp_path / "chat" / "model", tmp_path / "card" / "README.md"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder.parent / "DONE.json").write_text("{}")
    paths = []
    for score in SCORES:
        paths.append(tmp_path / f"{score.benchmark}.json")
        contracts.write_file(paths[-1], score)
    script = ROOT / "scripts" / "8_figures" / "model_card.py"
    spec = json.dumps({"recipe": "tiny", "model": "chat", "datasets": DATASETS})
    command = [sys.executable, script, "--spec", spec, "--model", folder, "--scores", *paths]
    command += ["--out", out, "--results", out.with_name("results.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == with_scores(CARD, "tiny-chat", SCORES, DATASETS)
    assert "openai/gsm8k" in out.with_name("results.yaml").read_text()
    record = json.loads((out.parent / "README.md.prov.json").read_text())
    assert str(paths[0]) in json.dumps(record)
