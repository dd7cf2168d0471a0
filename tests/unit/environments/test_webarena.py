"""WebArena's actions and evaluators in a browser, on a shop and a forum of this project's own."""

import json
import os

import pytest
from lemur.agents import environments, playing, scoring
from lemur.agents.browser.process import Browsers
from lemur.agents.environments.webarena import tasks
from lemur.agents.episode import Episode, Turn
from tiny_benchmarks import model, tokenizer
from unit.environments.browser_cases import needs_browser, say
from unit.environments.intercode_cases import play, write
from unit.environments.local_sites import LocalSite
from unit.environments.webarena_cases import string, task


@pytest.fixture(scope="module")
def local():
    """A shop, a forum, a server that is nobody's to visit, and browsers that reach the first two."""
    needs_browser()
    with LocalSite() as shop, LocalSite() as forum, LocalSite() as other:
        shop.server.other = other.url
        browsers = Browsers([shop.url, forum.url])
        yield shop, forum, other, browsers
        browsers.close()


@pytest.fixture
def arena(tmp_path, local):
    """A suite of some tasks on the local sites."""
    shop, forum, other, browsers = local
    for site in (shop, forum, other):
        site.asked.clear()
    cookie = {"name": "session", "value": "known", "domain": "127.0.0.1", "path": "/",
              "expires": -1, "httpOnly": False, "secure": False, "sameSite": "Lax"}  # fmt: skip
    write(tmp_path / "state.json", {"cookies": [cookie], "origins": []})
    path = tmp_path / "sites.yaml"
    path.write_text(
        f"shopping: {{url: '{shop.url}', state: state.json, username: admin, password: secret}}\n"
        f"reddit: {{url: '{forum.url}'}}\ngitlab: {{url: '{forum.url}/git'}}\n"
    )

    def load(*items, codegen=False):
        write(tmp_path / tasks.PATH, list(items))
        made = environments.load(
            "webarena", {"data": tmp_path, "sites": str(path), "codegen": codegen}
        )
        assert set(made.browsers.origins) == {shop.url, forum.url, f"{forum.url}/git"}
        made.browsers = browsers  # started once for all tests
        return made, shop, forum, other

    return load


def numbers(observation):
    """The number of each element by its line without it."""
    lines = [line.strip().partition("] ") for line in observation.splitlines()]
    return {
        line: int(number[1:]) for number, found, line in lines if found and number[1:].isdigit()
    }


class Hand:
    """Takes actions by the names of elements and keeps what is seen."""

    def __init__(self, suite, number=0):
        self.world = suite.open()
        self.seen = self.world.reset(suite.tasks()[number])
        self.turns = []

    def act(self, verb, name="", rest=""):
        known = numbers(self.seen)
        found = [number for line, number in known.items() if name and line.startswith(name)]
        argument = f" [{found[0]}]" if name else ""
        step = self.world.step(say(f"{verb}{argument}{rest}"))
        self.seen, self.info = step.observation, dict(step.info)
        self.turns.append(step)
        return self.seen


@pytest.mark.long
def test_every_action(arena):
    suite, shop, _, other = arena(
        task(start_url="__SHOPPING__/ |AND| __REDDIT__/f/books/12/", storage_state="./.auth/shopping_state.json")
    )  # fmt: skip
    hand = Hand(suite)
    assert hand.seen.startswith("Tab 0 (current): Shop | Tab 1: Post\n\n[1] RootWebArea 'Shop'")
    assert hand.seen.endswith("\nURL: http://onestopmarket.com/\nOBJECTIVE: Do it")
    assert "Imprint" not in hand.seen and "Imprint" in hand.act("scroll", rest=" [down]") + hand.act("scroll", rest=" [down]")  # fmt: skip
    hand.act("scroll", rest=" [up]"), hand.act("scroll", rest=" [up]")
    seen = hand.act("type", "textbox 'Search'", " [green tea] [1]")
    assert "Results for green tea" in seen and "session=known" in seen
    assert "Shop" in hand.act("go_back") and "Results" in hand.act("go_forward")
    hand.act("go_back")
    assert "Tab 2 (current): Kettle" in hand.act("click", "link 'in a new tab'")
    assert "In stock: 3" in hand.act("hover", "StaticText 'Stock?'")
    assert "Cart: 1 & more" in hand.act("click", "button 'Add to Cart'")
    assert "Tab 2 (current): blue" in hand.act("click", "option 'blue'")
    hand.act("type", "textbox 'Review'", " [fine] [0]")
    assert hand.act("press", rest=" [Ctrl+a]") and "fine" not in hand.act("press", rest=" [Delete]")
    hand.act("type", "textbox 'Review'", " [good] [0]")
    assert "You wrote: good" in hand.act("click", "button 'Send'")
    assert "Tab 1 (current): Post" in hand.act("tab_focus", rest=" [1]")
    assert hand.act("close_tab") and hand.seen.count("Tab ") == 2
    assert "(current): \n" in hand.act("new_tab")
    assert "Steel kettle" in hand.act("goto", rest=" [http://onestopmarket.com/kettle.html]")
    assert [step.info["failed"] for step in hand.turns] == [""] * len(hand.turns)
    hand.world.close()
    assert other.asked == []


def test_redirects_and_addresses_outside_are_refused(arena):
    suite, shop, forum, other = arena(task())
    hand = Hand(suite)
    hand.act("click", "link 'Elsewhere'")
    for url in (
        other.url,
        "file:///etc/passwd",
        "http://169.254.169.254/",
        f"{shop.url}@example.org/",
    ):
        hand.act("goto", rest=f" [{url}]")
        assert hand.info["failed"]
    assert "root:" not in " ".join(step.observation for step in hand.turns)
    assert "/away" in shop.asked and other.asked == []
    hand.world.close()


def test_every_evaluator_on_a_real_page(arena):
    cart = {"url": "last", "locator": "document.querySelector('#cart').innerText",
            "required_contents": {"exact_match": "Cart: 1 & more"}}  # fmt: skip
    targets = [
        cart,
        {"url": "last", "locator": "[...document.querySelectorAll('p')].length", "required_contents": {"exact_match": "3"}},
        {"url": "last", "locator": "document.querySelector('#none').value", "required_contents": {"exact_match": ""}},
        {"url": "last", "locator": "document.querySelector('select').value", "prep_actions": ["document.querySelector('select').value = 'blue'"], "required_contents": {"exact_match": "blue"}},
        {"url": "__SHOPPING__/search?q=jam", "locator": "", "required_contents": {"must_include": ["Results for jam |OR| none"]}},
        {"url": "func:shopping_get_latest_order_url()", "locator": "document.querySelector('.order-details-items.ordered').outerText", "required_contents": {"must_include": ["B07"]}},
        {"url": "last", "locator": "func:shopping_get_sku_latest_review_author('B07')", "required_contents": {"exact_match": "Emma"}},
        {"url": "last", "locator": "func:shopping_get_sku_latest_review_rating('B07')", "required_contents": {"must_include": ["80"]}},
        {"url": "__REDDIT__/members", "locator": "func:gitlab_get_project_memeber_role(__page__, 'bob')", "required_contents": {"must_include": ["Developer"]}},
    ]  # fmt: skip
    everything = task(
        eval_types=["string_match", "url_match", "program_html"],
        reference_answers={"must_include": ["31.50"]},
        reference_url="__SHOPPING__/kettle.html",
        program_html=targets,
        sites=["shopping", "reddit"],
    )
    post = {"url": "func:reddit_get_post_url('__last_url__')", "locator": "document.querySelector('.comment').innerText",
            "required_contents": {"must_include": ["First comment"]}}  # fmt: skip
    forum_task = task(1, eval_types=["program_html"], program_html=[post], sites=["reddit"],
                      start_url="__REDDIT__/f/books/12/title/-/comment/3")  # fmt: skip
    suite, *_ = arena(everything, forum_task)
    assert [suite.unplayable(one) for one in suite.tasks()] == [None, None]
    hand = Hand(suite)
    hand.act("click", "link 'Steel kettle'")
    hand.act("click", "button 'Add to Cart'")
    hand.act("stop", rest=" [It costs $31.50]")
    hand.world.close()
    assert hand.info["evidence"]["url"] == "http://onestopmarket.com/kettle.html"
    turns = tuple(Turn("", "", 0, "end", turn.observation, info=turn.info) for turn in hand.turns)
    made = suite.judge(suite.tasks()[0], Episode("0", "", turns, "stopped"))
    assert (made.paper, made.strict, made.left_out) == (1, 1, None), hand.info["evidence"]
    # Without the click the page is another one.
    lazy = Hand(suite)
    lazy.act("click", "link 'Steel kettle'")
    lazy.act("stop", rest=" [It costs $31.50]")
    lazy.world.close()
    turns = tuple(Turn("", "", 0, "end", turn.observation, info=turn.info) for turn in lazy.turns)
    assert suite.judge(suite.tasks()[0], Episode("0", "", turns, "stopped")).paper == 0
    other = Hand(suite, 1)
    other.act("stop")
    other.world.close()
    assert other.info["evidence"]["texts"] == ["First comment"]


@pytest.mark.long
def test_an_episode_by_the_driver_and_what_cannot_be_played(arena, tmp_path):
    suite, *_ = arena(
        task(0, eval_types=["url_match"], reference_url="__SHOPPING__/kettle.html"),
        task(1, sites=["map"]),
        task(2, storage_state="./.auth/reddit_state.json"),
        string(3, fuzzy_match=["x"]),
        codegen=True,
    )
    whys = [suite.unplayable(one) for one in suite.tasks()]
    path = tmp_path / "sites.yaml"
    assert whys == [None, f"{path}: no address of 'map'", f"{path}: reddit: no 'state' of somebody who is logged in", "needs a judge model"]  # fmt: skip
    script = {"0": [say("goto('http://onestopmarket.com/kettle.html')"), say("stop()")]}
    ((episode, made),) = play(suite, script, tmp_path / "journal")
    assert (episode.end, made.strict) == ("stopped", 1)
    assert "127.0.0.1" not in json.dumps([turn.observation for turn in episode.turns])
    assert os.path.exists(tmp_path / "journal")


@pytest.mark.long
def test_a_model_plays_by_a_spec_and_is_scored(local, tmp_path):
    """As the rules do it: the site file stands among the settings, what cannot be played is named."""
    shop, *_ = local
    write(tmp_path / "sites.yaml", f"shopping: {{url: '{shop.url}'}}\n")
    items = [string(0, must_include=["x"]), task(1, sites=["map"]), string(2, fuzzy_match=["x"])]
    write(tmp_path / tasks.PATH, items)
    model(tmp_path / "model", tokenizer(tmp_path / "model"), positions=16_384)
    settings = {"sites": str(tmp_path / "sites.yaml"), "variant": "original", "steps": 5}
    given = {"environment": "webarena", "model": "tiny", "player": "model", "seed": 1, "precision": "fp32",
             "settings": settings, "sampling": {"max_new_tokens": 8}}  # fmt: skip
    out, scores = tmp_path / "episodes.jsonl", tmp_path / "scores.json"
    playing.run(given, tmp_path / "model", tmp_path, out)
    scoring.run(given, out, tmp_path, scores, tmp_path / "verdicts.jsonl")
    made = json.loads(scores.read_text())
    assert made["n"] == 1 and made["ends"] == {"Failed to parse actions for 3 times": 1}
    assert made["left_out"] == {
        "1": f"{settings['sites']}: no address of 'map'", "2": "needs a judge model"
    }  # fmt: skip


@pytest.mark.long
def test_nothing_of_an_episode_is_there_for_the_next(arena):
    suite, shop, *_ = arena(task(storage_state="./.auth/shopping_state.json"), task(1))
    first = Hand(suite)
    assert "session=known" in first.act("type", "textbox 'Search'", " [a] [1]")
    first.world.episode.evaluate("() => { localStorage.left = '1'; document.cookie = 'left=1'; }")
    browser = first.world.episode.browser
    first.world.close()
    second = Hand(suite, 1)
    assert second.world.episode.browser is browser
    found = second.world.episode.evaluate("() => [localStorage.length, document.cookie]")
    assert found.value == [0, ""] and second.seen.count("Tab ") == 1
    second.world.close()
