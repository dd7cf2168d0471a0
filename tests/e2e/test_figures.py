"""A recipe's figures as the run drew them, read back and compared with the results they show."""

import json

import drawn_svg
import pytest

pytestmark = pytest.mark.timeout(900)

MODELS = ["start", "pretrained", "chat"]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def drawing(smoke, name):
    return drawn_svg.read(smoke.results / "figures" / "smoke" / f"{name}.svg")


def score(smoke, model, benchmark):
    return json.loads((smoke.recipe / "evaluate" / model / benchmark / "scores.json").read_text())


def verdicts(smoke, model, benchmark):
    return lines(smoke.recipe / "evaluate" / model / benchmark / "verdicts.jsonl")


def test_the_mixture_is_drawn_to_scale(smoke):
    """A bar of 0.8 % is a hundredth of the widest axis, not a tenth: the axis is linear from 0."""
    axes = drawing(smoke, "mixture").inside("axes_1")
    value = drawn_svg.scale(axes, "x")
    realised = json.loads((smoke.recipe / "tokens" / "realised.json").read_text())["sources"]
    planned = json.loads((smoke.recipe / "mix" / "plan.json").read_text())["sources"]
    places = {tick.words[0].text: tick.place[1] for tick in axes.ticks("y")}
    assert places.keys() == {source["name"] for source in planned}
    colours = {"code": "#0072b2", "text": "#d55e00"}
    bars = [s for s in axes.shapes if s.style.get("fill") in colours.values() and len(s.points) == 4]  # fmt: skip
    ticks = [s for s in axes.shapes if len(s.points) == 2 and s.style.get("stroke") == "#1f2328"]
    total = sum(source["tokens"] for source in realised)
    for name, place in places.items():
        came = next(source for source in realised if source["name"] == name)
        wanted = next(source for source in planned if source["name"] == name)
        bar = min(bars, key=lambda s: abs(sum(y for _, y in s.points) / 4 - place))
        xs = [x for x, _ in bar.points]
        assert value(min(xs)) == pytest.approx(0, abs=total / 1e4)
        assert value(max(xs)) == pytest.approx(came["tokens"], abs=total / 1e4)
        assert bar.style["fill"] == colours[wanted["kind"]]
        tick = min(ticks, key=lambda s: abs(sum(y for _, y in s.points) / 2 - place))
        assert value(tick.points[0][0]) == pytest.approx(wanted["tokens"], abs=total / 1e4)
        shares = [w for w in axes.words if w.text.endswith("%")]
        share = min(shares, key=lambda w: abs(w.y - place))
        assert share.text == f"{100 * came['tokens'] / total:.1f}%"


def test_the_loss_and_the_learning_rate_are_those_of_the_steps(smoke):
    drawn = drawing(smoke, "loss")
    for number, (stage, colour) in enumerate((("pretrain", "#00795a"), ("sft", "#8a6d1a"))):
        steps = lines(smoke.recipe / stage / "metrics.jsonl")
        window = max(1, round(0.05 * len(steps)))
        losses = [step["loss"] for step in steps]
        means = [sum(losses[max(0, k + 1 - window) : k + 1]) / min(window, k + 1) for k in range(len(losses))]  # fmt: skip
        above, below = (drawn.inside(f"axes_{2 * number + k}") for k in (1, 2))
        along = drawn_svg.scale(below, "x")
        for axes, values in ((above, means), (below, [step["learning_rate"] for step in steps])):
            curves = [s for s in axes.shapes if s.style.get("stroke") == colour and len(s.points) == len(steps)]  # fmt: skip
            curve = max(curves, key=lambda s: float(s.style.get("stroke-width", 0)))
            scale = drawn_svg.scale(axes, "y")
            factor = max(values) / max(scale(y) for _, y in curve.points) if axes is below else 1
            for (x, y), step, wanted in zip(curve.points, steps, values, strict=True):
                assert along(x) == pytest.approx(step["tokens"], rel=1e-3)
                assert factor * scale(y) == pytest.approx(wanted, abs=2e-3 * max(values))
    last = drawn.inside("axes_5")
    value = drawn_svg.scale(last, "y")
    for kind, colour in (("code", "#0072b2"), ("text", "#d55e00")):
        drawn_lines = [s for s in last.shapes if "legend_1" not in last.parts[id(s)]]
        (line,) = [s for s in drawn_lines if s.style.get("stroke") == colour]
        shown = [value(y) for _, y in line.points]
        wanted = [score(smoke, model, f"bits_per_byte_{kind}")["value"] for model in MODELS]
        assert shown == pytest.approx(wanted, abs=0.01)
    assert [tick.words[0].lines[0] for tick in last.ticks("x")] == MODELS


def rows(axes, markers):
    """[(row's label, marker or None, words at the right)] from above."""
    found = []
    for tick in axes.ticks("y"):
        place = tick.place[1]
        near = [marker for marker in markers if abs(marker.y - place) < 0.5]
        edge = max(x for shape in axes.shapes for x, _ in shape.points)
        right = [words for words in axes.words if words.x >= edge]
        beside = min(right, key=lambda w: abs(w.y - place))
        found.append((" ".join(tick.words[0].lines), near[0] if near else None, beside.lines))
    return found


@pytest.mark.parametrize("figure", ["bits_per_byte", "scores"])
def test_scores_and_their_differences_are_drawn_where_they_are(smoke, figure):
    """Rows by benchmark and from start to chat; below, what the same problems say in pairs."""
    drawn = drawing(smoke, figure)
    bits = figure == "bits_per_byte"
    kinds = ("code", "text", "conversations")
    names = [f"bits_per_byte_{kind}" for kind in kinds] if bits else ["gsm8k", "humaneval"]
    labels = {"start": "start (random weights)", "pretrained": "pretrained", "chat": "chat"}
    factor, digits = (1, 3) if bits else (100, 1)
    for panel, models in (("axes_1", MODELS), ("axes_2", MODELS[1:])):
        axes = drawn.inside(panel)
        value = drawn_svg.scale(axes, "x")
        markers = [m for m in axes.markers if not any("tick" in part for part in axes.parts[id(m)])]
        wanted = [(name, model) for name in names for model in models]
        wanted = [one for one in wanted if score(smoke, one[1], one[0])["value"] is not None or panel == "axes_1"]  # fmt: skip
        found = rows(axes, markers)
        assert [label for label, _, _ in found] == [labels[model] for _, model in wanted]
        for (_, marker, words), (name, model) in zip(found, wanted, strict=True):
            whole = score(smoke, model, name)
            if whole["value"] is None:
                assert marker is None and words == ("not", "judged")
                continue
            shown = factor * whole["value"]
            empty = whole["responses"]["empty"]
            if panel == "axes_2":
                shown = factor * difference(smoke, model, name)
                # A star marks what is beyond chance by Holm's correction.
                assert (words[0].rstrip("*"), *words[1:]) == (f"{shown:+.{digits}f}",)
            else:
                assert words == (f"{shown:.{digits}f}", *([f"{empty} empty"] if empty else []))
            assert value(marker.x) == pytest.approx(shown, abs=0.01 * max(1, abs(shown)))


def difference(smoke, model, benchmark):
    """To the start, on the same problems or documents."""
    mine, start = (verdicts(smoke, name, benchmark) for name in (model, "start"))
    assert [line["document"] for line in mine] == [line["document"] for line in start]
    if benchmark.startswith("bits"):
        apart = sum(a["bits"] - b["bits"] for a, b in zip(mine, start, strict=True))
        return apart / sum(line["bytes"] for line in mine)
    right = [sum(line["verdict"] == "passed" for line in lines_) for lines_ in (mine, start)]
    return (right[0] - right[1]) / len(mine)
