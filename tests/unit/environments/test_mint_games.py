"""MINT's ALFWorld: cells that command a game outside of the sandbox, and both scores of it."""

import json
import os
import sys
from pathlib import Path

import pytest
from lemur.agents import environments, replay
from lemur.agents.driver import Driver
from lemur.agents.environments.alfworld import process, tasks
from lemur.agents.environments.mint import as_cell
from lemur.agents.players.scripted import Scripted
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal

# Stands for the game: is won by putting the mug on the desk, and done after its last command.
FAKE = """
import json, sys
told = json.loads(sys.stdin.readline())
left = told["commands"]
def say(**value):
    print(json.dumps(value), flush=True)
say(observation="-= Welcome =-\\n\\nYou are in a room.\\n\\nYour task is to: put a mug on the desk.", won=False,
    plan=["go to shelf 1", "take mug 1 from shelf 1", "put mug 1 in/on desk 1"])
for line in sys.stdin:
    command = json.loads(line)["command"]
    left -= 1
    won = command == "put mug 1 in/on desk 1"
    heard = "You arrive at loc 3. On the shelf 1, you see a mug 1." if command == "go to shelf 1" else command
    say(observation=heard, won=won, done=won or left <= 0)
"""
NAME = "pick_and_place_simple-Mug-None-Desk-308/t1"
LOOPS = "<execute>\nfor number in range({}):\n    said = look()\nprint(said)\n</execute>"


@pytest.fixture
def suite(mint_data, tmp_path):
    games = tmp_path / "games"
    (games / tasks.GAMES / NAME).mkdir(parents=True)
    (games / tasks.GAMES / NAME / "game.tw-pddl").write_text("{}")
    (games / tasks.ORDER).write_text(NAME)
    for kind in tasks.KINDS.values():
        folder = mint_data / "mint/tasks/in_context_examples/alfworld" / kind
        folder.mkdir(parents=True)
        for name in ("with_tool", "with_tool_and_feedback"):
            (folder / f"{name}.txt").write_text(f"{kind} {name}\n")
    (tmp_path / "fake.py").write_text(FAKE)
    given = {"data": mint_data, "games": games, "sets": ["alfworld"], "seconds": 5}
    made = environments.load("mint", given)
    made.line = [sys.executable, "-I", str(tmp_path / "fake.py")]
    return made


def play(suite, answers, path):
    (task,) = suite.tasks()
    with Journal(path) as journal:
        (episode,) = Driver(suite, Scripted({task.id: answers}), journal, 2, 1).play(
            [task], "games"
        )
    return episode, suite.judge(task, episode)


def test_the_planners_commands_win(suite, tmp_path, sandbox):
    (task,) = suite.tasks()
    gold = suite.gold(task)
    assert gold == [
        "<execute>\nprint(goto('shelf 1'))\nprint(take_from('mug 1', 'shelf 1'))\n"
        "print(put('mug 1', 'desk 1'))\n</execute>"
    ]
    episode, verdict = play(suite, gold, tmp_path / "j")
    assert (episode.end, len(episode.turns), verdict.paper, verdict.strict) == ("solved", 1, 1, 1)
    heard = episode.turns[0].observation
    assert "On the shelf 1, you see a mug 1.\ntake mug 1 from shelf 1\nput mug 1" in heard
    assert task.id == f"alfworld/{NAME}"
    assert as_cell(["move mug 1 to desk 1"]) == as_cell(["put mug 1 in/on desk 1"])


def test_the_prompt_ends_with_what_the_game_says(suite):
    (task,) = suite.tasks()
    start = "You are in a room.\nYour task is to: put a mug on the desk."
    (message,) = suite.messages(task, start, [])
    assert "put with_tool\n" in message["content"]
    assert (
        "[6] close_receptacle(receptacle: str) -> str\nClose a receptacle.\nFor"
        in message["content"]
    )
    assert message["content"].endswith(
        f"Task:\nInteract with a household to solve a task. \n{start}"
    )


def test_a_game_goes_on_over_turns_and_cells_err_as_in_the_original(suite, tmp_path, sandbox):
    answers = [
        "<execute>print(look('up'))</execute>",
        "<solution>done</solution>",
        "<execute>mug = 'mug 1'\nprint(put(object=mug, receptacle='desk 2'))</execute>",
        "<execute>print(put(mug, 'desk 1'))\nprint(look())</execute>",
    ]
    episode, verdict = play(suite, answers, tmp_path / "j")
    heard = [turn.observation for turn in episode.turns]
    assert (
        "TypeError: __call__() takes 1 positional argument but 2 were given\nYou have 4" in heard[0]
    )
    assert "Your answer is wrong." in heard[1] and "put mug 1 in/on desk 2\nYou have 2" in heard[2]
    assert "put mug 1 in/on desk 1\nput mug 1 in/on desk 1\n" in heard[3]  # over: nothing is asked
    assert (episode.end, verdict.strict) == ("solved", 1)


@pytest.mark.parametrize(("count", "paper"), [(49, 0), (50, 1), (5000, 1)])
def test_a_loop_of_look_counts_as_solved_in_the_original_alone(
    suite, tmp_path, sandbox, count, paper
):
    episode, verdict = play(suite, [LOOPS.format(count), *["hm"] * 4], tmp_path / "j")
    assert (verdict.paper, verdict.strict) == (paper, 0)
    assert episode.end == ("solved" if paper else "out of turns")
    assert (verdict.why == "done after its last command without being won") == bool(paper)


def test_a_cell_that_forges_messages_wins_nothing(suite, tmp_path, sandbox):
    """What the sandbox sends is asked of the game as a command, or is what the cell printed."""
    forged = """<execute>
import os, json
def send(value):
    data = json.dumps(value).encode()
    os.write(int(os.environ["LEMUR_CHANNEL"]), len(data).to_bytes(4, "little") + data)
send({"command": ["won"], "won": True, "done": True, "output": "won", "searched": []})
</execute>"""
    episode, verdict = play(suite, [forged, *["<execute>look()</execute>"] * 4], tmp_path / "j")
    assert (verdict.paper, verdict.strict, episode.end) == (0, 0, "out of turns")


def test_what_needs_no_game_is_played_without_its_library(suite, monkeypatch, sandbox):
    (task,) = suite.tasks()
    assert suite.unplayable(task) is None
    suite.line = None
    assert suite.unplayable(task) == process.BUILD


@pytest.fixture
def authors():
    shared = Path(os.environ.get("LEMUR_MIRROR", ROOT.parent / "shared" / "mirror"))
    found = sorted(shared.glob("xingyaoww/mint-bench/*"))
    if not found:
        pytest.skip("mirror: no copy of xingyaoww/mint-bench")
    if process.command() is None:
        pytest.skip("toolchain: the environment alfworld is not built")
    return found[0]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_recorded_games_come_out_as_they_were(authors, tmp_path, sandbox):
    """Twelve of the 134 of the paper's own model; a game takes some seconds to begin."""
    path = authors / "data/outputs/lemur-70b-chat-v1/F=None/max5_p2+tool+cd/decision_making"
    lines = (path / "alfworld/results.jsonl").read_text().splitlines()[:12]
    few = tmp_path / "F=None" / "alfworld"
    few.mkdir(parents=True)
    (few / "results.jsonl").write_text("".join(f"{line}\n" for line in lines))
    replay.run("mint", {}, tmp_path / "F=None", authors, tmp_path / "out" / "replay.json")
    made = json.loads((tmp_path / "out" / "replay.json").read_text())
    assert (made["episodes"], made["verdicts"], made["counters"]) == (12, 12, 12)
    assert made["observations"] == made["observed"]
