"""The paper beside ours, and each score's way to its files."""

import pytest
import trial_run
import yaml
from lemur.config import load
from lemur.core.provenance import ROOT
from lemur.figures import compared, settings
from lemur.report import beside, cards, page

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


@pytest.fixture(scope="module")
def paper_beside_ours(tmp_path_factory):
    """The foundation table of a run, below ``results/figures/<recipe>`` as a recipe has it."""
    results = tmp_path_factory.mktemp("compared") / "results"
    files = trial_run.files(results)
    for path in files["scores"]:
        path.with_name("prompt.txt").write_text("")
    recipe = {**trial_run.RECIPE, "evaluate": trial_run.EVALUATED}
    table = results / "figures" / "mini" / "foundation.html"
    reported = trial_run.PAPER / "reported.csv"
    compared.write(
        settings.foundation(CONFIG, recipe, load.catalogue("benchmarks")),
        files["scores"],
        reported,
        None,
        table,
    )
    return table


def test_the_paper_stands_beside_ours(paper_beside_ours):
    """Chat alone has a row of the paper and scores here; HumanEval could not be judged."""
    shown = beside.table(paper_beside_ours.with_suffix(".csv"))
    assert [paper for _, paper in shown.models] == ["Lemur-70B-Chat"]
    assert dict(shown.rows) == {
        "GSM8K": [("66.3", "6.2", "3.1 to 9.4")],
        "HumanEval": [("61.0", "not judged", "")],
        "Mean of the 1 above": [("66.3", "6.2", "3.1 to 9.4")],
    }
    assert shown.rows[-1][0] == "Mean of the 1 above"


def test_a_run_without_scores_of_the_paper_has_nothing_beside_it(paper_beside_ours, tmp_path):
    head = paper_beside_ours.with_suffix(".csv").read_text().splitlines()[0]
    (tmp_path / "foundation.csv").write_text(head + "\n")
    assert beside.table(tmp_path / "foundation.csv") is None


def test_each_score_leads_to_its_files_from_the_page(paper_beside_ours):
    report = paper_beside_ours.parents[2] / "mini" / "report.html"
    card = cards.card(paper_beside_ours, page.REPORTS / "captions", report)
    found = [place for links in card.grid.links.values() for _, place in links]
    assert "evaluate/chat/gsm8k/scores.json" in found
    assert all((report.parent / place).is_file() for place in found)
    # Of what a score should have beside it, only what is there: no generations were kept.
    assert {text for links in card.grid.links.values() for text, _ in links} == {
        "prompt", "verdicts", "settings",
    }  # fmt: skip
