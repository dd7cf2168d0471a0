"""Outcomes are counted, never assumed: from small records here, from the real ones in the mirror."""

import csv
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.agents import compare, outcomes, rates, records
from lemur.agents.outcomes import Outcome
from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT

PAPER = ROOT / "reports" / "paper"
PATH = "data/outputs/{model}/F={feedback}/max5_p2+tool+cd/reasoning/{task}/results.jsonl"


def episode(task, success, end=None, counts=(1, 0, 0), tokens=7):
    names = ("propose_solution", "use_tool", "invalid_action")
    state = {
        "success": success,
        "terminate_reason": end or ("task_success" if success else "max_propose_steps"),
        "agent_action_count": dict(zip(names, counts, strict=True)),
        "token_counter": {"completion_tokens": tokens},
    }
    return json.dumps({"state": state, "task": {"task_id": task}}) + "\n"


def outcome(number, solved):
    end = "solved" if solved else "wrong twice"
    return Outcome("m", "none", "c", "t", number, solved, end, 1, 0, 7)


def pinned(folder, lines, *, model="m", feedback="None", task="math", commit="c" * 40):
    path = PATH.format(model=model, feedback=feedback, task=task)
    file = folder / "owner/repo" / commit / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines))
    return records.Record("owner/repo", commit, path, sha256_of(file)), file


def mirror():
    named = os.environ.get("LEMUR_MIRROR", str(ROOT.parent / "shared" / "mirror"))
    found = [Path(place) for place in named.split(os.pathsep) if Path(place).is_dir()]
    if not found:
        pytest.skip("mirror: ../shared/mirror is not there")
    return found


def test_recount_from_the_mirror_equals_the_committed_table():
    counted = outcomes.count(records.read_table(PAPER / "mint_records.tsv"), mirror())
    assert compare.compare(counted, outcomes.read(PAPER / "mint_outcomes.tsv.gz")) == 6446


def test_committed_table_gives_the_recorded_rates():
    counted = rates.rates(outcomes.read(PAPER / "mint_outcomes.tsv.gz"))
    with open(PAPER / "mint_recorded.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    recorded = {
        (row["model"], row["feedback"], row["category"], row["task"]): (
            int(row["solved"]),
            int(row["total"]),
            row["success_rate"],
        )
        for row in rows
    }
    assert {
        key: (rate.solved, rate.total, f"{rate.percent:.2f}") for key, rate in counted.items()
    } == recorded


def test_episodes_are_ranked_by_task_id_so_that_runs_pair(tmp_path):
    one, _ = pinned(tmp_path, [episode(10, True), episode(2, False)])
    other, _ = pinned(tmp_path, [episode(2, False), episode(10, True)], model="n")
    counted = outcomes.count([other, one], [tmp_path])
    assert [(x.model, x.episode, x.solved) for x in counted] == [
        ("m", 0, 0), ("m", 1, 1), ("n", 0, 0), ("n", 1, 1),
    ]  # fmt: skip


def test_records_are_found_in_a_manifest_by_hash(tmp_path):
    record, file = pinned(tmp_path, [episode("a", True)])
    (tmp_path / "files").mkdir()
    file.rename(tmp_path / "files" / "any-name")
    listed = {"path": "files/any-name", "sha256": record.sha256, "size": 1}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": [listed]}))
    counted = outcomes.count([record], [tmp_path / "manifest.json"])
    assert counted == [Outcome("m", "none", "reasoning", "math", 0, 1, "solved", 1, 0, 7)]


def test_why_an_episode_ended_is_the_records_own_word(tmp_path):
    lines = [
        episode(0, False, "max_steps", (1, 4, 0), 90),
        episode(1, False, "max_steps", (0, 0, 5), 5),
        episode(2, False, "error", (0, 1, 0)),
    ]
    record, _ = pinned(tmp_path, lines)
    found = [(x.end, x.turns, x.cells, x.tokens) for x in outcomes.count([record], [tmp_path])]
    assert found == [("out of turns", 5, 4, 90), ("no tag", 5, 0, 5), ("context full", 1, 1, 7)]


@pytest.mark.parametrize(
    "lines, message",
    [
        (["{\n"], "line 1 is not JSON"),
        (['{"task": {"task_id": 1}, "state": {}}\n'], "line 1: not a recorded episode"),
        ([episode(1, True, "asleep")], "line 1: not a recorded episode .'asleep'"),
        ([episode(1, True, tokens=-1)], "line 1: counts of actions and tokens are whole"),
        ([episode(1, True), episode(2, None)], "line 2: state.success is None"),
        ([episode(1, True), episode(1, False)], "task id 1 stands twice"),
        ([episode(1, True), episode("x", False)], "task ids of two types"),
        ([], "no episodes"),
    ],
)
def test_a_damaged_record_is_one_clear_line(tmp_path, lines, message):
    record, _ = pinned(tmp_path, lines)
    with pytest.raises(UserError, match=message):
        outcomes.count([record], [tmp_path])


def test_a_changed_record_is_refused(tmp_path):
    record, file = pinned(tmp_path, [episode(1, False)])
    file.write_text(episode(1, True))
    with pytest.raises(UserError, match="wrong file"):
        outcomes.count([record], [tmp_path])


def test_a_missing_record_is_named(tmp_path):
    record, file = pinned(tmp_path, [episode(1, False)])
    file.unlink()
    with pytest.raises(UserError, match="owner/repo/data/outputs/m/"):
        outcomes.count([record], [tmp_path])


def test_a_run_listed_twice_is_refused(tmp_path):
    record, _ = pinned(tmp_path, [episode(1, False)])
    with pytest.raises(UserError, match="stands twice"):
        outcomes.count([record, record], [tmp_path])


def test_paths_name_their_run():
    path = PATH.format(model="m", feedback="gpt-4-0613/PHF=no_GT-textual", task="gsm8k")
    run = records.Record("o/r", "c", path, "s").run
    assert run == records.Run("m", "gpt-4", "reasoning", "gsm8k")
    with pytest.raises(UserError, match="expected .../<model>/F="):
        _ = records.Record("o/r", "c", "data/outputs/m/results.jsonl", "s").run


def test_a_spec_without_a_field_says_which():
    with pytest.raises(UserError, match=r"records\[0\]: no text 'commit'"):
        records.from_spec({"records": [{"repository": "o/r"}]})
    with pytest.raises(UserError, match="expected a list"):
        records.from_spec({})


rows = st.lists(
    st.builds(
        Outcome,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["none", "gpt-4"]),
        st.just("c"),
        st.sampled_from(["t", "u"]),
        st.integers(0, 99),
        st.integers(0, 1),
        st.sampled_from(["solved", "no tag", "context full"]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 9999),
    ),
    min_size=1,
    unique_by=lambda x: (x.model, x.feedback, x.task, x.episode),
)


@given(rows, st.sampled_from([".tsv", ".tsv.gz"]))
def test_tables_read_back_in_one_order_and_the_same_bytes(tmp_path_factory, table, suffix):
    path = tmp_path_factory.mktemp("table") / f"outcomes{suffix}"
    outcomes.write(path, table)
    first = path.read_bytes()
    outcomes.write(path, reversed(table))
    assert path.read_bytes() == first
    assert outcomes.read(path) == sorted(table)


@pytest.mark.parametrize(
    "text, message",
    [
        ("model\tsolved\n", "first line must be"),
        (
            "\t".join(outcomes.COLUMNS) + "\nm\tnone\tc\tt\t0\t2\tsolved\t1\t0\t7\n",
            "line 2: not an outcome",
        ),
        (
            "\t".join(outcomes.COLUMNS) + "\nm\tnone\tc\tt\tx\t1\tsolved\t1\t0\t7\n",
            "line 2: not an outcome",
        ),
        ("\t".join(outcomes.COLUMNS) + "\nm\tnone\tc\tt\t0\t1\tslept\t1\t0\t7\n", "line 2: not"),
    ],
)
def test_a_malformed_table_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "outcomes.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        outcomes.read(path)


def test_a_truncated_compressed_table_is_one_clear_line(tmp_path):
    path = tmp_path / "outcomes.tsv.gz"
    path.write_bytes(gzip.compress(b"x" * 999)[:-9])
    with pytest.raises(UserError, match="not an outcome table"):
        outcomes.read(path)


def test_one_flipped_outcome_fails_the_comparison():
    old = [outcome(number, 0) for number in range(3)]
    new = [*old[:2], outcome(2, 1)]
    with pytest.raises(UserError, match="1 of 3 .* t 2: recounted solved .*, committed not"):
        compare.compare(new, old)
    longer = [*old[:2], replace(old[2], tokens=8)]
    with pytest.raises(
        UserError, match=r"2: recounted not solved \(wrong twice, .* 8 tokens\), comm"
    ):
        compare.compare(longer, old)
    with pytest.raises(UserError, match="recounted absent"):
        compare.compare(old[:2], old)
    with pytest.raises(UserError, match="lists an episode twice"):
        compare.compare([*old, old[0]], old)
