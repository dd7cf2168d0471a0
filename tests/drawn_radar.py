"""Read a drawn radar back: the values of its series, from its own rings and spokes."""

import math

import drawn_svg
import pytest


class Radar:
    """A drawn radar: its scale is that of its own rings and spokes."""

    def __init__(self, path):
        self.drawing = drawn_svg.read(path)
        axes = self.drawing.inside("axes_1")
        self.spokes = [tick.shapes[0].points for tick in axes.ticks("x")]
        self.centre = self.spokes[0][0]
        self.reach = math.dist(*self.spokes[0])
        rings = {float(r.words[0].text): r.shapes[0].points for r in axes.ticks("y")}
        self.top = max(rings)
        for ring, points in rings.items():  # the rings are where their numbers say
            assert math.dist(points[0], self.centre) / self.reach * self.top == pytest.approx(ring, abs=0.01)  # fmt: skip
        self.axes = axes

    def value(self, point):
        return math.dist(point, self.centre) / self.reach * self.top

    def spoke(self, point):
        """The number of the spoke that a point lies on."""
        angle = math.atan2(point[1] - self.centre[1], point[0] - self.centre[0])
        turns = [math.atan2(e[1] - self.centre[1], e[0] - self.centre[0]) for _, e in self.spokes]
        apart = [abs(math.remainder(angle - turn, 2 * math.pi)) for turn in turns]
        assert min(apart) < 1e-3
        return apart.index(min(apart))

    def label(self, spoke):
        """The words that stand nearest to a spoke's end."""
        _, end = self.spokes[spoke]
        near = [words for words in self.axes.words if not words.text.isdigit()]
        return min(near, key=lambda words: self._apart(words, end))

    def _apart(self, words, end):
        width = max(map(len, words.lines)) * words.size * 0.55
        x = min(max(end[0], words.x), words.x + width)
        middle = words.y + (len(words.lines) - 2) * words.size * 0.6
        return math.dist((x, middle), end)

    def series(self):
        """{name in the legend: values by spoke}, by the colour of its line."""
        legend = self.drawing.inside("legend_1")
        colours = {}
        for words in legend.words:
            left = [s for s in legend.shapes if "stroke" in s.style and s.points[-1][0] < words.x]
            line = min(left, key=lambda s: abs(s.points[0][1] - words.y) + words.x - s.points[-1][0])  # fmt: skip
            colours[line.style["stroke"]] = words.text
        found = {}
        for shape in self.axes.shapes:
            name = colours.get(shape.style.get("stroke"))
            if name and len(shape.points) == len(self.spokes) + 1 and shape.name.startswith("line2d"):  # fmt: skip
                assert name not in found and shape.points[0] == shape.points[-1]
                assert [self.spoke(point) for point in shape.points[:-1]] == list(range(len(self.spokes)))  # fmt: skip
                found[name] = [self.value(point) for point in shape.points[:-1]]
        return found, {name: colour for colour, name in colours.items()}

    def shaded(self):
        """The colour and the values of the only shaded polygon."""
        (area,) = [s for s in self.axes.shapes if s.style.get("opacity") == "0.1"]
        return area.style["fill"], [self.value(point) for point in area.points]
