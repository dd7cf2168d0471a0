"""Tables say the same in four formats, escape their cells, and hold the paper's numbers."""

import csv
import io

import pytest
from lemur.core.errors import UserError
from lemur.figures import agent, foundation, reported, settings, tables
from trial_run import PAPER

NASTY = "<b>&_%|#"


def nasty():
    return tables.Table(
        caption=NASTY,
        columns=[tables.Column("Name"), tables.Column("Value", 1)],
        groups=[(NASTY, [[NASTY, 1.25], ["x", None]])],
        notes=[NASTY],
        bold=frozenset({(0, 0, 1)}),
    )


def test_each_format_escapes_what_it_must():
    page = tables.html(nasty())
    assert "<b>" not in page and "&lt;b&gt;&amp;_%|#" in page
    assert '<td class="n"><strong>1.2</strong></td>' in page and '<td class="n"></td>' in page
    assert r"| <b>&_%\|# | **1.2** |" in tables.markdown(nasty())
    assert r"<b>\&\_\%|\# & \textbf{1.2} \\" in tables.latex(nasty())
    rows = list(csv.reader(io.StringIO(tables.csv(nasty()))))
    assert rows == [["Group", "Name", "Value"], [NASTY, NASTY, "1.25"], [NASTY, "x", ""]]


def test_a_table_is_written_four_times_or_refused(tmp_path):
    tables.write(nasty(), tmp_path / "t.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.html", "t.md", "t.tex"]
    with pytest.raises(UserError, match="ends in .html"):
        tables.write(nasty(), tmp_path / "t.csv")


def test_the_foundation_table_is_the_papers(spec):
    table = foundation.table(
        spec("foundation_table"), reported.table(PAPER / "reported.csv", "foundation")
    )
    rows = {row[0]: row[1:] for _, group in table.groups for row in group}
    assert rows["Lemur-70B-Chat"] == [65.3, 61.9, 66.3, 61.0, 55.5, 62.5, 42.9, 34.5, 56.2]
    assert len(rows) == 9
    assert "holds to its last digit" in table.notes[0]


def test_a_printed_average_that_is_off_is_said(spec):
    numbers = reported.table(PAPER / "reported.csv", "foundation")
    numbers["Lemur-70B-Chat", "average"] = 57.0
    table = foundation.table(spec("foundation_table"), numbers)
    assert "Lemur-70B-Chat (mean 56.24, printed 57.0)" in table.notes[0]


def test_an_unknown_model_is_named_with_the_nearest(spec):
    wrong = {
        **spec("foundation_table"),
        "groups": [{"heading": "Chat", "models": ["Lemur-70B-Chatt"]}],
    }
    with pytest.raises(UserError, match="did you mean 'Lemur-70B-Chat'"):
        foundation.table(wrong, reported.table(PAPER / "reported.csv", "foundation"))


def test_the_agent_table_marks_all_twelve_labels(spec, tmp_path):
    out = tmp_path / "agent_table.html"
    source, outcomes = PAPER / "reported.csv", PAPER / "mint_outcomes.tsv.gz"
    agent.write_table(spec("agent_table"), source, outcomes, out)
    rows = list(csv.DictReader(out.with_suffix(".csv").open()))
    marks = [row["Mark"] for row in rows]
    assert (len(rows), marks.count("counted"), marks.count("transcribed")) == (12, 8, 2)
    agent.write_recount(spec("mint_table"), outcomes, tmp_path / "mint_table.html")
    assert len(list(csv.reader((tmp_path / "mint_table.csv").open()))) == 122


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b\n", "first line must be"),
        ("table,model,metric,value,provenance\nt,m,x,1,\n", "line 2: no provenance"),
        ("table,model,metric,value,provenance\nt,m,x,one,p\n", "line 2: 'one' is not a number"),
        ("table,model,metric,value,provenance\nt,m,x,1,p\nt,m,x,1,p\n", "line 3: m x stands twice"),
    ],
)
def test_malformed_reported_numbers_name_their_line(tmp_path, text, message):
    path = tmp_path / "reported.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        reported.read(path)


def test_every_reported_number_has_provenance():
    read = reported.read(PAPER / "reported.csv")
    assert {name: len(numbers) for name, numbers in read.items()} == {
        "foundation": 81, "agent-radar": 12, "digital-environment": 6,
        "self-debugging": 6,
    }  # fmt: skip


def test_a_start_is_never_called_a_base_model_unless_listed(config):
    named = settings.labels(config, {"base": {"name": "smollm2-135m-instruct-q4"}})
    assert named["start"] == "start (instruct, 4-bit)"
    assert settings.labels(config, {"base": {"name": "new"}})["start"] == "start (new)"


def test_an_unknown_figure_is_named_with_the_nearest(config):
    with pytest.raises(UserError, match="no 'agent_rader'; did you mean 'agent_radar'"):
        settings.spec(config, "agent_rader")


def test_a_colour_belongs_to_one_figure(config):
    before = {name: settings.spec(config, name) for name in config["figures"]}
    config["figures"]["loss"]["colours"]["sft"] = ["#123456", "#123456"]
    changed = [name for name in before if settings.spec(config, name) != before[name]]
    assert changed == ["loss"]
