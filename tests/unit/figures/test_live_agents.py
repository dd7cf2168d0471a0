"""What a recipe's agents reached, drawn by the rules and read back from what was drawn."""

import csv
import html.parser
import json
import re
import subprocess
import sys
from urllib.parse import unquote

import drawn_svg
import played_results
import pytest
from drawn_radar import Radar
from lemur.agents import judged
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.figures import live_agents, settings
from played_results import Outcome
from snake import snakemake, values
from trial_run import PAPER

AXES = ["Tool augmentation", "Self-debugging", "NL feedback on reasoning", "NL feedback on coding",
        "Exploring digital environment", "Exploring physical environment"]  # fmt: skip
START = "start (random weights)"
AGENTS = values(
    agents={
        "models": ["gold", "start", "chat"], "batch": 1, "precision": "fp32",
        "environments": [
            {"name": "mint_gsm8k", "environment": "mint", "settings": {"sets": ["gsm8k"]}},
            {"name": "sql", "environment": "intercode_sql"}, {"name": "bfcl"},
        ],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """results/figures/smoke/ of a folder in which three players have played three environments."""
    folder = tmp_path_factory.mktemp("live")
    for path in played_results.write_results(folder / "results" / "smoke"):
        path.with_name("pages").mkdir()
        (path.parent / "pages" / "index.html").write_text("pages\n")
    figures = (
        "live_agents.html",
        "live_agents_by_turn.svg",
        "live_agent_radar.svg",
        "tool_table.html",
    )
    wanted = [f"results/figures/smoke/{name}" for name in figures]
    done = snakemake(folder, "--cores", "2", *wanted, "--config", "recipe=smoke", AGENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "results" / "figures" / "smoke"


def test_the_radar_has_the_papers_numbers_the_recount_and_what_was_played(drawn):
    radar = Radar(drawn / "live_agent_radar.svg")
    series, colours = radar.series()
    printed, recounted = "Lemur-70B-Chat, as printed", "Lemur-70B-Chat, recounted"
    assert set(colours) == {printed, recounted, START, "chat"}
    with open(PAPER / "reported.csv", newline="") as file:
        reported = {
            row["metric"]: float(row["value"])
            for row in csv.DictReader(file)
            if (row["table"], row["model"]) == ("agent-radar", "Lemur-70B-Chat")
        }
    assert series[printed] == pytest.approx([reported[axis] for axis in AXES], abs=0.02)
    names = {colour: name for name, colour in colours.items()}
    found = {name: {} for name in colours}
    for marker in radar.axes.markers:
        name = names.get(marker.style.get("stroke"))
        if name is not None:
            place = marker.x, marker.y
            at = found[name].setdefault(AXES[radar.spoke(place)], (radar.value(place), set()))
            at[1].add(marker.style["fill"])
    hollow = {"#ffffff"}
    assert {axis: paint for axis, (_, paint) in found[printed].items()} == dict.fromkeys(
        AXES, hollow
    )
    counts = {0: 100 * 100 / 316, 2: 100 * 103 / 316, 3: 100 * 61 / 136, 5: 100 * 80 / 134}
    assert {axis: value for axis, (value, _) in found[recounted].items()} == pytest.approx(
        {AXES[k]: value for k, value in counts.items()}, abs=0.02
    )
    assert all(paint == {colours[recounted]} for _, paint in found[recounted].values())
    # Of two axes some parts were played: half-filled; of the others nothing was: no marker.
    for name, gsm8k, sql in ((START, 50, 50), ("chat", 75, 200 / 3)):
        own = {axis: value for axis, (value, _) in found[name].items()}
        assert own == pytest.approx({AXES[0]: gsm8k, AXES[1]: sql}, abs=0.02)
        assert all(paint == {colours[name], "#ffffff"} for _, paint in found[name].values())
    assert radar.label(0).lines[-2:] == ("31.6 / 31.6", "50.0 / 75.0")
    assert radar.label(4).lines[-2:] == ("13.7 / \N{EN DASH}", "\N{EN DASH} / \N{EN DASH}")
    said = " ".join(words.text for words in radar.drawing.words)
    assert "Tool augmentation: MINT gsm8k" in said and "Self-debugging: InterCode-SQL" in said
    assert "known solutions" not in said and "gold" not in said
    rows = list(csv.DictReader((drawn / "live_agent_radar.csv").open()))
    (sql,) = [row for row in rows if row["series"] == "chat" and row["axis"] == AXES[1]]
    assert (sql["mark"], sql["parts"], sql["parts_of_axis"]) == ("played in part", "1", "5")
    assert sql["note"] == (
        "mean of its parts: InterCode-SQL 2 of 3 (of 1034 tasks, answered by SQLite 3.40.1); "
        "not played: MINT humaneval, MINT mbpp, RoboCodeGen, InterCode-Bash"
    )


def test_an_episode_counts_from_the_turn_that_solved_it(drawn):
    drawing = drawn_svg.read(drawn / "live_agents_by_turn.svg")
    gsm8k, sql, bfcl = (drawing.inside(f"axes_{number}") for number in (1, 2, 3))
    start, chat = "#6b7280", "#d55e00"
    curves = drawn_svg.lines_of(gsm8k)
    assert curves[chat, False] == [pytest.approx([0, 75, 75, 75, 75], abs=0.1)]
    assert curves[start, False] == [pytest.approx([25, 25, 50, 50, 50], abs=0.1)]
    # The known solutions are dashed, in another way than what is strictly judged.
    dashed = sorted(curves[start, True], key=lambda line: line[-1])
    assert dashed == [pytest.approx([25] * 5, abs=0.1), pytest.approx([100] * 5, abs=0.1)]
    third = 100 / 3
    assert drawn_svg.lines_of(sql)[chat, False] == [
        pytest.approx([third] * 2 + [2 * third] * 8, abs=0.1)
    ]
    assert gsm8k.said("mint_gsm8k").text == "mint_gsm8k, 4 episodes"
    assert sql.said("sql").text == "sql (SQLite 3.40.1), 2 or 3 episodes"
    assert bfcl.said("no episode") and (chat, False) not in drawn_svg.lines_of(bfcl)
    rows = list(csv.DictReader((drawn / "live_agents_by_turn.csv").open()))
    (third_turn,) = [
        row for row in rows
        if (row["environment"], row["player"], row["turn"]) == ("mint_gsm8k", "start", "3")
    ]  # fmt: skip
    assert (third_turn["solved"], third_turn["strict_solved"], third_turn["slope"]) == ("2", "1", "7.5")  # fmt: skip
    assert [float(third_turn[edge]) for edge in ("low", "high")] == pytest.approx([15.0, 85.0], abs=0.1)  # fmt: skip
    assert {row["player"] for row in rows if row["known_solutions"] == "yes"} == {"gold"}


@pytest.mark.parametrize("name", ["live_agents_by_turn", "live_agent_radar"])
def test_no_words_leave_the_drawing(name, drawn):
    path = drawn / f"{name}.svg"
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', path.read_text())[1])
    for words in drawn_svg.read(path).words:
        if words.text == "percent of episodes":  # upright, at the left edge
            continue
        # Half of the size is less than the width of a letter on average.
        assert words.x + 0.5 * words.size * len(words.lines[0]) <= width, words.text


class Table(html.parser.HTMLParser):
    """Rows of texts, and the addresses of links by row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
            self.links.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "a":
            self.links[-1].append(dict(attrs)["href"])

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_the_table_says_what_each_rate_rests_on(drawn):
    table = Table((drawn / "live_agents.html").read_text())
    head, *rows = table.rows
    groups = [row[0].strip() for row in rows if len(row) == 1]
    assert groups == [START, "chat", live_agents.KNOWN]
    cells = [dict(zip(head, row, strict=True)) for row in rows if len(row) > 1]
    start, chat, gold = cells[:3], cells[3:6], cells[6:]
    mint = start[0]
    assert (mint["Strict, %"], mint["Strict, 95% interval"]) == ("25.0", "4.6 to 69.9")
    assert (mint["As the original, %"], mint["n"]) == ("50.0", "4")
    assert mint["Differ"] == "1: 1 x a number inside of another"
    assert mint["Ended"] == "2 x out of turns; 2 x solved"
    assert (mint["Turns"], mint["Tokens"]) == ("2.8", "28") and chat[0]["Differ"] == "none"
    assert start[1]["Left out"] == "1 x world failed: no answer" and start[1]["n"] == "2"
    assert start[2]["Ended"] == "no episode could be played here" and not start[2]["Strict, %"]
    against = f"Against {START}, same tasks"
    assert chat[0][against].startswith("+50.0 (") and "McNemar p = 0.5" in chat[0][against]
    assert chat[1][against].endswith(" on 2"), "only the tasks that both played"
    assert not any(row[against] for row in (*start, *gold)), "known solutions are compared with nobody"  # fmt: skip
    for links in table.links:
        for link in links:
            assert (drawn / unquote(link)).is_file(), link
    assert sum("pages/index.html" in link for links in table.links for link in links) == 9
    data = list(csv.reader((drawn / "live_agents.csv").open()))
    assert [row[0] for row in data[1:]] == [START] * 3 + ["chat"] * 3 + [live_agents.KNOWN] * 3


def test_who_plays_one_environment_alone_is_a_player_too(config):
    environments = [{"name": "a"}, {"name": "b", "models": ["gold", "start"]}]
    recipe = {"name": "r", "base": "smoke-1m", "agents": {"models": ["gold"], "environments": environments}}  # fmt: skip
    spec = settings.spec(config, "live_agents_by_turn", recipe)
    assert [entry["name"] for entry in spec["players"]] == ["gold", "start"]
    assert list(spec["colours"]) == ["start"]


def test_reasons_as_many_as_episodes_do_not_fill_the_table(tmp_path):
    long = "\u202e" + "x" * 500
    outcomes = [Outcome(f"t/{n}", 1, 1, 0, f"reason {n}") for n in range(8)]
    outcomes += [Outcome(f"u/{n}", 1, 1, 0, long) for n in range(2)]
    path = played_results.write_result(tmp_path, "x", "mint", "start", outcomes)
    spec = {"recipe": "r", "players": [{"name": "start", "label": "start"}]}
    table = live_agents.table(spec, [path], tmp_path / "live_agents.html")
    cell = table.groups[0][1][0][6]
    assert cell.startswith("10: 2 x [U+202E]xxx") and cell.endswith("1 x reason 4; 3 more kinds")
    assert len(cell) < 300


@pytest.mark.parametrize(
    "name, change, said",
    [
        ("verdicts.jsonl", lambda text: text.split("\n", 1)[1], "of other episodes"),
        (
            "verdicts.jsonl",
            lambda text: text.replace('"strict"', '"strikt"'),
            "did you mean 'strict'?.*: judge again",
        ),
        ("verdicts.jsonl", None, "no such file"),
        ("episodes.jsonl", lambda text: text[:-30], "line 5: .*: play again"),
        ("scores.json", lambda text: text.replace('"n": 4', '"n": 5'), "4 episodes that count"),
        ("scores.json", lambda text: "[]", "not the scores.json of an agent"),
    ],
)
def test_files_that_are_not_in_step_are_one_clear_line(tmp_path, name, change, said):
    path = played_results.write_results(tmp_path)[0]
    file = path.with_name(name)
    if change is None:
        file.unlink()
    else:
        file.write_text(change(file.read_text()))
    with pytest.raises(UserError, match=said):
        judged.read_result(path)


def test_the_script_of_a_player_that_no_setting_names_ends_in_one_line(tmp_path):
    path = played_results.write_results(tmp_path)[0]
    spec = json.dumps({"recipe": "r", "players": [{"name": "golf", "label": "x"}]})
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/8_figures/live_agents.py", "--spec", spec, "--scores", path, "--out", "x.html"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert re.search(r"player 'gold' is none .*did you mean 'golf'", done.stderr)
    assert not list(tmp_path.glob("x.*"))
