"""Recorded episodes are executed again, and what comes out in another way is named."""

import csv
import json
import subprocess
import sys

import pytest
from lemur.agents import actions, environments, replay
from lemur.agents.environments.mint import protocol, recorded
from lemur.agents.recorded import Recorded
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

LEFT = "You have {} steps left and {} chances to propose solution left.\n"


def heard(said, steps, proposals=2):
    return f"Observation:\n{said}\n{LEFT.format(steps, proposals)}"


def episode(task, said, observed, solved, counts, feedback=()):
    """One line as the authors wrote it."""
    history = [{"role": "user", "content": "the prompt"}]
    taught = [*feedback, *[""] * len(said)]
    for number, text in enumerate(said):
        history.append({"role": "assistant", "content": f"Assistant:\n{text}\n"})
        if number < len(observed):
            more = f"\nExpert feedback:\n{taught[number]}\n" if taught[number] else ""
            history.append({"role": "user", "content": observed[number] + more})
    names = ("propose_solution", "use_tool", "invalid_action")
    state = {
        "history": history,
        "success": solved,
        "agent_action_count": dict(zip(names, counts, strict=True)),
    }
    return {"state": state, "task": {"task_id": task}}


@pytest.fixture
def records(tmp_path):
    place = tmp_path / "outputs" / "a-model" / "F=None" / "max5" / "reasoning" / "gsm8k"
    place.mkdir(parents=True)

    def write(*episodes):
        (place / "results.jsonl").write_text(
            "".join(json.dumps(episode) + "\n" for episode in episodes)
        )
        return tmp_path / "outputs"

    return write


RIGHT = episode(
    0,
    [
        "<execute>print(wikipedia_search('Li Bai'))</execute>",
        "<execute>3*5</execute>",
        "<solution>15</solution>",
    ],
    [heard("Page: Li Bai\nSummary: a poet", 4), heard("Out[2]: 15", 3)],
    True,
    (1, 2, 0),
)
NO_ROOM = episode(
    1, ["hm"], [f"Observation:\n{protocol.NO_TAG}\n{LEFT.format(4, 2)}"], False, (0, 0, 1)
)


def test_what_comes_out_as_recorded_is_counted(records, mint_data, tmp_path, sandbox):
    table = replay.run(
        "mint", {}, records(RIGHT, NO_ROOM), mint_data, tmp_path / "out" / "replay.json"
    )
    made = json.loads((tmp_path / "out" / "replay.json").read_text())
    assert made["rates"] == {"verdicts": 100.0, "counters": 100.0, "observations": 100.0}
    assert (made["episodes"], made["observed"]) == (2, 3) and made["differences"] == []
    assert "verdicts: 2 of 2 as recorded (100.00 %)" in table


def test_every_difference_is_named_with_its_cause(records, mint_data, tmp_path, sandbox):
    wrong = episode(0, ["<execute>import nothing_of_it</execute>", "<solution>16</solution>"],
                    [heard(protocol.SILENT, 4)], True, (1, 1, 1))  # fmt: skip
    gone = episode(7, ["hm"], [], False, (0, 0, 0))
    table = replay.run(
        "mint", {"seconds": 20}, records(wrong, gone), mint_data, tmp_path / "replay.json",
        listed=tmp_path / "differences.tsv",
    )  # fmt: skip
    made = json.loads((tmp_path / "replay.json").read_text())
    kinds = {difference["kind"]: difference for difference in made["differences"]}
    with open(tmp_path / "differences.tsv", newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    assert [one["kind"] for one in listed] == ["observation", "verdict", "counters"]
    assert listed[1]["cause"] == replay.REWORDED
    assert "\\nYou have 4 steps left" in listed[0]["recorded"]
    assert set(kinds) == {"verdict", "counters", "observation"}
    assert kinds["verdict"]["recorded"] == "solved" and kinds["verdict"]["task"] == "gsm8k/0"
    assert kinds["observation"]["cause"] == "a package that the session does not have"
    assert made["not_in_the_data"] == ["a-model gsm8k: gsm8k/7"]
    assert "1 records are of tasks that the data do not have" in table


def test_by_the_script_and_a_second_time_from_what_is_known(records, mint_data, tmp_path, sandbox):
    script = [
        sys.executable,
        ROOT / "scripts" / "7_agents" / "replay.py",
        "--spec",
        '{"environment": "mint"}',
    ]
    given = [
        "--records",
        records(RIGHT),
        "--data",
        mint_data,
        "--out",
        tmp_path / "o" / "replay.json",
    ]
    for _ in range(2):
        done = subprocess.run([*map(str, [*script, *given])], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "observations: 2 of 2 as recorded" in done.stdout
    (journal,) = (tmp_path / "o" / "replay").glob("*.jsonl")
    assert sum('"end"' in line for line in journal.read_text().splitlines()) >= 1


def test_the_words_of_a_machine_and_of_one_python_make_no_difference():
    before = (
        "Cell In[1], line 2\n    x + 2 = 60\n    ^\nSyntaxError: cannot assign to operator\n",
        "ImportError: cannot import name 'pvif' from 'sympy' (/mnt/a/b/lib/python3.9/site-packages/sympy/__init__.py)",
        "UnboundLocalError: local variable 'y' referenced before assignment",
    )
    now = (
        "Cell In[1], line 2\n    x + 2 = 60\n    ^^^^^\nSyntaxError: cannot assign to expression here. Maybe you meant '=='?\n",
        "ImportError: cannot import name 'pvif' from 'sympy' (/site/sympy/__init__.py)",
        "UnboundLocalError: cannot access local variable 'y' where it is not associated with a value",
    )
    assert list(map(recorded.normalise, before)) == list(map(recorded.normalise, now))
    assert recorded.normalise("15") != recorded.normalise("16")


def test_frames_of_libraries_and_the_place_of_a_syntax_error_make_no_difference():
    told = (
        "Traceback (most recent call last)\nCell In[1], line 2\n----> 2 f(x)\n\n{}TypeError: no\n"
    )
    frames = "File /usr/lib/python3.8/dist-packages/a.py:{0}, in g(x)\n--> {0} raise\n\n"
    cut = told.format(frames.format(3) + frames.format(4))[:130] + "...\n[Output Truncated]"
    both = told.format(frames.format(3)), told.format(frames.format(9))
    assert recorded.normalise(both[0]) == recorded.normalise(both[1])
    assert recorded.normalise(both[0]) != recorded.normalise(
        both[0].replace("TypeError", "KeyError")
    )
    assert recorded.normalise(cut) == recorded.normalise(cut.replace("a.py:3", "a.py:77"))
    old = "Cell In[2], line 1\n    Let B be\n        ^\nSyntaxError: invalid syntax\nYou have 3"
    new = "Cell In[2], line 4\n    We B = 3P.\n          ^\nSyntaxError: invalid decimal literal\nYou have 3"
    assert recorded.normalise(old) == recorded.normalise(new)


@pytest.mark.parametrize(
    "cell, said, query, answer",
    [
        ("print(wikipedia_search('a \"b\"'))", "Page: a", 'a "b"', "Page: a"),
        ("# look\nfound = wikipedia_search('a')\nprint(found)", "Page: a", "a", "Page: a"),
        ("wikipedia_search('a')", "Out[1]: 'Page: a\\nIt\\'s'", "a", "Page: a\nIt's"),
        ("wikipedia_search('a')", "Out[1]: 'Page: a\\...\n[Output Truncated]", "a", "Page: a"),
        ("print(wikipedia_search('a'), 1)", "Page: a 1", None, None),
        ("wikipedia_search('a')", "Traceback (most recent call last)", None, None),
    ],
)
def test_answers_of_the_search_are_read_off_cells_that_show_nothing_else(
    records, cell, said, query, answer
):
    place = records(episode(0, [f"<execute>{cell}</execute>"], [heard(said, 4)], False, (0, 1, 0)))
    (run,) = environments.find_records("mint", place)
    found = run.settings["searches"]
    assert {key: value.rstrip(" ") for key, value in found.items()} == (
        {query: answer} if query else {}
    )


def test_a_search_is_answered_from_another_file(records):
    asked = "<execute>print(wikipedia_search('a'))</execute>"
    place = records(episode(0, [asked], [heard("Page: a", 4)], False, (0, 1, 0)))
    other = place / "b-model" / "F=None" / "max5" / "reasoning" / "mmlu"
    other.mkdir(parents=True)
    said = "<execute>x = wikipedia_search('a'); print(x, wikipedia_search('b'))</execute>"
    line = episode(3, [said], [heard("Page: a Page: b", 4)], False, (0, 1, 0))
    (other / "results.jsonl").write_text(json.dumps(line) + "\n")
    runs = environments.find_records("mint", place)
    assert [run.settings["searches"] for run in runs] == [{"a": "Page: a"}] * 2


def test_a_larger_sample_holds_the_smaller_one_in_the_records_order():
    def made(number):
        return Recorded(f"gsm8k/{number}", (), (), (), False)

    listed = [made(number) for number in range(40)]
    few, more = replay.sample(listed, 5), replay.sample(listed, 12)
    assert len(few) == 5 and set(few) < set(more) and more == sorted(more, key=listed.index)
    assert replay.sample(listed, None) == listed and few != listed[:5]


@pytest.mark.parametrize(
    "text", ["{\n", "[]\n", '{"state": {}}\n', '{"state": {"history": []}, "task": 1}\n']
)
def test_records_that_are_none_are_one_line(tmp_path, text):
    place = tmp_path / "F=None" / "gsm8k"
    place.mkdir(parents=True)
    (place / "results.jsonl").write_text(text)
    with pytest.raises(UserError, match="line 1: not a recorded episode"):
        environments.find_records("mint", tmp_path)


def test_what_cannot_be_replayed_is_said(tmp_path):
    with pytest.raises(UserError, match="no such folder of records"):
        environments.find_records("mint", tmp_path / "none")
    with pytest.raises(UserError, match="no recorded episodes"):
        replay.run("mint", {}, tmp_path, tmp_path, tmp_path / "o.json")
    with pytest.raises(UserError, match="did you mean 'mint'"):
        environments.find_records("mynt", tmp_path)


def test_actions_of_recorded_episodes_that_are_strictly_solved(records, mint_data, tmp_path):
    lax = episode(1, ["<solution>150</solution>"], [], True, (1, 0, 0))  # 5 % or a part of it, say
    lost = episode(0, ["<solution>16</solution>"], [], False, (1, 0, 0))
    spec = {"environment": "mint", "model": "recorded", "seed": 0}
    found = actions.pairs(spec, None, mint_data, 60, records(RIGHT, lax, lost))
    assert [line["id"] for line in found] == [f"mint/gsm8k/0/{turn}" for turn in range(3)]
    assert found[2]["action"] == "<solution>15</solution>"
    assert found[1]["context"].endswith("chances to propose solution left.\n\n")
    assert all(len(line["context"].encode()) <= 60 for line in found)
    with pytest.raises(UserError, match="no episode is solved"):
        actions.write(spec, None, mint_data, 60, tmp_path / "o.jsonl", records(lost))
