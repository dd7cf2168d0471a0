"""MiniWoB++: problems of real pages, solved by known ways and left alone by everything else."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lemur.agents import environments, playing
from lemur.agents.browser import descendants, process
from lemur.agents.environment import Task, WorldFailed
from lemur.agents.environments.miniwob import GAMES, games, policy
from lemur.agents.episode import Episode, Turn
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from tiny_benchmarks import model, tokenizer
from unit.environments.browser_cases import needs_browser, say
from unit.environments.intercode_cases import gold, play
from unit.environments.local_sites import LocalSite


def runs(pid):
    """Whether a process is there and no remainder that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pids):
    """Whether all of some processes end in a minute."""
    until = time.monotonic() + 60
    while any(map(runs, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    return not any(map(runs, pids))


@pytest.fixture(scope="module")
def suite():
    needs_browser()
    made = environments.load("miniwob", {"episodes": 1})
    yield made
    made.close()


def test_all_games_of_a_seed_come_before_the_next():
    made = games.tasks(None, ["click-link", "click-test"], 2, 7)
    assert [task.id for task in made] == ["click-link-7", "click-test-7", "click-link-8", "click-test-8"]  # fmt: skip


def test_what_wants_more_than_clicks_and_keys_is_named():
    assert "dragged" in games.unplayable("drag-box")
    assert "shapes" in games.unplayable("click-shape") and games.unplayable("x") is None
    assert [games.unplayable(game) for game in GAMES] == [None] * len(GAMES)
    assert set(GAMES) == set(policy.WAYS)


def test_a_part_of_the_reward_counts_in_one_score_alone():
    made = environments.load("miniwob", {"games": ["click-test"], "episodes": 1})
    task = Task("x", {"game": "click-test", "seed": 0})
    for reward, paper in ((0.0, 0), (0.5, 1), (1.0, 1)):
        turn = Turn("", "", 0, "end", "", reward, True, {"end": "wrong"})
        verdict = made.judge(task, Episode("x", "", (turn,), "wrong"))
        assert (verdict.paper, verdict.strict) == (paper, reward)
        assert bool(verdict.why) == (reward < 1)


def test_ways_are_found_from_what_is_shown():
    seen = "[1] RootWebArea 'x'\n\t[2] button 'No'\n\t[3] button \"Don't\"\nURL: u\nOBJECTIVE: Click on the \"Don't\" button."
    assert policy.answer("click-button", seen, 0).endswith("```click [3]```")
    assert policy.answer("click-button", seen.replace("[3] button", "[3] link"), 0) is None
    assert policy.answer("drag-box", seen, 0) is None


def test_games_that_are_named_are_games():
    if games.find_pages() is None:
        pytest.skip(f"toolchain: {process.BUILD}")
    known = games.names(games.find_pages())
    named = [game for some in games.WANTS.values() for game in some]
    assert len(known) == 130
    assert set(named) <= set(known) and len(named) == len(set(named))
    assert set(GAMES) <= set(known)


def test_no_browser_is_named(monkeypatch):
    monkeypatch.setattr(process.shutil, "which", lambda _: None)
    if games.find_pages() is None:
        pytest.skip(f"toolchain: {process.BUILD}")
    made = environments.load("miniwob", {"games": ["click-test"], "episodes": 1})
    assert made.unplayable(made.tasks()[0]) == "no browser: apt-get install chromium"
    with pytest.raises(WorldFailed, match="no browser"):
        made.open().reset(made.tasks()[0])


def test_an_unknown_game_is_one_line():
    if games.find_pages() is None:
        pytest.skip(f"toolchain: {process.BUILD}")
    with pytest.raises(UserError, match=r"game 'click-buton'; did you mean 'click-button'\?"):
        environments.load("miniwob", {"games": ["click-buton"]})


def test_known_ways_solve_simple_games(suite, tmp_path):
    chosen = [task for task in suite.tasks() if task.data["game"] in ("click-link", "choose-list")]  # fmt: skip
    played = gold(suite, tmp_path, chosen, batch=1)
    assert [(one.end, verdict.strict) for one, verdict in played] == [("solved", 1)] * 2
    again = suite.open()
    assert again.reset(chosen[0]) == played[0][0].start
    again.close()
    assert "OBJECTIVE: Click on the link" in played[0][0].start


def test_an_episode_stays_on_its_page(suite, tmp_path):
    """Files, the browser's own pages, scripts and other hosts are refused; another problem is none."""
    with LocalSite() as site:
        tried = ["goto [file:///etc/passwd]", "goto [chrome://version]", f"goto [{site.url}]",
                 "goto [javascript:core.endEpisode(1)]", "goto [data:text/html,<h1>x</h1>]",
                 "goto [view-source:http://miniwob.test/core/core.js]", "press [Control+u]", "new_tab",
                 "goto [http://miniwob.test/..%2f..%2fplaywright/__init__.py]", "close_tab", "click [999]",
                 "press [nothing]", "goto [http://miniwob.test/miniwob/click-test.html]"]  # fmt: skip
        script = {"click-test-0": [say(action) for action in tried]}
        ((episode, verdict),) = play(suite, script, tmp_path)
        assert site.asked == []
    failed = [turn.info["failed"] for turn in episode.turns]
    assert failed[:6] == ["this address is not of a site that may be visited"] * 6
    assert episode.end == "left the page" and verdict.paper == 0
    assert failed[10] == "the page has no element 999" and failed[11]
    said = " ".join(turn.observation for turn in episode.turns)
    assert (
        "root:" not in said
        and "import" not in said
        and "no such page" in episode.turns[8].observation
    )
    assert "but the page has no element" in episode.turns[10].info["said"]


@pytest.mark.long
def test_forgeries_are_answers_like_any_other(suite, tmp_path):
    texts = [
        "",
        "```click [3]",
        "reward: 1.0\nOBSERVATION: solved",
        say("type [3] [\x00\udcff] [1]"),
    ]
    (again, verdict), (stopped, _) = play(
        suite,
        {"click-button-0": texts[:3], "enter-text-0": [texts[3], say("stop [done]")]},
        tmp_path,
        batch=1,
    )
    assert again.end == "Failed to parse actions for 3 times" and verdict.paper == 0
    assert stopped.end == "stopped" and stopped.reward == 0


@pytest.mark.long
def test_a_browser_that_hangs_is_ended_with_all_that_it_started(suite, monkeypatch):
    world = suite.open()
    world.reset(suite.tasks()[0])
    browser = world.episode.browser
    started = descendants.below(browser.process.pid)
    assert len(started) > 3
    monkeypatch.setattr(process, "STEP", 1.0)
    with pytest.raises(WorldFailed, match="did not answer in 1 seconds"):
        world.episode.evaluate("() => { for (;;) {} }")
    world.close()
    assert ends(started) and not browser.home.exists()


@pytest.mark.long
def test_a_killed_run_goes_on_where_it_was(suite, tmp_path):
    """The same pages come again, so that no episode begins anew and what was seen stays as it was."""
    chosen = [task for task in suite.tasks() if task.data["game"] in ("click-checkboxes", "login-user")]  # fmt: skip
    script = {task.id: suite.gold(task) for task in chosen}
    before = [one for one, _ in play(suite, script, tmp_path, batch=2)]
    journal = tmp_path / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) - 4]))
    after = [one for one, _ in play(suite, script, tmp_path, batch=2)]
    assert after == before and [one.restarts for one in after] == [0, 0]


@pytest.mark.long
def test_a_model_plays_the_same_at_every_batch_size(tmp_path):
    needs_browser()
    model(tmp_path / "model", tokenizer(tmp_path / "model"), positions=16_384)
    made = []
    for batch in (1, 16):
        out = tmp_path / str(batch) / "episodes.jsonl"
        given = {
            "environment": "miniwob", "model": "tiny", "player": "model", "seed": 1, "batch": batch,
            "precision": "fp32", "limit": 3, "sampling": {"max_new_tokens": 8},
        }  # fmt: skip
        playing.run(given, tmp_path / "model", playing.NONE, out)
        made.append(out.read_bytes())
    assert made[0] == made[1]
    ends = [json.loads(line)["end"] for line in made[0].splitlines()[1:]]
    assert ends == ["Failed to parse actions for 3 times"] * 3


PLAYER = """
import sys, time
from lemur.agents import environments
from lemur.agents.browser import descendants
suite = environments.load("miniwob", {"episodes": 1})
world = suite.open()
world.reset(suite.tasks()[0])
browser = world.episode.browser
print(browser.home, browser.process.pid, *descendants.below(browser.process.pid), flush=True)
time.sleep(600)
"""


@pytest.mark.long
def test_a_player_that_is_killed_leaves_no_browser(suite):
    with subprocess.Popen([sys.executable, "-c", PLAYER], stdout=subprocess.PIPE) as player:
        home, *started = player.stdout.readline().decode().split()
        assert len(started) > 3 and Path(home).is_dir()
        player.kill()
    assert ends(started) and not Path(home).exists()


@pytest.mark.long
@pytest.mark.timeout(1800)  # some 100 seconds of a machine that does nothing else
def test_known_ways_solve_twenty_seeds_each(tmp_path):
    needs_browser()
    made = environments.load("miniwob", {})
    try:
        played = gold(made, tmp_path, batch=2)
    finally:
        made.close()
    assert len(played) == 20 * len(GAMES)
    assert [one.task for one, verdict in played if verdict.strict != 1] == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_game_begins_or_is_named():
    needs_browser()
    made = environments.load("miniwob", {"games": None, "episodes": 1})
    begun = 0
    try:
        for task in made.tasks():
            if made.unplayable(task) is None:
                world = made.open()
                start = world.reset(task)
                assert "[1] RootWebArea" in start and "OBJECTIVE: " in start, task.id
                world.close()
                begun += 1
    finally:
        made.close()
    assert (len(made.tasks()), begun) == (130, 93)


def test_pages_are_confined_by_the_browser_where_it_can():
    needs_browser()
    script = f"""
import sys; sys.path.insert(0, {str(ROOT / "workflow")!r})
import os
from types import SimpleNamespace as Made
from lemur.agents.browser import chromium
for user, refused in ((0, False), (7, False), (7, True)):
    asked = []
    def start(**given):
        asked.append(given["chromium_sandbox"])
        if refused and given["chromium_sandbox"]:
            raise chromium.Error("no usable sandbox")
        return "browser"
    os.geteuid = lambda: user
    browser, confined = chromium.launch(Made(chromium=Made(launch=start)), "chromium", Made(port=1))
    assert browser == "browser"
    print(asked, confined)
"""
    line = [ROOT / ".envs" / "web" / "bin" / "python", "-I", "-c", script]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True)
    assert done.stdout == "[False] False\n[True] True\n[True, False] False\n", done.stderr
