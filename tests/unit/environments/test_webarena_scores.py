"""WebArena's task files, site files and judges, without a browser."""

import copy
import json
from pathlib import Path

import pytest
from lemur.agents import environments
from lemur.agents.environments.webarena import asking, evidence, judge, matching, sites, tasks
from lemur.agents.episode import Episode
from lemur.core.errors import UserError
from unit.environments.intercode_cases import MIRROR, write
from unit.environments.local_sites import LocalSite
from unit.environments.webarena_cases import ended, string, task, verdict


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


def test_tokens_are_those_of_the_original():
    assert matching.tokens("there are $0.00, or 5%; (0)") == ["there", "are", "$", "0.00", ",", "or", "5", "%", ";", "(", "0", ")"]  # fmt: skip
    assert matching.tokens("it is 5.") == ["it", "is", "5", "."]
    assert matching.tokens("") == []
