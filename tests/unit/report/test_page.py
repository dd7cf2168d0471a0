"""The report: the same bytes twice, nothing unescaped, nothing fetched, honest in its first line."""

import html.parser
import json
import re
import subprocess
import sys

import pytest
import trial_run
import yaml
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation.score import read_scores
from lemur.figures import settings
from lemur.report import numbers, page, samples, summary

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())
PLANTED = "<script>alert('planted')</script>"


def spec(**changed):
    return settings.report_spec(CONFIG, {**trial_run.RECIPE, **changed})


class Page(html.parser.HTMLParser):
    """Elements with their attributes, and the text of every element."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]


def test_the_page_is_a_function_of_its_inputs(run, tmp_path):
    first = page.render(spec(), run, tmp_path / "report.html")
    assert page.render(spec(), run, tmp_path / "report.html") == first
    assert not re.search(r"\b20\d\d-\d\d-\d\d", re.sub(r"base64,\S+", "", first)), "holds a date"


def test_times_and_hardware_stand_at_the_top_and_in_the_section_on_the_run_alone(run, tmp_path):
    record = run.figures[0].with_name("loss.svg.prov.json")
    facts = {
        "command": f"loss.py --spec '{{\"a\": 1}}' --pretrain {ROOT}/results/x.jsonl",
        "inputs": {f"{ROOT}/results/x.jsonl": "ab" * 32}, "recipe_digest": "cd" * 32,
        "lock": {"environment": "figures", "variant": "cpu", "sha256": "ef" * 32},
        "spec": {"smoothing": 0.05}, "started": "2026-01-02T03:04:05+00:00",
        "output": {"path": str(run.figures[0]), "sha256": "12" * 32},
    }  # fmt: skip
    pages = []
    for seconds in (1.5, 99.25):
        made = {
            **facts,
            "seconds": seconds,
            "hardware": {"cpus": int(seconds)},
            "cpu_seconds": seconds,
        }
        record.write_text(json.dumps(made))
        pages.append(page.render(spec(), run, tmp_path / "report.html"))
    measured = r'<section aria-labelledby="run">.*?</section>|<p class="(?:when|cost)">.*?</p>'
    first, second = (re.sub(measured, "", p, flags=re.S) for p in pages)
    assert pages[0] != pages[1] and first == second
    assert '<p class="when">2026-01-02 03:04 to 03:05 UTC, 1 job of 1m39s together</p>' in pages[1]
    assert "Cost: 0.028 core-hours over 1 job, about 0.14 Wh (by rated power, not" in pages[1]
    priced = {**spec(), "site": {"price": {"core_hour": 10, "currency": "EUR"}}}
    record.write_text(json.dumps({**facts, "seconds": 360, "cpu_seconds": 720}))
    assert "measured), 2.00 EUR." in page.render(priced, run, tmp_path / "report.html")
    record.unlink()
    text = "".join(Page(pages[0]).words)
    assert "loss.py --spec @spec.json --pretrain results/x.jsonl" in text
    assert str(ROOT) not in pages[0]
    for shown in ("ab" * 32, "cd" * 32, "figures cpu " + "ef" * 32, '"smoothing": 0.05'):
        assert shown in text
    assert "loss.svg.prov.json" in [a["href"].rsplit("/")[-1] for a in Page(pages[0]).all("a")]


def test_nothing_is_fetched_and_only_the_pages_own_script_may_run(run, tmp_path):
    text = page.render(spec(), run, tmp_path / "report.html")
    seen = Page(text)
    style, script = (
        re.search(r"<style>(.*?)</style>", text, re.S),
        re.search(r"<script>(.*?)</script>", text, re.S),
    )
    policy = next(m["content"] for m in seen.all("meta") if "http-equiv" in m)
    assert policy == page.policy(style.group(1), script.group(1))
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert len(seen.all("script")) == 1
    for attributes in seen.all("img"):
        assert attributes["src"].startswith("data:image/svg+xml;base64,") and attributes["alt"]
    assert not seen.all("link", "iframe", "object", "embed", "base", "form")
    for tag, attributes in seen.elements:
        assert "style" not in attributes, f"<{tag} style=> would be blocked by the policy"
        assert not [name for name in attributes if name.startswith("on")]
        assert not re.match(r"\w+://|//", attributes.get("href") or attributes.get("src") or "")


def test_ids_are_unique_and_links_lead_somewhere(run, tmp_path):
    seen = Page(page.render(spec(), run, tmp_path / "report.html"))
    ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in seen.all("a"):
        if attributes["href"].startswith("#"):
            assert attributes["href"][1:] in ids
    for _, attributes in seen.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(name, ids[0]) in ids


@pytest.mark.parametrize("where", ["reason", "licence", "source", "recipe", "caption", "figure"])
def test_planted_markup_is_shown_and_never_live(where, run, tmp_path):
    folder, given, changed = tmp_path, run, {}
    if where == "reason":
        bad = trial_run.score("humaneval", "pretrained", None, reason=PLANTED)
        path = trial_run.write_file(folder / "scores.json", bad)
        given = page.Inputs(**{**vars(run), "scores": [*run.scores, path]})
    elif where in ("licence", "source"):
        stats = json.loads(run.statistics[0].read_text())
        stats |= (
            {"licences": {PLANTED: {"documents": 1, "bytes": 1}}}
            if where == "licence"
            else {"source": PLANTED}
        )
        path = trial_run.write_file(folder / "part.stats.json", stats)
        given = page.Inputs(**{**vars(run), "statistics": [path]})
    elif where == "recipe":
        changed = {"description": PLANTED, "name": PLANTED}
    elif where == "caption":
        for name in ("template", "captions"):
            (folder / "reports" / name).mkdir(parents=True)
            for file in (ROOT / "reports" / name).iterdir():
                (folder / "reports" / name / file.name).write_text(file.read_text())
        (folder / "reports/captions/loss.rst").write_text(PLANTED)
    else:
        for kind in ("svg", "csv"):
            copied = (run.figures[0]).with_suffix(f".{kind}").read_text()
            if kind == "svg":
                copied = copied.replace("Training loss", PLANTED.replace("<", "&lt;"))
            (folder / f"loss.{kind}").write_text(copied)
        given = page.Inputs(**{**vars(run), "figures": [folder / "loss.svg"]})
    reports = folder / "reports" if where == "caption" else page.REPORTS
    text = page.render(spec(**changed), given, tmp_path / "report.html", reports)
    assert "<script>alert" not in text and text.count("<script") == 1
    assert PLANTED in "".join(Page(text).words)


def test_the_first_sentence_says_what_was_trained_and_what_it_is_not(run, tmp_path):
    text = page.render(spec(), run, tmp_path / "report.html")
    first = re.search(r'<p class="opening">(.*?)</p>', text, re.S).group(1)
    assert "10,240 tokens" in first
    assert "shows the pipeline running, not the paper&#39;s claim" in first
    words = "".join(Page(text).words)
    assert "start (instruct, 4-bit)" in words and "base model" not in words


def test_only_the_papers_model_and_budget_stand_beside_its_claim():
    paper = CONFIG["report"]["paper"]
    full = numbers.opening("x", 90_000_000_000, None, paper, "llama-2-70b")
    assert "can stand beside" in full and "pipeline running" not in full
    for tokens, base in ((89_999_999_999, "llama-2-70b"), (90_000_000_000, "smollm2-135m")):
        assert "pipeline running" in numbers.opening("x", tokens, None, paper, base)


def test_what_the_page_says_first_stands_beside_it_as_data(run, tmp_path):
    page.write(spec(), run, tmp_path / "report.html")
    found = summary.read(tmp_path / "report.html")
    assert found.recipe == spec()["recipe"]["name"]
    text = html.unescape((tmp_path / "report.html").read_text())
    assert all(f"<dd>{number.value}" in text and number.note in text for number in found.numbers)
    assert f">{found.opening}<" in text
    same = "on the same documents"
    assert [(number.key, number.value, number.note) for number in found.numbers] == [
        ("tokens", "10,240", ""),
        ("bits_code", "0.700 \N{RIGHTWARDS ARROW} 0.600", f"{same} -0.100 (-0.100 to -0.100)"),
        ("bits_text", "1.100 \N{RIGHTWARDS ARROW} 1.000", f"{same} -0.100 (-0.100 to -0.100)"),
        ("humaneval", "not judged (no sandbox)", ""),
        ("gsm8k", "6.2%", "n=16 of 1319, interval 3.1 to 9.4"),
    ]
    with pytest.raises(UserError, match="no such file"):
        summary.read(tmp_path / "none.html")
    null = '{"recipe": null, "description": "", "opening": "", "numbers": []}'
    for other in ("[]", "{}", null, '{"numbers": [5]}', '{"numbers": [], "recipes": 1}'):
        (tmp_path / "report.json").write_text(other)
        with pytest.raises(UserError, match="not the summary of a report"):
            summary.read(tmp_path / "report.html")


EMPTY = {"responses": {"empty": 19, "finish": {"stop": 20, "length": 4}}}


def test_empty_answers_stand_beside_their_score_wherever_it_is_shown(run, tmp_path):
    """In the numbers at the top, which the terminal prints, and in the table."""
    score = trial_run.score("humaneval", "chat", 0.0, **EMPTY)
    path = trial_run.write_file(tmp_path / "chat" / "scores.json", score)
    trial_run.write_file(path.with_name("verdicts.jsonl"), trial_run.verdicts(score))
    scores = [one for one in run.scores if "chat/humaneval" not in str(one)]
    page.write(spec(), page.Inputs(**{**vars(run), "scores": [*scores, path]}), tmp_path / "r.html")
    number = next(x for x in summary.read(tmp_path / "r.html").numbers if x.key == "humaneval")
    told = "19 of 24 answers are empty; 4 of 24 answers end at the limit of new tokens"
    assert (number.value, number.note) == ("0.0%", f"n=24 of 164, interval 0.0 to 0.0; {told}")
    words = Page((tmp_path / "r.html").read_text()).words
    assert words.count(told) == 1, "the table's note"
    script = ROOT / "scripts" / "8_figures" / "summary.py"
    done = subprocess.run([sys.executable, script, "--report", tmp_path / "r.html"], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "workflow")})  # fmt: skip
    assert told in done.stdout


def test_another_rule_stands_beside_the_score_in_the_table(run, tmp_path):
    """The paper's rule and the strict one, and another benchmark's way of asking the same problems."""
    paths = []
    for name, right, more in (
        ("gsm8k_paper", 0.75, {"beside": {"strict": {"value": 0.5, "differs_on": 1}}}),
        ("gsm8k_full", 0.5, {"precision": "bf16", "computed": "float32"}),
    ):
        made = trial_run.score(name, "chat", right, n=4, **more)
        paths.append(trial_run.write_file(tmp_path / name / "scores.json", made))
        lines = [{**x, "document": str(k)} for k, x in enumerate(trial_run.verdicts(made))]
        trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), lines)
    rows = {row["benchmark"]: row["note"] for row in page.score_rows(read_scores(paths), {})}
    told = "judged otherwise: strict 50.0: 1 differ; gsm8k_full 50.0: 1 of 4 differ"
    assert rows == {"gsm8k paper": told, "gsm8k full": "bf16 was computed in float32"}


def test_two_models_stand_beside_each_other_in_pairs(run, tmp_path):
    """On the same documents, whose bits differ by a tenth everywhere."""
    words = Page(page.render(spec(), run, tmp_path / "report.html")).words
    assert words.count("-0.100 (-0.100 to -0.100)") == 2  # the table's rows of code and of text


def test_answers_of_all_models_stand_side_by_side(run, tmp_path):
    """The first problem and those on which verdicts differ, each with what every model answered."""
    paths = []
    answers = {"start": ["a0", "a1", "a2", "a3"], "chat": ["b0", "", "b2", PLANTED]}
    for model, texts in answers.items():
        score = trial_run.score("mbpp", model, {"start": 0.0, "chat": 0.5}[model], n=4)
        folder = tmp_path / model
        paths.append(trial_run.write_file(folder / "scores.json", score))
        trial_run.write_file(folder / "verdicts.jsonl", trial_run.verdicts(score))
        trial_run.write_file(folder / "generations.jsonl", trial_run.generations(score, texts))
        (folder / "prompt.txt").write_text(f"asked of {model}")
    found = samples.side_by_side(read_scores(paths), {"start": "start (x)", "chat": "chat"})
    (benchmark,) = found
    assert (benchmark.name, benchmark.asked) == ("mbpp", 4)
    shown = {
        problem.name: [(a.label, a.verdict, a.text) for a in problem.answers]
        for problem in benchmark.problems
    }
    assert shown == {
        "mbpp/0": [("start (x)", "failed", "a0"), ("chat", "passed", "b0")],
        "mbpp/1": [("start (x)", "failed", "a1"), ("chat", "passed", "")],
        "mbpp/2": [("start (x)", "failed", "a2"), ("chat", "failed", "b2")],
    }
    assert [problem.prompt for problem in benchmark.problems] == ["asked of start", "", ""]
    trial_run.write_file(tmp_path / "chat" / "generations.jsonl", trial_run.generations(score, [PLANTED]))  # fmt: skip
    given = page.Inputs(**{**vars(run), "scores": [*run.scores, *paths]})
    text = page.render(spec(), given, tmp_path / "report.html")
    assert "<script>alert" not in text and PLANTED in "".join(Page(text).words)
    assert "asked of start" in text and 'id="samples"' in text


def test_choices_and_single_models_have_no_samples(run):
    assert samples.side_by_side(read_scores(run.scores), {}) == []


def test_a_run_links_its_cards_and_its_datasheet(run, tmp_path):
    card = tmp_path / "mini" / "card" / "chat" / "README.md"
    card.parent.mkdir(parents=True)
    card.write_text("A model")
    sheet = trial_run.write_file(tmp_path / "corpus" / "datasheet.json", {"corpus": "c", "blocks": []})  # fmt: skip
    sheet.with_suffix(".md").write_text("A corpus")
    given = page.Inputs(**{**vars(run), "cards": [card], "datasheet": sheet})
    seen = Page(page.render(spec(), given, tmp_path / "report.html"))
    found = [one["href"] for one in seen.all("a")]
    assert {"mini/card/chat/README.md", "corpus/datasheet.md"} <= set(found)


def test_parts_of_a_source_are_added_up(run, tmp_path):
    words = Page(page.render(spec(), run, tmp_path / "report.html")).words
    row = words[words.index("sympy") :]
    cells = [word for word in row if word.strip()][:9]
    assert cells == [
        "sympy", "code", "BSD-3-Clause", "10.00", "18", "5,120", "5,120", "minified 6",
        "duplicate 1",
    ]  # fmt: skip


def test_a_source_that_keeps_nothing_is_told(run, tmp_path):
    stats = json.loads(run.statistics[0].read_text())
    none = {"documents": 0, "bytes": 0, "languages": {}, "licences": {}, "source": "none"}
    dropped = {"other_language": {"files": 7, "bytes": 70}, "too_short": {"files": 1, "bytes": 1}}
    stats |= {**none, "dropped": dropped, "read": {"files": 8, "bytes": 71}}
    path = trial_run.write_file(tmp_path / "part-0-of-1.stats.json", stats)
    given = page.Inputs(**{**vars(run), "statistics": [*run.statistics, path]})
    said = (
        "Source none keeps no document: 8 files read, all dropped (other language 7, too short 1)."
    )
    assert said in Page(page.render(spec(), given, tmp_path / "report.html")).words
    assert said not in Page(page.render(spec(), run, tmp_path / "report.html")).words


@pytest.mark.parametrize(
    "change, message",
    [
        ({"figures": ["none.svg"]}, "no caption for the figure none.svg"),
        ({"metrics": []}, "none of them is pretrain/metrics.jsonl"),
        ({"metrics": ["elsewhere/metrics.jsonl"]}, "must lie in a folder 'pretrain' or 'sft'"),
        ({"scores": ["none.json"]}, "none.json: no such file"),
    ],
)
def test_a_missing_input_is_one_clear_line(change, message, run, tmp_path):
    from pathlib import Path

    changed = {name: [Path(path) for path in paths] for name, paths in change.items()}
    with pytest.raises(UserError, match=message):
        page.write(spec(), page.Inputs(**{**vars(run), **changed}), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_figure_without_a_section_is_refused(run, tmp_path):
    settings_ = spec()
    settings_["sections"] = [
        section for section in settings_["sections"] if "loss" not in section["figures"]
    ]
    with pytest.raises(UserError, match="'loss' is in no section"):
        page.render(settings_, run, tmp_path / "report.html")


def test_the_datasheet_is_shown_and_its_texts_are_never_live(run, tmp_path):
    path = tmp_path / "datasheet.json"
    example = {"source": "s", "path": PLANTED, "language": "c", "text": PLANTED, "reason": "words"}
    blocks = [
        {"heading": "Sources"},
        {"text": PLANTED},
        {"table": {"head": ["source", "size"], "rows": [[PLANTED, "1.00 MB"]]}},
        {"examples": [example]},
        {"examples": []},
        {"items": [PLANTED, "a limit"]},
    ]
    path.write_text(json.dumps({"corpus": "c", "blocks": blocks}))
    given = page.Inputs(**{**vars(run), "datasheet": path})
    text = page.render(spec(), given, tmp_path / "report.html")
    words = "".join(Page(text).words)
    assert "<script>alert" not in text and text.count("<script") == 1
    assert words.count(PLANTED) == 5 and "a limit" in words and "None." in words
    assert 'href="#datasheet"' in text and 'id="datasheet"' in text
    path.write_text(json.dumps({"corpus": "c", "blocks": [{"script": "x"}]}))
    with pytest.raises(UserError, match=r"datasheet.json: blocks\[0\]: unknown key 'script'"):
        page.render(spec(), given, tmp_path / "report.html")
