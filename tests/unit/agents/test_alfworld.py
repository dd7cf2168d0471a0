"""ALFWorld: ReAct's prompt, one process a game, and the two scores of a game that is over."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environments.alfworld import protocol, tasks
from lemur.agents.environments.alfworld.protocol import Action
from lemur.agents.players.scripted import Scripted
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal

# Stands for the game: wins by "win", is done after its last command, and can be made to misbehave.
FAKE = """
import json, sys, time
told = json.loads(sys.stdin.readline())
left = told["commands"]
def say(**value):
    print(json.dumps(value), flush=True)
say(observation="-= Welcome =-\\n\\nYou are in a room.\\n\\nYour task is to: win.", won=False,
    plan=["go to shelf 1", "win"])
for line in sys.stdin:
    command = json.loads(line)["command"]
    left -= 1
    if command == "die": sys.exit(1)
    if command == "hang": time.sleep(600)
    if command == "flood": print("x" * (2 << 20), flush=True)
    if command == "fail":
        say(error="KeyError: 'x'")
        continue
    heard = "You arrive at loc 3. On the shelf 1, you see nothing." if command.startswith("go") else command
    say(observation=heard, won=command == "win", done=command == "win" or not left)
"""
NAMES = ["pick_two_obj_and_place-A/t1", "look_at_obj_in_light-B/t2"]


def made(folder, names=NAMES, **settings):
    for name in names:
        place = folder / tasks.GAMES / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "game.tw-pddl").write_text("{}")
    (folder / tasks.ORDER).write_text("\n".join(names))
    examples = {f"react_{k}_{n}": f"{k} {n}\n" for k in tasks.KINDS.values() for n in (0, 1)}
    (folder / tasks.EXAMPLES).parent.mkdir(exist_ok=True)
    (folder / tasks.EXAMPLES).write_text(json.dumps(examples))
    suite = environments.load("alfworld", {"data": folder, **settings})
    (folder / "fake.py").write_text(FAKE)
    suite.line = [sys.executable, "-I", str(folder / "fake.py")]
    return suite


@pytest.fixture
def suite(tmp_path):
    return made(tmp_path, commands=3)


def play(suite, answers, path, chosen=None):
    chosen = suite.tasks()[: len(answers)] if chosen is None else chosen
    given = {task.id: texts for task, texts in zip(chosen, answers, strict=True)}
    with Journal(path) as journal:
        return Driver(suite, Scripted(given), journal, 2, 1).play(chosen, "alfworld")


def test_gold_answers_win(suite, tmp_path):
    episodes = play(suite, [suite.gold(task) for task in suite.tasks()], tmp_path / "j")
    assert [(episode.end, len(episode.turns)) for episode in episodes] == [("solved", 2)] * 2
    assert episodes[0].start == "You are in a room.\nYour task is to: win."
    assert episodes[0].turns[0].observation == "On the shelf 1, you see nothing."
    assert [suite.judge(*pair).strict for pair in zip(suite.tasks(), episodes, strict=True)] == [
        1,
        1,
    ]


def test_a_loop_of_look_is_done_and_not_won(suite, tmp_path):
    episode = play(suite, [["Action: look"] * 9], tmp_path / "j")[0]
    verdict = suite.judge(suite.tasks()[0], episode)
    assert (episode.end, len(episode.turns)) == ("over without being won", 3)
    assert (verdict.paper, verdict.strict) == (1.0, 0.0)
    assert verdict.why == "done after its last command without being won"


def test_turns_end_an_episode_that_sends_no_commands(tmp_path):
    suite = made(tmp_path, turns=4)
    episode = play(suite, [["Think: hm", "", "\x00\ufffd" * 400, "> look"]], tmp_path / "j")[0]
    assert [turn.observation for turn in episode.turns] == [
        "OK.", "Nothing happens.", "Nothing happens.", "look",
    ]  # fmt: skip
    assert episode.end == "out of turns"
    verdict = suite.judge(suite.tasks()[0], episode)
    assert (verdict.paper, verdict.strict) == (0.0, 0.0)


@pytest.mark.parametrize(
    "command, said",
    [
        ("die", "the game's process has ended"),
        ("flood", "the game answered more than it may"),
        ("fail", "the game failed: KeyError: 'x'"),
    ],
)
def test_a_game_that_dies_is_named_and_the_others_go_on(suite, tmp_path, command, said):
    answers = [[f"Action: {command}"], ["Action: win"]]
    first, second = play(suite, answers, tmp_path / "j")
    assert (first.end, first.detail, second.end) == ("world failed", said, "solved")


def test_a_game_that_hangs_is_ended_with_its_episode(suite, monkeypatch):
    monkeypatch.setattr("lemur.agents.environments.alfworld.process.Game.ask.__defaults__", (0.3,))
    world = suite.open()
    world.reset(suite.tasks()[0])
    process, began = world.game.process, time.monotonic()
    with pytest.raises(Exception, match="did not answer"):
        world.step("Action: hang")
    world.close()
    world.close()
    assert process.poll() is not None and time.monotonic() - began < 5


def test_answers_are_read_to_their_first_action():
    read = protocol.parse
    assert read("Think: a\nAction: go to  desk 1\nObservation: won\nAction: x") == Action(
        "command", "go to desk 1"
    )
    assert read("> take mug 1 from desk 1") == Action("command", "take mug 1 from desk 1")
    assert read("look\nAct") == Action("command", "look")
    assert read("thought: I see") == Action("thought")
    assert read(" \n") == read("Action:   ") == read("Action: " + "x" * 10**6) == Action("none")


def test_the_prompt_holds_two_examples_of_the_kind(suite, tmp_path):
    episode = play(suite, [["Think: hm"]], tmp_path / "j")[0]
    said = suite.messages(suite.tasks()[0], episode.start, episode.turns[:1])
    assert said[0]["content"] == (
        "Interact with a household to solve a task. Here are two examples.\nputtwo 1\nputtwo 0\n"
        "\nHere is the task.\nYou are in a room.\nYour task is to: win."
    )
    assert [one["content"] for one in said[1:]] == ["Think: hm", "Observation: OK."]


def test_data_that_are_not_whole_are_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="gamefile_id.txt: no such file"):
        environments.load("alfworld", {"data": tmp_path})
    with pytest.raises(UserError, match="line 1: 'bake-A/t' is no kind of game"):
        made(tmp_path, ["bake-A/t"])
    suite = made(tmp_path)
    (tmp_path / tasks.EXAMPLES).write_text("{}")
    with pytest.raises(UserError, match="no example 'react_put_0'"):
        environments.load("alfworld", {"data": tmp_path})
    (Path(suite.tasks()[1].data["game"])).unlink()
    with pytest.raises(UserError, match="game.tw-pddl: no such file"):
        environments.load("alfworld", {"data": tmp_path})


def test_without_its_environment_it_is_unplayable_and_never_scored(suite, tmp_path):
    suite.line = None
    assert "workflow/env-build alfworld" in suite.unplayable(suite.tasks()[0])
    assert suite.gold(suite.tasks()[0]) is None
    assert play(suite, [["Action: look"]], tmp_path / "j")[0].end == "world failed"


def real(**settings):
    named = os.environ.get("LEMUR_MIRROR", str(ROOT.parent / "shared" / "mirror"))
    for place in named.split(os.pathsep):
        for path in sorted(Path(place).glob(f"xingyaoww/mint-bench/*/{tasks.ORDER}")):
            return environments.load("alfworld", {"data": path.parents[3], **settings})
    pytest.skip("mirror: ../shared/mirror has no games of ALFWorld")


def test_all_134_games_have_their_examples():
    suite = real()
    assert len(suite.tasks()) == 134
    texts = [suite.messages(task, "", ())[0]["content"] for task in suite.tasks()]
    assert min(text.count("Your task is to: ") for text in texts) == 2


def won(suite, chosen, path):
    if (why := suite.unplayable(chosen[0])) is not None:
        pytest.skip(f"toolchain: {why}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return play(suite, list(pool.map(suite.gold, chosen)), path, chosen)


@pytest.mark.long
def test_the_planners_commands_win_a_game(tmp_path):
    suite = real()
    episode = won(suite, suite.tasks()[:1], tmp_path / "j")[0]
    assert episode.end == "solved" and episode.turns[-1].info["won"] is True
    assert episode.start.startswith("You are in the middle of a room.")
    assert "\nYour task is to: " in episode.start


@pytest.mark.long
def test_the_planners_commands_win_all_134_games(tmp_path):
    suite = real()
    episodes = won(suite, suite.tasks(), tmp_path / "j")
    assert sum(episode.end == "solved" for episode in episodes) == 134
