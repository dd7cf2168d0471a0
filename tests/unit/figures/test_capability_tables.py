"""The paper's tables of agents: what is counted, what is printed and what a recipe's models played."""

import csv
import functools
import io
import json

import played_results
import pytest
from lemur.core.provenance import ROOT
from lemur.figures import action_bits, agent, capability_tables, reported
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


def test_bits_of_actions_are_told_by_skill_and_against_the_start(tmp_path):
    bits = {"mint/gsm8k/1/0": 8, "intercode_sql/0/0": 40, "alfworld/pick/1/0": 16, "bfcl/1/0": 24}
    paths = []
    for model, factor in (("start", 1.0), ("chat", 0.5)):
        place = tmp_path / model
        place.mkdir()
        lines = [
            {
                "task": "t",
                "document": name,
                "bits": factor * value,
                "bytes": 10,
                "verdict": "scored",
            }
            for name, value in bits.items()
        ]
        score = {"benchmark": "bits_per_byte_recorded_actions", "model": model, "n": 4, "of": 4,
                 "value": 1.0, "interval": [1.0, 1.0], "metric": "bits per byte", "judged": True,
                 "reason": None}  # fmt: skip
        (place / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (place / "scores.json").write_text(json.dumps(score))
        paths.append(place / "scores.json")
    action_bits.write({"recipe": "r", "models": PLAYERS}, paths, tmp_path / "a.html")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    by_skill = {(row["Group"], row["Model"]): float(row["Bits per byte"]) for row in rows}
    assert by_skill["all actions", "start"] == 2.2 and by_skill["all actions", "chat"] == 1.1
    assert by_skill["Tool augmentation", "start"] == 0.8 and by_skill["bfcl", "start"] == 2.4
    assert by_skill["Self-debugging", "chat"] == 2.0
    assert by_skill["Exploring physical environment", "chat"] == 0.8
    assert find(rows, "all actions", "chat")["Minus start, same actions"].startswith("-1.100 (")


def test_the_shipped_actions_are_of_three_skills_and_the_first_of_all():
    lines = [json.loads(x) for x in (ROOT / "config/studies/recorded_actions.jsonl").open()]
    skills = [action_bits.skill(line["id"]) for line in lines]
    assert len({line["id"] for line in lines}) == 96 and len(set(skills)) == 3
    assert len(set(skills[:12])) == 3 and len({x["id"].partition("/")[0] for x in lines[:12]}) == 5
    assert all(line["action"] and len(line["context"].encode()) <= 800 for line in lines)
