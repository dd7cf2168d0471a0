"""The paper's tables of agents: what is counted, what is printed and what a recipe's models played."""

import csv
import functools
import io

import played_results
import pytest
from lemur.figures import agent, capability_tables, reported
from played_results import Outcome
from trial_run import PAPER

PLAYERS = [{"name": "start", "label": "start"}, {"name": "chat", "label": "chat"}]
SPEC = {"recipe": "r", "players": [{"name": "gold", "label": "gold"}, *PLAYERS]}


def find(rows, group, model):
    (row,) = [row for row in rows if group in row["Group"] and row["Model"] == model]
    return row


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Rows of a table by group and model, of a recipe whose chat also plays gsm8k with feedback."""
    folder = tmp_path_factory.mktemp("tables")
    paths = played_results.write_results(folder)
    taught = [Outcome(f"gsm8k/{n}", 1, 1) for n in range(4)]
    paths.append(
        played_results.write_result(
            folder, "taught", "mint", "chat", taught, sets=["gsm8k"], turns=5, feedback=True
        )
    )

    @functools.cache
    def draw(name):
        out = folder / f"{name}.html"
        sources = PAPER / "reported.csv", PAPER / "mint_outcomes.tsv.gz"
        capability_tables.write(name, SPEC, *sources, paths, out)
        return list(csv.DictReader(io.StringIO(out.with_suffix(".csv").read_text())))

    return draw


def test_tools_are_counted_set_by_set_with_why_episodes_ended(drawn):
    rows = drawn("tool_table")
    lemur = find(rows, capability_tables.RECORDED, "Lemur-70B-Chat")
    assert [round(float(lemur[x]), 2) for x in ("MINT gsm8k", "Axis, %", "Printed")] == [58.33, 31.65, 31.65]  # fmt: skip
    assert (
        lemur["Ended"] == "120 out of turns, 100 solved, 77 wrong twice, 17 context full, 2 no tag"
    )
    assert len([row for row in rows if capability_tables.RECORDED in row["Group"]]) == 6
    start = find(rows, capability_tables.LIVE, "start")
    assert (start["Episodes"], float(start["Axis, %"]), start["MINT math"]) == ("4", 50.0, "")
    assert start["Mark"] == "played in part" and start["Ended"].startswith("2 ")


def test_no_printed_label_stays_without_its_arithmetic(drawn):
    printed = reported.table(PAPER / "reported.csv", "agent-radar")
    shown = {}
    for name in ("tool_table", "self_debugging_table", "feedback_table", "environment_table"):
        for row in drawn(name):
            label = row.get("Printed") or row.get("Printed with feedback")
            if label:
                shown[row["Model"], float(label)] = row["Mark"], row["Rests on"]
    assert set(shown) == {(model, value) for (model, _), value in printed.items()}
    assert all(mark and "of " in note for mark, note in shown.values())
    assert {mark for mark, _ in shown.values()} == {"counted", "transcribed", "inferred"}


def test_the_mean_of_five_is_the_printed_label(drawn):
    rows = drawn("self_debugging_table")
    row = find(rows, capability_tables.RECORDED, "gpt-3.5-turbo")
    assert abs(float(row["Axis, %"]) - float(row["Printed"])) < 0.0051 and row["Mark"] == "inferred"
    other = find(rows, capability_tables.RECORDED, "gpt-4-0613")
    assert other["Axis, %"] == "" and "no records of RoboCodeGen" in other["Rests on"]


def test_feedback_is_paired_on_the_same_tasks(drawn):
    rows = drawn("feedback_table")
    code = find(rows, "Code (humaneval, mbpp)", "Lemur-70B-Chat")
    assert code["Difference, same tasks"] == "+17.6 (+9.5 to +25.4, McNemar p = 3.9e-05)"
    chat = find(rows, "Reasoning", "chat")
    assert (float(chat["No feedback, %"]), float(chat["Feedback, %"])) == (75.0, 100.0)
    assert chat["Difference, same tasks"].startswith("+25.0 (")
    assert "start" not in {row["Model"] for row in rows}


def test_environments_hold_what_is_printed_and_what_was_counted(drawn):
    rows = drawn("environment_table")
    games = [row["ALFWorld"] for row in rows if row["ALFWorld"]]
    assert len(games) == 6
    gpt4 = find(rows, capability_tables.RECORDED, "gpt-4")
    parts = agent.parts(PAPER / "reported.csv")
    assert float(gpt4["WebArena"]) == parts["gpt-4", "WebArena"] and gpt4["Printed"] == ""
