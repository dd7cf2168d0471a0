"""The index: links to every report and to tables that no report has, whatever another recipe left."""

import html
import re
from urllib.parse import unquote

import pytest
import trial_run
import yaml
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.figures import settings
from lemur.report import index, page

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


def spec():
    return settings.report_spec(CONFIG, trial_run.RECIPE)


def test_an_index_leads_to_every_recipes_report(run, tmp_path):
    for name in ("mini", "a <b> & c"):
        recipe = {**spec()["recipe"], "name": name, "description": f"about {name}"}
        page.write({**spec(), "recipe": recipe}, run, tmp_path / name / "report.html")
    given = [tmp_path / name / "report.html" for name in ("mini", "a <b> & c")]
    index.write(given, tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text()
    assert text == index.render(list(reversed(given)), tmp_path / "index.html")
    links = [unquote(html.unescape(link)) for link in re.findall(r'href="([^"]*)"', text)]
    assert links == ["a <b> & c/report.html", "mini/report.html"]
    assert "<b>" not in text and "10,240" in text and "about mini" in text and "<ul>" not in text


def test_an_index_leads_to_the_tables_that_no_report_has(run, tmp_path):
    page.write(spec(), run, tmp_path / "mini" / "report.html")
    tables = [tmp_path / "ratio 3/mix/table.txt", tmp_path / "figures/models/m/foundation.html"]
    index.write([tmp_path / "mini" / "report.html"], tmp_path / "index.html", tables)
    text = (tmp_path / "index.html").read_text()
    assert re.findall('<li><a href="(.*)">(.*)</a></li>', text) == [
        ("ratio%203/mix/table.txt", "Mixture of ratio 3"),
        ("figures/models/m/foundation.html", "Scores of m"),
    ]


@pytest.mark.parametrize("damage", ['{"recipe": "old', '{"numbers": []}', "[]", None])
def test_another_recipes_damaged_summary_does_not_end_this_run(run, tmp_path, capsys, damage):
    page.write(spec(), run, tmp_path / "mini" / "report.html")
    other = tmp_path / "old" / "report.json"
    other.parent.mkdir()
    other.write_text(damage) if damage else other.mkdir()
    reports = [tmp_path / name / "report.html" for name in ("mini", "old")]
    index.write(reports, tmp_path / "index.html")
    assert re.findall('href="(.*)"', (tmp_path / "index.html").read_text()) == ["mini/report.html"]
    warned = capsys.readouterr().err.splitlines()
    assert len(warned) == 1 and warned[0].startswith(f"warning: {other}"), warned
    with pytest.raises(UserError, match="no report has a summary that can be read"):
        index.write(reports[1:], tmp_path / "index.html")
