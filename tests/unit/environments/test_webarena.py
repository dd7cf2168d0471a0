"""WebArena's protocol, evaluators and actions, on a shop and a forum of this project's own."""

import copy
import json
import os
from pathlib import Path

import pytest
from lemur.agents import environments, playing, scoring
from lemur.agents.browser.process import Browsers
from lemur.agents.environments.webarena import asking, evidence, judge, matching, sites, tasks
from lemur.agents.episode import Episode, Turn
from lemur.errors import UserError
from tiny_benchmarks import model, tokenizer
from unit.environments.browser_cases import needs_browser, say
from unit.environments.intercode_cases import MIRROR, play, write
from unit.environments.local_sites import LocalSite

BASE = {"sites": ["shopping"], "task_id": 0, "require_login": False, "storage_state": None,
        "start_url": "__SHOPPING__/", "geolocation": None, "intent": "Do it", "require_reset": False}  # fmt: skip


def task(number=0, **evaluation):
    known = {"eval_types": [], "reference_answers": None, "reference_url": "", "program_html": []}
    extra = {key: evaluation.pop(key) for key in list(evaluation) if key in BASE}
    return {**BASE, **extra, "task_id": number, "eval": {**known, **evaluation}}


def string(number=0, **references):
    return task(number, eval_types=["string_match"], reference_answers=references)


def ended(answer="", end="stopped", **found):
    info = {"answer": answer, "evidence": found, "end": end}
    return Episode("0", "", (Turn("", "", 0, "end", "", 0.0, True, info),), end)


def verdict(item, answer="", ask=None, **found):
    made = judge.judge(item, ended(answer, **found), ask)
    return made.paper, made.strict, made.why


@pytest.mark.parametrize(
    ("references", "answer", "paper", "strict"),
    [
        ({"exact_match": "Quest Band"}, '"quest band"', 1, 1),
        ({"exact_match": "Quest Band"}, "the quest band", 0, 0),
        ({"exact_match": "N/A"}, "n/a", 1, 1),
        ({"must_include": ["5"]}, "there are 5 of them.", 1, 1),
        ({"must_include": ["5"]}, "there are 15 of them", 0, 0),
        ({"must_include": ["0"]}, "$0.00", 0, 1),
        ({"must_include": ["0"]}, "The answer is 0.", 1, 1),
        ({"must_include": ["1", "2"]}, "12", 1, 0),
        ({"must_include": ["30"]}, "Early stop: Reach max steps 30", 1, 0),
        ({"must_include": ["1,200"]}, "it costs $1200.00", 0, 1),
        ({"must_include": ["art"]}, "a party", 1, 0),
        ({"must_include": ["Emma", "Liz"]}, "Liz and Emma", 1, 1),
    ],
)  # fmt: skip
def test_answers_are_matched_as_the_original_does_and_strictly(references, answer, paper, strict):
    made = verdict(string(**references), answer)
    assert made[:2] == (paper, strict)
    assert bool(made[2]) == (strict == 0 or paper != strict)


def test_a_sentence_about_an_early_end_is_no_answer():
    made = judge.judge(
        string(must_include=["30"]),
        ended("Early stop: Reach max steps 30", "Reach max steps 30"),
        None,
    )
    assert (made.paper, made.strict, made.why) == (1, 0, "why it was ended counts as an answer")


def test_addresses_are_matched_as_the_original_does_and_strictly():
    def matches(wanted, url):
        item = task(eval_types=["url_match"], reference_url=wanted)
        return verdict(item, url=url)[:2]

    shop = "http://onestopmarket.com"
    assert matches("__SHOPPING__/a/", f"{shop}/a") == (1, 1)
    assert matches("__SHOPPING__/a/1", f"{shop}/a/12") == (1, 0)
    assert matches("__SHOPPING__/a?q=x+y", f"{shop}/a?page=2&q=x%20y") == (1, 1)
    assert matches("__SHOPPING__/a?q=x", f"{shop}/a") == (0, 0)
    either = "__SHOPPING__/a?q=x |OR| __SHOPPING__/b?q=y"
    assert matches(either, f"{shop}/a?q=y") == (1, 0)
    assert matches(either, f"{shop}/b?q=y") == (1, 1)
    assert matches("__GITLAB__/a", f"{shop}/a") == (0, 0)


def test_a_product_of_evaluators():
    target = {
        "url": "last",
        "locator": "",
        "required_contents": {"must_include": ["A & B |OR| C", "1"]},
    }
    exact = {"url": "last", "locator": "", "required_contents": {"exact_match": "Blue"}}
    item = task(eval_types=["url_match", "program_html"], reference_url="__SHOPPING__/a", program_html=[target, exact])  # fmt: skip
    url = "http://onestopmarket.com/a"
    assert verdict(item, url=url, texts=["a &amp; b 1", " blue "])[:2] == (1, 1)
    assert verdict(item, url=url, texts=["c1", "blue"])[:2] == (1, 1)
    assert verdict(item, url=url, texts=["d 1", "blue"])[:2] == (0, 0)
    assert verdict(item, url="x", texts=["c1", "blue"])[:2] == (0, 0)
    assert verdict(item, url=url, texts=[])[:2] == (0, 0)
    failed = judge.judge(item, ended(url=url, failed="the shop does not answer"), None)
    assert "the shop does not answer" in failed.left_out
    assert judge.judge(item, Episode("0", "", (), "context full"), None).strict == 0


def test_what_a_model_must_judge_is_left_out_where_there_is_none():
    item = string(fuzzy_match=["4 stars"], must_include=["x"])
    assert judge.judge(item, ended("x four"), None).left_out == "needs a judge model"
    heard = []

    def ask(messages, said="correct"):
        heard.append(messages[0]["content"])
        return said

    assert verdict(item, "x four", ask)[:2] == (1, 1)
    assert "4 stars" in heard[0] and "x four" in heard[0]
    assert verdict(item, "four", ask)[:2] == (0, 0)
    for said in ("incorrect", "Partially correct.", "no"):
        assert verdict(item, "x four", lambda _, said=said: said)[:2] == (0, 0)
    impossible = string(fuzzy_match="N/A")
    assert verdict(impossible, "N/A", lambda _: "never asked")[:2] == (1, 1)
    assert verdict(impossible, "no such", lambda _: "same")[:2] == (1, 1)
    assert verdict(impossible, "no such", lambda _: "different, not the same")[:2] == (0, 0)


def test_a_model_behind_a_server_judges(tmp_path):
    write(tmp_path / tasks.PATH, [string(fuzzy_match=["4 stars"])])
    with LocalSite() as server:
        judges = {"model": "served", "server": f"{server.url}/v1"}
        suite = environments.load("webarena", {"data": tmp_path, "judge": judges})
        (only,) = suite.tasks()
        assert suite.unplayable(only) != "needs a judge model"
        assert suite.judge(only, ended("it has four")).strict == 1
        assert suite.judge(only, ended("it has five")).strict == 0
        asked = json.loads(server.asked[0].partition(" ")[2])
        assert asked["model"] == "served" and "reference answer: 4 stars" in asked["prompt"]
        assert asked["temperature"] == 0 and asked["max_tokens"] == 768

    def refuses(messages):
        raise asking.Unjudged("the judge model refuses: too long")

    assert (
        judge.judge(only.data, ended("x"), refuses).left_out == "the judge model refuses: too long"
    )
    for given, said in (
        ({"modl": "x"}, "did you mean 'model'?"), ({"model": "x"}, "needs 'model'"),
        ({"model": "x", "server": "ftp://x"}, "judge.server"),
    ):  # fmt: skip
        with pytest.raises(UserError) as raised:
            environments.load("webarena", {"data": tmp_path, "judge": given})
        assert said in str(raised.value)


def test_calls_are_read_and_never_evaluated():
    assert tasks.read_call("reddit_get_post_url('__last_url__')").arguments == ("__last_url__",)
    role = tasks.read_call("gitlab_get_project_memeber_role(__page__, 'ann')")
    assert role.arguments == ("__page__", "ann")
    for text in ("open('/etc/passwd')", "__import__('os').system('x')", "1", "reddit_get_post_url(open())", "a(b=1)"):  # fmt: skip
        with pytest.raises(ValueError, match=r"call|helper|malformed"):
            tasks.read_call(text)
    assert evidence.post_url("http://x/f/books/12/title/-/comment/3") == "http://x/f/books/12/"
    assert evidence.post_url("http://x'+open('y')+'/a") == "http://x'+open('y')+'/a"


def test_a_task_file_of_another_schema_is_one_line(tmp_path):
    good = string(must_include=["1"])
    write(tmp_path / tasks.PATH, [good])
    assert len(tasks.read_tasks(tmp_path, "original")) == 1
    html = {"url": "last", "locator": "", "required_contents": {"must_include": ["1"]}}
    for change, said in (
        ({"eval_types": ["magic"]}, "'magic' is none of"),
        ({"reference_answers": {"fuzy_match": []}}, "'fuzy_match' is not known"),
        ({"eval_types": ["url_match"], "url_note": "PRED in GOLD"}, "url_note"),
        ({"eval_types": ["program_html"], "program_html": [{**html, "locator": "eval(1)"}]}, "no script and no helper"),
        ({"eval_types": ["program_html"], "program_html": [{**html, "url": "func:exit()"}]}, "no helper 'exit'"),
        ({"eval_types": ["program_html"], "program_html": [{**html, "required_contents": {}}]}, "neither exact_match"),
    ):  # fmt: skip
        bad = copy.deepcopy(good)
        bad["eval"] |= change
        write(tmp_path / tasks.PATH, [good, bad])
        with pytest.raises(UserError) as raised:
            tasks.read_tasks(tmp_path, "original")
        assert said in str(raised.value) and "[1]" in str(raised.value)
    for text in ("{", "{}", "[1]"):
        write(tmp_path / tasks.PATH, text)
        with pytest.raises(UserError, match=r"test\.raw\.json"):
            tasks.read_tasks(tmp_path, "original")
    with pytest.raises(UserError, match=r"variant 'lemurr'; did you mean 'lemur'\?"):
        tasks.read_tasks(tmp_path, "lemurr")


def test_a_site_file(tmp_path):
    path = tmp_path / "sites.yaml"
    write(tmp_path / "state.json", {"cookies": [{"name": "a"}], "origins": []})
    path.write_text("shopping: {url: 'http://127.0.0.1:7770/', state: state.json}\n"
                    "shopping_admin: {url: 'http://127.0.0.1:7770/admin'}\n")  # fmt: skip
    made = sites.read_sites(str(path))
    assert made.fill("__SHOPPING_ADMIN__/x __SHOPPING__/y __GITLAB__") == (
        "http://127.0.0.1:7770/admin/x http://127.0.0.1:7770/y __GITLAB__"
    )
    assert made.outward("http://127.0.0.1:7770/admin/x") == "http://luma.com/admin/x"
    assert made.outward("http://127.0.0.1:7770/administer") == "http://onestopmarket.com/administer"
    assert made.outward("http://127.0.0.1:77700/") == "http://127.0.0.1:77700/"
    assert made.inward("https://www.onestopmarket.com/a") == "http://127.0.0.1:7770/a"
    assert made.inward("luma.com/admin") == "http://127.0.0.1:7770/admin"
    assert made.inward("http://gitlab.com/") == "http://gitlab.com/"
    assert made.state(["shopping"]) == {"cookies": [{"name": "a"}], "origins": []}
    assert made.closed("shopping") == f"{path}: shopping: no 'username' and 'password' of its administrator"  # fmt: skip
    assert made.missing(["shopping", "gitlab"]) == f"{path}: no address of 'gitlab'"
    for text, said in (
        ("shoping: {url: http://x}", "'shoping'; did you mean 'shopping'?"),
        ("shopping: {url: ftp://x}", "'ftp://x' is no http address"),
        ("shopping: {url: http://x, stat: y}", "stat; did you mean 'state'?"),
        ("shopping: {url: http://x, state: none.json}", "no such file"),
        ("shopping: http://x", "not a mapping"), ("[1]", "not a mapping of sites"), ("{", "not YAML"),
        ("shopping: {url: http://x, password: 5}", "must be text"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(UserError) as raised:
            sites.read_sites(str(path))
        assert said in str(raised.value) and "\n" not in str(raised.value)
    with pytest.raises(UserError, match="no such site file"):
        sites.read_sites(str(tmp_path / "none.yaml"))


def originals(name):
    found = sorted(MIRROR.glob(f"{name}/*/{tasks.PATH}"))
    if not found:
        pytest.skip(f"mirror: ../shared/mirror has no files of {name}")
    return Path(str(found[0]).removesuffix(f"/{tasks.PATH}"))


def test_all_tasks_of_the_original_and_of_the_fork():
    folder = originals("web-arena-x/webarena")
    suite = environments.load("webarena", {"data": folder})
    fork = tasks.read_tasks(originals("OpenLemur/webarena"), "original")
    for ours, theirs in zip(suite.tasks(), fork, strict=True):
        assert ours.data["intent"] == theirs.data["intent"]
        for key in ("eval_types", "reference_answers", "reference_url", "program_html"):
            assert ours.data["eval"][key] == theirs.data["eval"][key], ours.id
        assert ours.data["start_url"] == theirs.data["start_url"]
    whys = [suite.unplayable(task) for task in suite.tasks()]
    assert len(whys) == 812 and whys.count("needs a judge model") == 82
    assert set(whys) == {"needs a judge model", "no site file: settings: sites: names the addresses of WebArena's sites"}  # fmt: skip
    original = environments.load("webarena", {"data": folder, "variant": "original"})
    whys = [original.unplayable(task) for task in original.tasks()]
    assert whys.count("needs a judge model") == 118


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
    turns = tuple(Turn("", "", 0, "end", one.observation, info=one.info) for one in hand.turns)
    made = suite.judge(suite.tasks()[0], Episode("0", "", turns, "stopped"))
    assert (made.paper, made.strict, made.left_out) == (1, 1, None), hand.info["evidence"]
    # Without the click the page is another one.
    lazy = Hand(suite)
    lazy.act("click", "link 'Steel kettle'")
    lazy.act("stop", rest=" [It costs $31.50]")
    lazy.world.close()
    turns = tuple(Turn("", "", 0, "end", one.observation, info=one.info) for one in lazy.turns)
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
    asked = {"script": "() => { localStorage.left = '1'; document.cookie = 'left=1'; }"}
    first.world.episode.ask("evaluate", **asked)
    browser = first.world.episode.browser
    first.world.close()
    second = Hand(suite, 1)
    assert second.world.episode.browser is browser
    found = second.world.episode.ask(
        "evaluate", script="() => [localStorage.length, document.cookie]"
    )
    assert found["value"] == [0, ""] and second.seen.count("Tab ") == 1
    second.world.close()


def test_tokens_are_those_of_the_original():
    assert matching.tokens("there are $0.00, or 5%; (0)") == ["there", "are", "$", "0.00", ",", "or", "5", "%", ";", "(", "0", ")"]  # fmt: skip
    assert matching.tokens("it is 5.") == ["it", "is", "5", "."]
    assert matching.tokens("") == []
