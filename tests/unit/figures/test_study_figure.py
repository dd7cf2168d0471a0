"""A study's figure, drawn by its script and read back from the SVG."""

import json
import subprocess
import sys

import drawn_svg
import pytest
from lemur.core.provenance import ROOT
from lemur.figures import svg

SHARES = [0.0, 0.5, 10 / 11, 1.0]


def contrast(mean):
    return {"mean": mean, "band_low": [x - 0.02 for x in mean], "band_high": [x + 0.02 for x in mean],
            "low": [x - 0.01 for x in mean], "high": [x + 0.01 for x in mean],
            **dict.fromkeys(("error", "p", "holm", "smallest"), [0.0] * len(mean))}  # fmt: skip


def measured(against, base_less, best):
    values = [1.5 + x for x in against]
    return {
        "values": values, "base": 1.5, "against_reference": contrast(against),
        "against_base": contrast(base_less), "controls": [], "of_seeds": [values], "documents": 9,
        "bytes": 900, "over_tokens": None,
        "law": {"name": "exponential", "source": "a paper", "left_out_error": {}, "line": [1.5] * 201, "left_out": [x + 0.01 for x in values],
                "best": {"share": best, "low": best - 0.1, "high": min(1, best + 0.1),
                         "edge": 1.0 if best > 0.9 else None}},
    }  # fmt: skip


ANALYSIS = {
    "study": "made", "description": "Which share?", "shares": SHARES, "reference": SHARES[2],
    "primary": "actions", "equal": 0.005, "seeds": 3, "verdict": "Nothing is decided.",
    "published": {"CMR": [0.30, 0.48]}, "over_sizes": None, "hypotheses": [],
    "sizes": ["1m", "3m"], "measures": ["code", "text", "actions"],
    "bases": {
        name: {
            "millions": millions,
            "seeds": 3,
            "measures": {
                "code": measured([0.3, 0.1, 0.0, -0.01], [0.1, -0.1, -0.2, -0.21], 0.95),
                "text": measured([-0.1, -0.05, 0.0, 0.06], [-0.02, 0.03, 0.08, 0.14], 0.2),
                "actions": measured([0.1, -0.02, 0.0, 0.04], [0.1, -0.02, 0.0, 0.04], best),
            },
        }
        for name, millions, best in (("1m", 1.1, 0.6), ("3m", 3.5, 0.5))
    },
}  # fmt: skip


@pytest.fixture
def drawn(spec, tmp_path):
    source = tmp_path / "analysis.json"
    source.write_text(json.dumps(ANALYSIS, sort_keys=True))  # as it is written
    found = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.svg"
        script = str(ROOT / "scripts" / "8_figures" / "study.py")
        given = ["--spec", json.dumps(spec("study")), "--analysis", str(source), "--out", str(out)]
        done = subprocess.run([sys.executable, script, *given], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(out)
    assert found[0].read_bytes() == found[1].read_bytes()
    return found[0]


def test_what_is_drawn_are_the_numbers(drawn):
    drawing = drawn_svg.read(drawn)
    words = [text.text for text in drawing.words]
    for title in ("A  Difference to the dotted share\ncode", "actions (primary)", "B  Gain against forgetting",
                  "C  Best share of code, by actions", "D  Predicted against measured"):  # fmt: skip
        assert title in words
    assert "1m (1.1M)" in words and "CMR" in words
    title, described = svg.texts(drawn.read_text())
    assert title == "Study made" and described.endswith("Nothing is decided.")
    # Panel A, code, base 1m: four markers rise and fall as the differences do; zero at 10:1.
    axes = drawing.inside("axes_1")
    first = [m for m in axes.markers if m.x and "#0072b2" in m.style.get("fill", "")][:4]
    heights = [m.y for m in first]  # downwards
    assert heights[0] < heights[1] < heights[2] < heights[3]
    scale = (heights[2] - heights[0]) / 0.3
    assert heights[2] - heights[1] == pytest.approx(0.1 * scale, rel=1e-3)
    places = [m.x for m in first]
    assert (places[1] - places[0]) / (places[3] - places[0]) == pytest.approx(0.5, abs=1e-3)
    assert (places[2] - places[0]) / (places[3] - places[0]) == pytest.approx(10 / 11, abs=1e-3)


def test_the_best_shares_stand_at_their_place(drawn):
    """Panel C: a share of 0.6 and one of 0.5, and the published range."""
    axes = drawn_svg.read(drawn).inside("axes_5")
    colours = {"#0072b2": 0.6, "#d55e00": 0.5}
    places = {colour: m.x for colour in colours for m in axes.markers if colour in m.style.get("fill", "")}  # fmt: skip
    ticks = {tick.words[0].text: tick.place[0] for tick in axes.ticks("x")}
    width = ticks["1.0"] - ticks["0.0"]
    for colour, share in colours.items():
        assert (places[colour] - ticks["0.0"]) / width == pytest.approx(share, abs=2e-3)
