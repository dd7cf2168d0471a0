"""The paper's claims stand first on the page, by verdict; what training made worse is said."""

import re

import pytest
import trial_run
import yaml
from lemur.claims import judge, table
from lemur.claims.claim import Finding, Judged, Own, Verdict
from lemur.config import claims as claims_spec
from lemur.core.provenance import ROOT
from lemur.evaluation.score import read_scores
from lemur.figures import settings
from lemur.report import claims, page, worse

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


@pytest.fixture(scope="module")
def drawn(run, tmp_path_factory):
    """The page of claims of the run, with the run's own scores beside them."""
    files = table.Files(
        trial_run.PAPER / "claims.yaml", trial_run.PAPER / "reported.csv",
        trial_run.PAPER / "mint_outcomes.tsv.gz", run.scores,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("claims") / "claims.html"
    table.write({**claims_spec.spec(files.claims), "recipe": "mini"}, files, out)
    return out


def test_verdicts_come_before_the_run_and_every_claim_is_there(run, drawn, tmp_path):
    given = page.Inputs(**{**vars(run), "figures": [*run.figures, drawn]})
    text = page.render(settings.report_spec(CONFIG, trial_run.RECIPE), given, tmp_path / "r.html")
    found = judge.read(drawn.with_suffix(".json"))
    counts = judge.counted(found)
    tiles = re.search(r'<ul class="verdicts">(.*?)</ul>', text, re.S).group(1)
    shown = {verdict: int(number) for number, verdict in re.findall(r"<strong>(\d+)</strong> ([a-z ]+)", tiles)}  # fmt: skip
    assert shown == {verdict.value: number for verdict, number in counts.items()}
    assert text.count("<q>") == len(found) == sum(counts.values())
    assert text.index('class="verdicts"') < text.index('id="claims-list"') < text.index('id="ours"')
    assert text.index('id="ours"') < text.index("shows the pipeline running")
    assert "At this run&#39;s own size" in text or "At this run's own size" in text
    assert '<a href="#agent_table"' not in text and text.count('id="claims"') == 1


def test_without_claims_the_run_stands_first(run, tmp_path):
    text = page.render(settings.report_spec(CONFIG, trial_run.RECIPE), run, tmp_path / "r.html")
    assert 'class="verdicts"' not in text and 'id="ours"' in text


def test_groups_are_in_reading_order_and_lead_to_the_numbers(tmp_path):
    rows = [
        Judged("a", "Abstract", "x", "y", "leads", Finding(verdict, "f", "s", source), ours=[Own("o", True, False)])
        for verdict, source in zip(Verdict, ("mint_outcomes.tsv.gz", "reported.csv", "none", "none"), strict=True)
    ]  # fmt: skip
    judge.write(rows, tmp_path / "claims.json")
    made = claims.section(tmp_path / "claims.json", ["mint_table"])
    assert [group.key for group in made.groups] == ["differs", "reproduced", "consistent", "not-checkable"]  # fmt: skip
    assert made.number == 4
    figures = {group.key: group.rows[0].figure for group in made.groups}
    assert figures["reproduced"] == "mint_table" and figures["consistent"] == ""


def scored(folder, benchmark, shares, n=40, forms=None):
    """scores.json of models with such shares of right answers, or bits per byte."""
    paths = []
    for model, value in shares.items():
        made = trial_run.score(benchmark, model, value, n=n, format=(forms or {}).get(model, "completion"))  # fmt: skip
        paths.append(trial_run.write_file(folder / model / benchmark / "scores.json", made))
        trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), trial_run.verdicts(made))
    return paths


def told(*paths):
    return worse.sentences(read_scores([path for some in paths for path in some]))


def test_harm_is_said_in_words_with_its_size(tmp_path):
    bits = scored(tmp_path, "bits_per_byte_text", {"start": 1.0, "pretrained": 1.1})
    (sentence,) = told(bits)
    assert sentence.startswith("Continued pretraining made bits per byte text worse: +0.100 (")
    assert sentence.endswith("bits per byte on the same 40 documents.")
    shares = {"start": 0.5, "pretrained": 0.5, "chat": 0.1}
    (sentence,) = told(scored(tmp_path, "gsm8k", shares, forms={"chat": "chatml"}))
    assert sentence.startswith("Instruction tuning made GSM8K worse: -40.0 (")
    assert "asked as chatml and before as completion, so that this is not of training alone" in sentence  # fmt: skip


def test_the_start_stands_in_for_a_model_that_was_not_scored(tmp_path):
    (sentence,) = told(scored(tmp_path, "humaneval", {"start": 0.8, "chat": 0.1}))
    assert sentence.startswith("All training together made HumanEval worse")


def test_what_chance_may_have_done_is_not_called_harm(tmp_path):
    (sentence,) = told(scored(tmp_path, "gsm8k", {"start": 0.5, "pretrained": 0.45}))
    assert sentence.startswith(
        "Worse, but by too little to tell from chance: GSM8K after continued"
    )


def test_no_harm_is_said_and_nothing_without_pairs(tmp_path):
    better = scored(tmp_path, "bits_per_byte_code", {"start": 1.0, "pretrained": 0.9})
    assert told(better) == ["Training made none of 1 scores worse that were compared in pairs."]
    assert told(scored(tmp_path / "x", "gsm8k", {"start": 0.5})) == []
