"""The paper's figures as `snakemake paper_figures` makes them, read back from what was drawn.

Nothing here calls the project's code for figures, and the expected values are taken anew from
reports/paper/reported.csv and counted from the recorded episodes.
"""

import csv
import gzip
import html.parser
import re
from collections import Counter

import drawn_svg
import pytest
from checkout import call, checkout
from drawn_radar import Radar
from lemur.core.provenance import ROOT
from snake import snakemake

BENCHMARKS = ["MMLU", "BBH", "GSM8K", "HumanEval", "MBPP", "Spider", "MultiPL-E", "DS-1000"]
PRETRAINED = ["StarCoder-15B", "StarCoderPlus-15B", "CodeLlama-34B", "Llama-2-70B", "Lemur-70B"]
CHATS = ["WizardCoder-15B", "CodeLlama-34B-Instruct", "Llama-2-70B-Chat", "Lemur-70B-Chat"]
# The agent radar's axes, and what of the records each counts: (feedback, category), None unrecorded.
AXES = {
    "Tool augmentation": ("none", "reasoning"),
    "Self-debugging": None,
    "NL feedback on reasoning": ("gpt-4", "reasoning"),
    "NL feedback on coding": ("gpt-4", "code_generation"),
    "Exploring digital environment": None,
    "Exploring physical environment": ("none", "decision_making"),
}
RECORDED = {"Lemur-70B-Chat": "lemur-70b-chat-v1", "gpt-3.5-turbo": "gpt-3.5-turbo-0613"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """results/figures/paper/ of one run of the documented command."""
    folder = tmp_path_factory.mktemp("paper")
    done = snakemake(folder, "--cores", "2", "paper_figures")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "results" / "figures" / "paper"


@pytest.fixture(scope="module")
def reported():
    """{(table, model, metric): value} of the committed transcription."""
    with open(ROOT / "reports" / "paper" / "reported.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["table"], row["model"], row["metric"]): float(row["value"]) for row in rows}


@pytest.fixture(scope="module")
def episodes():
    """{(model, feedback, category, task): (solved, episodes)}; the task ``all`` is their sum."""
    solved, every = Counter(), Counter()
    with gzip.open(ROOT / "reports" / "paper" / "mint_outcomes.tsv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for task in (row["task"], "all"):
                key = (row["model"], row["feedback"], row["category"], task)
                solved[key] += row["solved"] == "1"
                every[key] += 1
    return {key: (solved[key], every[key]) for key in every}


class Cells(html.parser.HTMLParser):
    """The rows of a page's table, as texts; a cell in bold begins with ``*``."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.open = True
        elif tag == "strong":
            self.rows[-1][-1] += "*"

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def table(path):
    return Cells(path.read_text()).rows


def test_the_foundation_radar_is_the_papers(made, reported):
    radar = Radar(made / "foundation_radar.svg")
    series, colours = radar.series()
    assert list(colours) == list(series) == CHATS  # in drawing order: the paper's own model on top
    for model in CHATS:
        printed = [reported["foundation", model, name] for name in BENCHMARKS]
        assert series[model] == pytest.approx(printed, abs=0.02)
    own = [reported["foundation", "Lemur-70B-Chat", name] for name in BENCHMARKS]
    for spoke, (name, value) in enumerate(zip(BENCHMARKS, own, strict=True)):
        assert radar.label(spoke).lines == (name, f"{value:.1f}")
    colour, area = radar.shaded()
    assert colour == colours["Lemur-70B-Chat"] and area == pytest.approx(own, abs=0.02)


def test_the_data_beside_the_radar_are_those_that_are_drawn(made, reported):
    rows = list(csv.DictReader((made / "foundation_radar.csv").open()))
    assert list(dict.fromkeys(row["model"] for row in rows)) == CHATS
    assert len(rows) == len(CHATS) * len(BENCHMARKS)
    for row in rows:
        assert float(row["score"]) == reported["foundation", row["model"], row["benchmark"]]


@pytest.mark.parametrize("kind", ["html", "csv", "md", "tex"])
def test_the_foundation_table_is_the_papers_in_its_order(kind, made, reported):
    path = made / f"foundation_table.{kind}"
    text = path.read_text()
    if kind == "html":
        rows = [row for row in table(path)[1:] if len(row) > 1]
    elif kind == "csv":
        rows = [row[1:] for row in list(csv.reader(path.open()))[1:]]
    else:
        split = (" | ", "| ", " |") if kind == "md" else (" & ", "", r" \\")
        lines = [line for line in text.splitlines() if re.search(r"\d\d?\.\d", line) and split[0] in line]  # fmt: skip
        rows = [line.removeprefix(split[1]).removesuffix(split[2]).split(split[0]) for line in lines]  # fmt: skip
    assert [row[0] for row in rows] == [*PRETRAINED, *CHATS]
    for row in rows:
        shown = [float(re.sub(r"\\textbf\{|[*}]", "", cell)) for cell in row[1:]]
        assert shown == [reported["foundation", row[0], name] for name in [*BENCHMARKS, "average"]]
    assert text.index("Pretrained") < text.index(PRETRAINED[0]) < text.index(CHATS[0])
    heading = {"html": ">Chat<", "csv": "\nChat,", "md": "*Chat*", "tex": "{Chat}"}[kind]
    assert text.index(PRETRAINED[-1]) < text.index(heading) < text.index(CHATS[0])


def test_the_best_of_each_group_is_bold(made):
    rows = [row for row in table(made / "foundation_table.html")[1:] if len(row) > 1]
    for group in (rows[:5], rows[5:]):
        for column in zip(*(row[1:] for row in group), strict=True):
            best = max(float(cell.lstrip("*")) for cell in column)
            assert [float(c.lstrip("*")) == best for c in column] == [c[0] == "*" for c in column]


def agent_values(reported, episodes):
    """{(axis, model): (value drawn, value printed, whether counted)}."""
    found = {}
    for axis, run in AXES.items():
        for model, recorded in RECORDED.items():
            value = printed = reported["agent-radar", model, axis]
            if run:
                solved, total = episodes[recorded, *run, "all"]
                value = 100 * solved / total
            found[axis, model] = (value, printed, run is not None)
    return found


def test_the_agent_radar_is_the_count(made, reported, episodes):
    radar = Radar(made / "agent_radar.svg")
    wanted = agent_values(reported, episodes)
    series, colours = radar.series()
    assert list(series) == list(RECORDED)
    for model in RECORDED:
        assert series[model] == pytest.approx([wanted[axis, model][0] for axis in AXES], abs=0.02)
    for spoke, (axis, run) in enumerate(AXES.items()):
        *name, values = radar.label(spoke).lines
        assert "".join(name).replace(" ", "") == axis.replace(" ", "")
        first, second = (wanted[axis, model][0] for model in RECORDED)
        assert values == f"{first:.2f} / {second:.2f}{'' if run else '*'}"
    colour, area = radar.shaded()
    own = [wanted[axis, "Lemur-70B-Chat"][0] for axis in AXES]
    assert colour == colours["Lemur-70B-Chat"] and area == pytest.approx(own, abs=0.02)


def test_hollow_markers_are_what_was_not_counted_and_a_cross_what_differs(made, reported, episodes):
    radar = Radar(made / "agent_radar.svg")
    wanted = agent_values(reported, episodes)
    _, colours = radar.series()
    names = {colour: model for model, colour in colours.items()}
    hollow, crosses = set(), {}
    for marker in radar.axes.markers:
        model = names.get(marker.style.get("stroke"))
        if model is None:  # a tick of the axes
            continue
        axis = list(AXES)[radar.spoke((marker.x, marker.y))]
        value = radar.value((marker.x, marker.y))
        if marker.style.get("fill") == "#ffffff":
            hollow.add((axis, model))
        if value != pytest.approx(wanted[axis, model][0], abs=0.02):
            crosses[axis, model] = value
    assert hollow == {key for key, (_, _, counted) in wanted.items() if not counted}
    apart = {key: printed for key, (value, printed, _) in wanted.items() if abs(round(value, 2) - printed) > 0.0101}  # fmt: skip
    assert apart and crosses == pytest.approx(apart, abs=0.02)
    notes = " ".join(words.text for words in radar.drawing.words)
    for (axis, model), printed in apart.items():
        assert (
            f"{axis}, {model}:\nrecords {wanted[axis, model][0]:.2f}, paper {printed:.2f}" in notes
        )


def test_the_agent_table_is_the_count(made, reported, episodes):
    rows = table(made / "agent_table.html")[1:]
    wanted = agent_values(reported, episodes)
    assert [(row[0], row[1]) for row in rows] == [(axis, model) for axis in AXES for model in RECORDED]  # fmt: skip
    for axis, model, recount, _, printed, mark, _ in rows:
        value, said, counted = wanted[axis, model]
        assert float(printed) == said
        assert recount == (f"{value:.2f}" if counted else "")
        assert (mark == "counted") is counted


def test_the_mint_table_is_the_count(made, episodes):
    rows, heading, shown = table(made / "mint_table.html")[1:], None, {}
    for row in rows:
        if len(row) == 1:
            heading = row[0].rsplit(", ", 1)
            continue
        model, feedback = heading[0], heading[1].removesuffix(" feedback").replace("no", "none")
        shown[model, feedback, row[0].replace(" ", "_"), row[1]] = tuple(map(float, row[2:5]))
    assert shown.keys() == episodes.keys()
    for key, (solved, total) in episodes.items():
        assert shown[key] == (solved, total, pytest.approx(100 * solved / total, abs=0.005))


def test_recorded_episodes_count_from_the_turn_that_solved_them(made):
    solved, every = Counter(), Counter()
    with gzip.open(ROOT / "reports" / "paper" / "mint_outcomes.tsv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for category in ("all", row["category"]):
                key = row["model"], row["feedback"], category
                every[key] += 1
                for turn in range(1, 6):
                    solved[*key, turn] += row["solved"] == "1" and int(row["turns"]) <= turn
    with open(made / "mint_by_turn.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * len(every) == 220
    for row in rows:
        key, turn = (row["model"], row["feedback"], row["category"]), int(row["turn"])
        assert (int(row["solved"]), int(row["episodes"])) == (solved[*key, turn], every[key])
        assert float(row["low"]) <= float(row["percent"]) <= float(row["high"])
        assert float(row["slope_low"]) <= float(row["slope"]) <= float(row["slope_high"])
    percent = {
        key: [100 * solved[*key, turn] / every[key] for turn in range(1, 6)] for key in every
    }
    drawing = drawn_svg.read(made / "mint_by_turn.svg")
    for panel, kind, models in ((1, "none", 6), (2, "gpt-4", 5)):
        drawn = drawn_svg.lines_of(drawing.inside(f"axes_{panel}"))
        wanted = [percent[key] for key in every if key[1:] == (kind, "all")]
        found = [line for lines in drawn.values() for line in lines]
        assert len(wanted) == len(found) == models
        assert sorted(found) == [pytest.approx(line, abs=0.2) for line in sorted(wanted)]
        # The model of the paper has its own colour.
        (lemur,) = drawn["#d55e00", False]
        assert lemur == pytest.approx(percent["lemur-70b-chat-v1", kind, "all"], abs=0.2)


def test_the_overview_says_the_papers_facts_and_its_bar_is_to_scale(made):
    drawing = drawn_svg.read(made / "overview.svg")
    lines = [words.text for words in sorted(drawing.words, key=lambda words: words.y)]
    for said in ("Llama-2-70B", "90B tokens, packed", "code 10", "text 1", "Lemur-70B", "Instruction tuning: 300K examples", "Lemur-70B-Chat"):  # fmt: skip
        assert lines.count(said) == 1, lines
    assert lines.index("Llama-2-70B") < lines.index("Lemur-70B") < lines.index("Lemur-70B-Chat")
    facts = (ROOT / "reports" / "paper" / "facts.md").read_text()
    assert all(fact in facts for fact in ("90B tokens", "10:1", "300K"))
    widths = {}
    for colour, words in (("#0072b2", "code 10"), ("#d55e00", "text 1")):
        (bar,) = [shape for shape in drawing.shapes if shape.style.get("fill") == colour]
        xs = [x for x, _ in bar.points]
        widths[words] = max(xs) - min(xs)
    assert widths["code 10"] / widths["text 1"] == pytest.approx(10, rel=0.06)  # a gap is between


@pytest.fixture(scope="module")
def claims(made):
    """{place: row} of the page of claims; where several stand at one place, by their order."""
    rows, part, found = table(made / "claims.html")[1:], "", {}
    for row in rows:
        if len(row) == 1:
            part = row[0]
        else:
            found[part, row[2], len(found)] = row
    return found


def verdicts(claims, part, where):
    return [row[0] for (group, place, _), row in claims.items() if (group, place) == (part, where)]


def test_the_claims_of_the_radar_are_judged_by_the_count(claims, reported, episodes):
    """Counted and printed alike: reproduced; else it differs. What has no episodes is not."""
    named = {"Tool augmentation": "tool augmentation",
             "NL feedback on reasoning": "natural-language feedback on reasoning",
             "NL feedback on coding": "natural-language feedback on coding",
             "Exploring physical environment": "exploring the physical environment"}  # fmt: skip
    wanted = agent_values(reported, episodes)
    seen = set()
    for axis, where in named.items():
        values = [wanted[axis, model] for model in RECORDED]
        same = all(abs(round(value, 2) - printed) <= 0.0101 for value, printed, _ in values)
        seen.add(same)
        first = verdicts(claims, "Agent radar", where)[0]
        assert first == ("reproduced" if same else "differs"), axis
    assert seen == {True, False}
    assert verdicts(claims, "Agent radar", "self-debugging") == ["not checkable here"]


def test_the_claims_of_the_table_are_judged_by_its_numbers(claims, reported):
    off = [
        model
        for model in (*PRETRAINED, *CHATS)
        if abs(sum(reported["foundation", model, name] for name in BENCHMARKS) / 8 - reported["foundation", model, "average"]) > 0.0501
    ]  # fmt: skip
    assert verdicts(claims, "Foundation table", "column of averages") == ["differs" if off else "consistent"]  # fmt: skip
    best = max(PRETRAINED, key=lambda model: reported["foundation", model, "average"])
    row = next(row for row in claims.values() if "highest mean of eight among the pretrained" in row[3])  # fmt: skip
    second = sorted(reported["foundation", model, "average"] for model in PRETRAINED)[-2]
    assert best == "Lemur-70B" and row[0] == "consistent"
    assert f"Lemur-70B 47.9, CodeLlama-34B {second}" in row[4]


def test_no_claim_of_the_paper_has_a_run_beside_it_and_each_is_counted(claims, made):
    caption = re.search(r"<caption>(.*?)</caption>", (made / "claims.html").read_text())[1]
    counts = Counter(row[0] for row in claims.values())
    told = re.findall(r"(\d+) (reproduced|consistent|differs|not checkable here)", caption)
    assert {verdict: int(number) for number, verdict in told} == counts
    assert caption.startswith(f"{len(claims)} claims") and len(claims) >= 20
    assert all(len(row) == 8 and row[4] and row[5] for row in claims.values())


def test_a_claim_whose_evidence_changes_changes_its_verdict_in_the_next_build(tmp_path):
    """As somebody finds who corrects a number in a checkout and gives the same command."""
    folder = checkout(tmp_path / "changed")
    place = folder / "reports" / "paper" / "reported.csv"
    place.write_text(place.read_text().replace("feedback on reasoning,35.76", "feedback on reasoning,32.59"))  # fmt: skip
    target = "results/figures/paper/claims.html"
    done = call(folder, "--cores", "1", target, "--config", "quiet_plan=true")
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [row for row in table(folder / target)[1:] if row[2:3] == ["natural-language feedback on reasoning"]]  # fmt: skip
    assert [row[0] for row in rows] == ["reproduced"]


def test_all_figures_and_tables_of_the_paper_are_read_back_here(made):
    """A new one needs its test."""
    names = {path.name for path in made.iterdir() if path.suffix in (".svg", ".html")}
    assert names == {
        "overview.svg", "foundation_radar.svg", "foundation_table.html", "agent_radar.svg",
        "agent_table.html", "mint_by_turn.svg", "mint_table.html", "claims.html",
    }  # fmt: skip
