"""Every figure has a script of its name and a caption, and a script is a thin command line."""

import json
import subprocess
import sys

import pytest
import yaml
from lemur.core.provenance import ROOT
from lemur.figures import settings
from trial_run import PAPER

SCRIPTS = ROOT / "scripts" / "8_figures"
CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


def call(name, *arguments, cwd):
    return subprocess.run(
        [sys.executable, SCRIPTS / f"{name}.py", *map(str, arguments)],
        cwd=cwd, env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", CONFIG["figures"])
def test_every_figure_has_script_caption_and_place_in_the_report(name):
    script = "capability_table" if name in settings.CAPABILITIES else name
    assert (SCRIPTS / f"{script}.py").is_file()
    assert (ROOT / "reports" / "captions" / f"{name}.rst").read_text().strip()
    listed = [figure for section in CONFIG["report"]["sections"] for figure in section["figures"]]
    # A study is of many recipes, the ranking of models a target of its own: in no report.
    assert listed.count(name) == (name not in ("study", "action_ranking"))


def test_a_script_writes_figure_data_and_provenance(tmp_path):
    spec = json.dumps(settings.spec(CONFIG, "foundation_table"))
    done = call(
        "foundation_table", "--spec", spec, "--reported", PAPER / "reported.csv",
        "--out", "out/foundation_table.html", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        f"foundation_table.{kind}{more}"
        for kind in ("html", "md", "csv", "tex")
        for more in ("", ".prov.json")
    }
    record = json.loads((tmp_path / "out/foundation_table.csv.prov.json").read_text())
    assert [path.rsplit("/", 1)[1] for path in record["inputs"]] == ["reported.csv"]


def test_a_script_ends_in_one_line(tmp_path):
    done = call("overview", "--spec", "{}", "--out", "x.svg", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: --spec: ")
    assert list(tmp_path.iterdir()) == []
