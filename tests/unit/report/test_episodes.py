"""Pages of episodes: everything that was recorded is there as text, and nothing of it is live."""

import html.parser
import json
import re
import subprocess
import sys

import hostile_episode
import pytest
from hostile_episode import HOSTILE, LONG, NAMED_SHOWN, SHOWN, SPEC
from lemur.agents import play_spec
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.core.readable import readable
from lemur.report import episodes

# All that the templates are made of.
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "ul",
    "li", "main", "dl", "div", "dt", "dd", "span", "section", "pre", "details", "summary", "table",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Page(html.parser.HTMLParser):
    """Elements with their attributes, texts of each ``pre``, and all text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.blocks, self.words, self.inside = [], [], "", False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "pre":
            self.blocks.append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        self.words += data
        if self.inside:
            self.blocks[-1] += data


def write(folder, spec=SPEC):
    out = folder / "pages" / "index.html"
    given = folder / "episodes.jsonl", folder / "verdicts.jsonl"
    episodes.write(spec, *given, play_spec.NONE, out)
    return out.parent


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of the hostile result, as the script writes them."""
    folder = tmp_path_factory.mktemp("hostile") / "guessing"
    hostile_episode.write(folder)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/7_agents/pages.py", "--spec", json.dumps(SPEC),
         "--episodes", folder / "episodes.jsonl", "--verdicts", folder / "verdicts.jsonl",
         "--data", "none", "--out", folder / "pages" / "index.html"],
        capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "workflow")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "pages.prov.json").read_text())
    assert "index.html" in json.dumps(record["output"])
    return folder / "pages"


def test_what_a_model_says_is_text_and_whole(pages):
    page = Page((pages / "0001.html").read_text())
    # The first prompt, then of turn 1 answer, action, observation, feedback and the rest, of turn 2
    # an answer that is cut.
    prompt, answer, action, observation, feedback, more, second = page.blocks
    assert prompt == answer == action == observation == feedback == SHOWN
    in_json = SHOWN.replace("[U+0000]", "\x00").replace(
        "[U+001B]", "\x1b"
    )  # JSON escapes these itself
    assert json.loads(more) == {"more": {in_json: [in_json]}}
    assert second == LONG[:20_000] + "\n[5 more characters are kept in the record]"
    for said in (f"1 ({NAMED_SHOWN})", f"Ended{NAMED_SHOWN} ({NAMED_SHOWN})"):
        assert said in page.words, "why the scores differ, the end and its detail"


@pytest.mark.parametrize("name", ["index.html", "0001.html", "0002.html", "0003.html"])
def test_nothing_of_it_is_live(name, pages):
    text = (pages / name).read_text(encoding="utf-8")
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    policy = next(x["content"] for tag, x in page.elements if tag == "meta" and "http-equiv" in x)
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert len([tag for tag, _ in page.elements if tag == "style"]) == 1
    for tag, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on")] and "src" not in attributes
        if tag == "a" and not attributes["href"].startswith("#"):
            assert re.fullmatch(r"\d{4}\.html|index\.html", attributes["href"])
            assert (pages / attributes["href"]).is_file()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


def test_the_list_leads_to_every_episode_and_names_what_was_not_played(pages):
    page = Page((pages / "index.html").read_text())
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == ["0001.html", "0002.html", "0003.html"]
    assert f"task {NAMED_SHOWN}: {NAMED_SHOWN}" in page.words
    assert f"in no score: world failed: {NAMED_SHOWN}" in page.words  # fmt: skip
    assert re.search(r"guess/1\s*1\s*1\s*solved\s*1\s*1", page.words)


def test_a_prompt_that_is_not_the_recorded_one_says_so(pages):
    said = "They are not those whose digest was recorded"
    assert Page((pages / "0001.html").read_text()).words.count(said) == 2
    plain = Page((pages / "0002.html").read_text()).words
    assert said not in plain and "Before it the player read 1 message." in plain
    assert "cut at the limit" not in plain and "The world said nothing" not in plain


def test_the_same_bytes_twice_and_nothing_stale(tmp_path):
    """Pages of an earlier, longer result are gone; a folder that was being written is no hindrance."""
    folder = tmp_path / "guessing"
    hostile_episode.write(folder)
    (folder / "pages").mkdir()
    (folder / "pages" / "0009.html").write_text("stale")
    (folder / "pages.new").mkdir()
    (folder / "pages.new" / "0008.html").write_text("half-written")
    first = {path.name: path.read_bytes() for path in write(folder).iterdir()}
    assert sorted(first) == ["0001.html", "0002.html", "0003.html", "index.html"]
    assert {path.name: path.read_bytes() for path in write(folder).iterdir()} == first
    assert {path.name for path in folder.iterdir()} == {
        "episodes.jsonl", "verdicts.jsonl", "scores.json", "pages",
    }  # fmt: skip


def test_a_task_that_the_data_lack_is_one_line_and_keeps_the_old_pages(tmp_path):
    folder = tmp_path / "guessing"
    hostile_episode.write(folder)
    before = write(folder)
    for name in ("episodes.jsonl", "verdicts.jsonl"):
        path = folder / name
        path.write_text(path.read_text().replace("guess/1", "guess/99"))
    with pytest.raises(UserError, match="the data have no task 'guess/99': play again"):
        write(folder)
    assert (before / "0002.html").is_file()


def test_only_letters_that_nothing_stands_for_are_named():
    plain = "räume\t日本 👍🏽 e\u0301 \N{NO-BREAK SPACE}\n"
    assert readable(plain) == plain and readable("a\r\nb") == "a\nb"
    assert readable("50%\rdone") == "50%[U+000D]done"
    assert HOSTILE != SHOWN == readable(HOSTILE)
