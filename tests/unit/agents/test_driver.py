"""Episodes are played side by side, written down as they come, and continued after a kill."""

import json
from pathlib import Path

import pytest
from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.players.player import Answer
from lemur.agents.players.scripted import Scripted
from lemur.core.errors import UserError
from lemur.data.journal import Journal

HERE = Path(__file__).parent


@pytest.fixture
def suite():
    return environments.load("guessing", {}, HERE / "guessing")


class Halving:
    """Guesses by halves, from the messages alone; ``limit`` answers in all. ``together``: the most
    episodes that were under way at a time."""

    def __init__(self, suite, limit=10**9):
        self.suite, self.limit = suite, limit
        self.asked, self.dropped, self.together = [], [], 0
        self.waiting = {}

    def ask(self, key, turn, messages, sampling, number):
        assert key not in self.waiting
        low, high = 0, self.suite.most
        guess = (low + high) // 2
        for said, heard in zip(messages[1::2], messages[2::2], strict=True):
            guess = int(said["content"])
            low, high = (low, guess) if heard["content"].startswith("lower") else (guess, high)
            guess = (low + high) // 2
        self.waiting[key] = str(guess)
        self.asked.append((key, number))
        under_way = {asked for asked, _ in self.asked} - set(self.dropped)
        self.together = max(self.together, len(under_way))

    def answers(self, patience):
        if len(self.asked) > self.limit:
            raise UserError("the server is gone")
        ready, self.waiting = self.waiting, {}
        return [(key, Answer(text, 1, "end")) for key, text in ready.items()]

    def drop(self, key):
        self.dropped.append(key)


def play(suite, player, path, batch=3):
    with Journal(path) as journal:
        return Driver(suite, player, journal, batch, 1).play(suite.tasks(), "guessing")


def test_gold_answers_solve_every_task(suite, tmp_path):
    gold = Scripted({task.id: suite.gold(task) for task in suite.tasks()})
    episodes = play(suite, gold, tmp_path / "j")
    assert [episode.end for episode in episodes] == ["solved"] * 5
    assert [
        suite.judge(task, one).strict for task, one in zip(suite.tasks(), episodes, strict=True)
    ] == [1.0] * 5


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_episodes_are_the_same_however_many_go_on_at_once(suite, tmp_path, batch):
    player = Halving(suite)
    episodes = play(suite, player, tmp_path / f"{batch}", batch)
    assert [episode.task for episode in episodes] == [task.id for task in suite.tasks()]
    assert episodes == play(suite, Halving(suite), tmp_path / "other", 3)
    assert sorted(player.dropped) == sorted(task.id for task in suite.tasks())
    assert len({number for _, number in player.asked}) == len(player.asked)
    assert player.together <= batch and (player.together > 1) is (batch > 1)


def test_worlds_are_closed_whatever_happens(suite, tmp_path):
    world = type(suite.open())
    world.opened = world.closed = 0
    play(suite, Halving(suite), tmp_path / "j")
    with pytest.raises(UserError, match="the server is gone"):
        play(suite, Halving(suite, 2), tmp_path / "k")
    assert world.opened == world.closed > 5


def test_a_killed_run_asks_only_what_is_not_known(suite, tmp_path):
    whole = play(suite, Halving(suite), tmp_path / "whole")
    many = len((tmp_path / "whole").read_bytes().splitlines())
    for limit in (1, 4, 9):
        path = tmp_path / str(limit)
        first, second = Halving(suite, limit), Halving(suite)
        with pytest.raises(UserError):
            play(suite, first, path)
        kept = sum(b'"answer"' in line for line in path.read_bytes().splitlines())
        assert play(suite, second, path) == whole
        assert len(second.asked) == sum(len(one.turns) for one in whole) - kept
        assert len(path.read_bytes().splitlines()) == many
    suite.seen.clear()
    assert play(suite, Halving(suite, 0), tmp_path / "whole") == whole
    assert suite.seen == []  # an episode that has ended is not executed again


def test_a_killed_script_goes_on_where_it_was(suite, tmp_path):
    """Known solutions and recorded answers belong to turns, not to how often they are asked."""
    script = {task.id: ["no", "1", "99", str(task.data["number"])] for task in suite.tasks()}
    whole = play(suite, Scripted(script), tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    for count in range(0, len(data), 3):
        (tmp_path / "cut").write_bytes(b"".join(data[:count]))
        assert play(suite, Scripted(script), tmp_path / "cut") == whole


def test_a_line_that_was_being_written_is_made_again(suite, tmp_path):
    whole = play(suite, Halving(suite), tmp_path / "j")
    data = (tmp_path / "j").read_bytes()
    for size in range(0, len(data), 997):
        (tmp_path / "j").write_bytes(data[:size])
        assert play(suite, Halving(suite), tmp_path / "j") == whole


def test_a_world_that_says_something_else_begins_the_episode_again(suite, tmp_path):
    with pytest.raises(UserError):
        play(suite, Halving(suite, 6), tmp_path / "j")
    ended = sum(
        b'"end"' in line and b'"kind": "end"' in line
        for line in (tmp_path / "j").read_bytes().splitlines()
    )
    suite.suffix = " (by much)"
    episodes = play(suite, Halving(suite), tmp_path / "j")
    assert {episode.end for episode in episodes} == {"solved"}
    again = [episode for episode in episodes if episode.restarts]
    assert 0 < len(again) <= 5 - ended
    assert all(turn.observation.endswith("(by much)") for one in again for turn in one.turns[:-1])


def test_a_world_that_fails_once_is_begun_again_with_what_was_said(suite, tmp_path):
    script = {task.id: ["1", "die", str(task.data["number"])] for task in suite.tasks()}
    suite.dies = 1
    episodes = play(suite, Scripted(script), tmp_path / "j")
    assert [episode.end for episode in episodes] == ["solved"] * 5
    assert sum(len(one.turns) == 3 for one in episodes) == 5 and not any(
        e.restarts for e in episodes
    )


def test_a_world_that_fails_is_named_and_the_others_go_on(suite, tmp_path):
    script = {task.id: [str(task.data["number"])] for task in suite.tasks()}
    script["guess/2"] = ["die"]
    suite.dies = 2
    episodes = play(suite, Scripted(script), tmp_path / "j")
    assert [episode.end for episode in episodes].count("solved") == 4
    assert episodes[2].end == "world failed" and episodes[2].detail == "the number is lost"
    assert episodes == play(suite, Scripted({}), tmp_path / "j")


def test_a_prompt_without_room_ends_its_episode(suite, tmp_path):
    class Full(Scripted):
        def answers(self, patience):
            return [
                (key, Answer("", 0, "context full") if key == "guess/1" else answer)
                for key, answer in super().answers(patience)
            ]

    gold = {task.id: suite.gold(task) for task in suite.tasks()}
    episodes = play(suite, Full(gold), tmp_path / "j")
    assert [episode.end for episode in episodes].count("solved") == 4
    assert episodes[1].end == "context full" and episodes[1].turns == ()
    assert episodes == play(suite, Scripted({}), tmp_path / "j")


def test_what_a_model_says_is_written_down_whatever_it_is(suite, tmp_path):
    odd = "\ud800 \x00 \u2028 <|im_end|> " + "x" * 100_000
    script = {task.id: [odd, str(task.data["number"])] for task in suite.tasks()}
    episodes = play(suite, Scripted(script), tmp_path / "j")
    assert {episode.turns[0].answer for episode in episodes} == {odd}
    assert episodes == play(suite, Scripted({}), tmp_path / "j")
    assert all(json.loads(line) for line in (tmp_path / "j").read_bytes().splitlines())


def test_environments_are_found_by_name(tmp_path):
    with pytest.raises(UserError, match="environment 'nothing'"):
        environments.load("nothing", {})
    with pytest.raises(UserError, match="no such file"):
        environments.load("mine", {}, tmp_path)
    (tmp_path / "__init__.py").write_text("SUITE = 5\n")
    with pytest.raises(UserError, match="no class SUITE"):
        environments.load("mine", {}, tmp_path)
