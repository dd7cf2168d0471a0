"""Every figure: drawn twice to the same bytes, with words, data, a dark variant and no address."""

import csv
import json
import re
import xml.etree.ElementTree as ET

import drawn_svg
import played_results
import pytest
import trial_run
from lemur.core.errors import UserError
from lemur.figures import (
    agent,
    dots,
    foundation,
    live_agent_radar,
    live_agents_by_turn,
    loss,
    mixture,
    overview,
    svg,
)
from trial_run import PAPER, RECIPE

REPORTED, OUTCOMES = PAPER / "reported.csv", PAPER / "mint_outcomes.tsv.gz"


def draw(name, spec, run, out):
    settings = spec(name, {**RECIPE, "agents": {"models": ["gold", "start", "chat"]}})
    played = out.parent / "played"
    match name:
        case "live_agents_by_turn":
            live_agents_by_turn.write(settings, played_results.write_results(played), out)
        case "live_agent_radar":
            paths = played_results.write_results(played)
            live_agent_radar.write(settings, REPORTED, OUTCOMES, paths, out)
        case "overview":
            overview.write(settings, out)
        case "foundation_radar":
            foundation.write_radar(settings, REPORTED, out)
        case "agent_radar":
            agent.write_radar(settings, REPORTED, OUTCOMES, out)
        case "loss":
            stages = {stage: run[stage] for stage in ("pretrain", "sft")}
            loss.write(settings, stages, run["scores"], out)
        case "mixture":
            mixture.write(settings, run["plan"], run["realised"], out)
        case "bits_per_byte":
            dots.write_bits(settings, run["scores"], out)
        case "scores":
            dots.write_scores(settings, run["scores"], out)


PAPERS = ("overview", "foundation_radar", "agent_radar")
RECIPES = ("loss", "mixture", "bits_per_byte", "scores")
AGENTS = ("live_agents_by_turn", "live_agent_radar")


@pytest.mark.parametrize("name", [*PAPERS, *RECIPES, *AGENTS])
def test_a_figure_is_whole_and_the_same_twice(name, spec, run, tmp_path):
    first, second = tmp_path / "a" / f"{name}.svg", tmp_path / "b" / f"{name}.svg"
    draw(name, spec, run, first)
    draw(name, spec, run, second)
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text()
    ET.fromstring(text)
    title, words = svg.texts(text)
    assert len(title) > 10 and len(words) > 20
    assert "prefers-color-scheme:dark" in text
    assert "<text" not in text, "letters are outlines, so that no font is needed"
    # Names of XML namespaces are the only addresses; nothing is fetched from them.
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    rows = list(csv.reader(first.with_suffix(".csv").open()))
    assert len(rows) > 2 and {len(row) for row in rows} == {len(rows[0])}


def turned(value):
    """The same value with the keys of every mapping in the other order."""
    if isinstance(value, dict):
        return {key: turned(inside) for key, inside in reversed(value.items())}
    return [turned(inside) for inside in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [*PAPERS, *RECIPES, *AGENTS])
def test_the_order_of_keys_means_nothing(name, spec, run, tmp_path):
    """Rules sort them; whoever calls a script by hand may not."""
    first, second = tmp_path / "a" / f"{name}.svg", tmp_path / "b" / f"{name}.svg"
    draw(name, spec, run, first)
    draw(name, lambda *given: turned(spec(*given)), run, second)
    assert first.read_text() == second.read_text()
    assert first.with_suffix(".csv").read_text() == second.with_suffix(".csv").read_text()


@pytest.mark.parametrize("name", RECIPES)
def test_a_colour_changes_its_figure(name, spec, run, tmp_path):
    out = tmp_path / f"{name}.svg"
    draw(name, spec, run, out)
    before = out.read_text()

    def other(*given):
        settings = spec(*given)
        series = next(iter(settings["colours"]))
        settings["colours"] = {**settings["colours"], series: ["#123456", "#abcdef"]}
        return settings

    draw(name, other, run, out)
    assert "#123456" not in before and "fill: #123456" in out.read_text().replace("stroke", "fill")


def test_the_agent_radar_says_where_records_and_paper_differ(spec, run, tmp_path):
    out = tmp_path / "agent_radar.svg"
    draw("agent_radar", spec, run, out)
    _, words = svg.texts(out.read_text())
    assert "NL feedback on reasoning, Lemur-70B-Chat: 32.59 (counted; 103 of 316" in words
    assert (
        "Self-debugging, gpt-3.5-turbo: 53.23 (inferred; as printed; mean of humaneval 37.78"
        in words
    )
    # Two axes of two models are open markers: filled with the colour of the paper.
    assert out.read_text().count('style="fill: #ffffff; stroke: #') == 4


def test_the_loss_of_the_description_is_that_of_the_metrics(spec, run, tmp_path):
    out = tmp_path / "loss.svg"
    draw("loss", spec, run, out)
    assert (
        "20 steps, 10240 tokens, loss 1.950 at the first step and 1.000 at the last"
        in (svg.texts(out.read_text())[1])
    )


def test_the_trailing_mean_looks_back_only():
    import numpy as np

    values = np.array([1.0, 2.0, 3.0, 10.0])
    assert loss.smooth(values, 2).tolist() == [1.0, 1.5, 2.5, 6.5]
    assert loss.smooth(values, 1).tolist() == values.tolist()


def test_unjudged_scores_are_said_not_drawn(spec, run, tmp_path):
    out = tmp_path / "scores.svg"
    draw("scores", spec, run, out)
    assert "humaneval, chat: not judged (no sandbox)" in svg.texts(out.read_text())[1]


def test_a_recipe_without_a_benchmark_still_gets_its_figure(spec, run, tmp_path):
    out = tmp_path / "scores.svg"
    dots.write_scores(spec("scores", RECIPE), run["scores"][:4], out)
    assert "No such benchmark" in svg.texts(out.read_text())[1]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"style": None}, "no mapping 'style'"),
        ({"style.inkk": "#000000"}, "unknown key 'inkk'; did you mean 'ink'"),
        ({"style.ink": "black"}, "style.ink: 'black' is not a colour"),
        ({"style.width": 0.1}, "style.width: 0.1 is outside 2 to 20"),
        ({"style.width": "wide"}, "style.width: 'wide' is not a number"),
        ({"colours": {"pretrain": "#000000"}}, "no colour for 'sft'"),
        (
            {"colours": {"pretrian": "#000000"}},
            "unknown series 'pretrian'; did you mean 'pretrain'",
        ),
        ({"smoothing": 7}, "smoothing: 7 is outside 0 to 1"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(change, message, spec, run, tmp_path):
    settings = spec("loss")
    for key, value in change.items():
        place, _, last = key.rpartition(".")
        (settings[place] if place else settings)[last] = value
    with pytest.raises(UserError, match=message):
        loss.write(
            settings, {stage: run[stage] for stage in ("pretrain", "sft")}, [], tmp_path / "x.svg"
        )
    assert not (tmp_path / "x.svg").exists()


def test_damaged_metrics_name_their_line(spec, run, tmp_path):
    with run["pretrain"].open("a") as file:
        file.write('{"step": 21, "tok\n')
    with pytest.raises(UserError, match=r"metrics.jsonl: line 21: "):
        loss.write(spec("loss"), {"pretrain": run["pretrain"]}, [], tmp_path / "x.svg")


def test_a_source_that_was_not_planned_is_refused(spec, run, write, tmp_path):
    plan = write("plan.json", json.loads(run["plan"].read_text()) | {"sources": []})
    with pytest.raises(UserError, match="is not in"):
        mixture.write(spec("mixture"), plan, run["realised"], tmp_path / "x.svg")


def test_two_dark_colours_for_one_light_colour_are_refused():
    with pytest.raises(UserError, match="#000000 stands for both #111111 and #222222"):
        svg.accessible("<svg>", "t", "d", [("#000000", "#111111"), ("#000000", "#222222")])


def test_words_are_escaped_and_read_back():
    made = svg.accessible("<svg a='1'>", "a < b", "</desc><script>", [])
    assert "<script>" not in made
    assert svg.texts(made) == ("a < b", "</desc><script>")


def test_the_rows_stand_from_start_to_chat_and_say_what_is_empty(spec, run, tmp_path):
    """Whatever the order of keys and files; a published model beside them has its row too."""
    recipe = {**RECIPE, "evaluate": {"baselines": [{"name": "a-model", "description": "A model"}]}}
    paths = []
    for model, value in (("a-model", 0.25), ("chat", 0.0), ("pretrained", 0.5), ("start", 0.25)):
        made = trial_run.score("mbpp", model, value, n=24, responses={"empty": 19 if model == "chat" else 0, "finish": {"stop": 24}})  # fmt: skip
        paths.append(trial_run.write_file(tmp_path / model / "scores.json", made))
        trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), trial_run.verdicts(made))
    dots.write_scores(spec("scores", recipe), paths, tmp_path / "scores.svg")
    drawn = drawn_svg.read(tmp_path / "scores.svg")
    above, below = (drawn.inside(f"axes_{n}") for n in (1, 2))
    names = ["start (instruct, 4-bit)", "pretrained", "chat", "A model"]
    for axes, wanted in ((above, names), (below, names[1:])):
        assert [" ".join(tick.words[0].lines) for tick in axes.ticks("y")] == wanted
    assert above.said("0.0").lines == ("0.0", "19 empty")
    # 6 problems against none: McNemar's p is 0.03, of one benchmark alone.
    for text in ("+25.0*", "-25.0*", "+0.0"):
        assert below.said(text).text == text
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert [row["model"] for row in rows] == ["start", "pretrained", "chat", "a-model"]
    assert rows[2]["note"] == "19 of 24 answers are empty" and rows[2]["against"] == "start"
    words = svg.texts((tmp_path / "scores.svg").read_text())[1]
    assert "against the start -25.0* (" in words and "19 of 24 answers are empty" in words


def test_a_difference_beyond_chance_by_holms_correction_is_marked(spec, tmp_path):
    """What is beyond chance alone is not as one of four: no star, and its marker is hollow."""
    shares = {"mbpp": (0.25, 0.5), "gsm8k": (0.25, 0.9), "bbh": (0.5, 0.5), "mmlu": (0.5, 0.5)}
    paths = []
    for benchmark, values in shares.items():
        for model, value in zip(("start", "pretrained"), values, strict=True):
            made = trial_run.score(benchmark, model, value, n=20)
            paths.append(trial_run.write_file(tmp_path / model / benchmark / "scores.json", made))
            trial_run.write_file(paths[-1].with_name("verdicts.jsonl"), trial_run.verdicts(made))
    out = tmp_path / "scores.svg"
    dots.write_scores(spec("scores", RECIPE), paths, out)
    rows = {(row["benchmark"], row["model"]): row for row in csv.DictReader(out.with_suffix(".csv").open())}  # fmt: skip
    found = {name: rows[name, "pretrained"] for name in shares}
    # 5 against 0 of 20: p = 2 / 2**5; 13 against 0: p = 2 / 2**13.
    assert float(found["mbpp"]["p"]) == 2 / 2**5
    assert float(found["gsm8k"]["holm_p"]) == pytest.approx(4 * 2 / 2**13)
    assert float(found["mbpp"]["holm_p"]) == pytest.approx(3 * 2 / 2**5)
    below = drawn_svg.read(out).inside("axes_2")
    assert below.said("+65.0*") and below.said("+25.0")
    assert any("Holm's correction" in words.text for words in below.words)
    # Of the differences, only GSM8K's marker is filled with the model's colour.
    ticks = {
        id(marker) for letter in "xy" for tick in below.ticks(letter) for marker in tick.markers
    }
    drawn = [marker.style for marker in below.markers if id(marker) not in ticks]
    assert [style["fill"] == style["stroke"] for style in drawn] == [False, True, False, False]
    assert "Holm p = 0.00098" in svg.texts(out.read_text())[1]
