"""Read a drawn figure back: its words, lines and markers with their places, from the SVG alone.

Letters are outlines. Their words are taken from the comment that stands before each line of them,
and every outline must stand for the same letter throughout the file, so that a comment cannot say
what is not drawn.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_SVG, _HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


@dataclass(frozen=True)
class Words:
    """One text object: ``lines``, where its first line begins, and its size in the drawing's units."""

    lines: tuple[str, ...]
    x: float
    y: float
    size: float
    colour: str

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Shape:
    """A line or an area: its corners and how it is painted."""

    name: str
    points: tuple[tuple[float, float], ...]
    style: dict[str, str]


@dataclass(frozen=True)
class Marker:
    """A symbol at a place."""

    x: float
    y: float
    style: dict[str, str]


@dataclass
class Drawing:
    """``parts``: the names of the groups that hold each element, outermost first."""

    words: list[Words] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    parts: dict[int, tuple[str, ...]] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)

    def inside(self, part: str) -> "Drawing":
        """What the group of that name holds, as ``axes_1``."""

        def kept(listed):
            return [one for one in listed if part in self.parts[id(one)]]

        lists = [kept(listed) for listed in (self.words, self.shapes, self.markers)]
        return Drawing(*lists, self.parts, self.letters)

    def ticks(self, letter: str) -> list["Drawing"]:
        """The ticks of the axis ``x`` or ``y``, in the order in which they were drawn; what each
        holds is its grid line or mark, and its label."""
        every = [*self.words, *self.shapes, *self.markers]
        named = {part for one in every for part in self.parts[id(one)]}
        ours = [part for part in named if part.startswith(f"{letter}tick_")]
        return [self.inside(part) for part in sorted(ours, key=lambda x: int(x.split("_")[1]))]

    @property
    def place(self) -> tuple[float, float]:
        """Where a tick stands: the foot of its grid line or its mark."""
        if self.shapes:
            return self.shapes[0].points[0]
        return self.markers[0].x, self.markers[0].y

    def said(self, text: str) -> Words:
        """The only text object whose first line begins with ``text``."""
        (found,) = [words for words in self.words if words.lines[0].startswith(text)]
        return found


def _style(element: ET.Element) -> dict[str, str]:
    pairs = (pair.split(":", 1) for pair in element.get("style", "").split(";") if ":" in pair)
    return {key.strip(): value.strip() for key, value in pairs}


def read(path: Path) -> Drawing:
    """The drawing of one file; AssertionError where letters and their comments differ."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    made = Drawing()
    _walk(ET.fromstring(path.read_text(encoding="utf-8"), parser), (), made)
    return made


def _walk(element: ET.Element, parts: tuple[str, ...], made: Drawing) -> None:
    for child in element:
        if child.tag is ET.Comment or child.tag == f"{_SVG}defs":
            continue
        if (name := child.get("id", "")).startswith("text_"):
            words = _words(child, made.letters)
            made.words.append(words)
            made.parts[id(words)] = parts
            continue
        if child.tag == f"{_SVG}path":
            numbers = re.findall(rf"[ML] ({_NUMBER}) ({_NUMBER})|C(?: {_NUMBER}){{4}} ({_NUMBER}) ({_NUMBER})", child.get("d", ""))  # fmt: skip
            points = tuple((float(a or c), float(b or d)) for a, b, c, d in numbers)
            shape = Shape(parts[-1] if parts else "", points, _style(child))
            made.shapes.append(shape)
            made.parts[id(shape)] = parts
        elif child.tag == f"{_SVG}use":
            marker = Marker(float(child.get("x", 0)), float(child.get("y", 0)), _style(child))
            made.markers.append(marker)
            made.parts[id(marker)] = parts
        else:
            _walk(child, (*parts, name) if name else parts, made)


def _words(group: ET.Element, letters: dict[str, str]) -> Words:
    lines, places, said = [], [], None
    for child in group:
        if child.tag is ET.Comment:
            said = child.text.strip()
            continue
        if child.get("id", "").startswith("patch_"):  # the ground behind the letters
            continue
        assert said is not None, "letters without their words"
        glyphs = [use.get(_HREF) for use in child.iter(f"{_SVG}use")]
        if len(glyphs) == len(said):  # else some letters are drawn as one
            for glyph, letter in zip(glyphs, said, strict=True):
                assert letters.setdefault(glyph, letter) == letter, f"'{said}' is not what is drawn"
        else:
            assert not re.search(r"\d", said), f"'{said}': other letters than drawn"
        lines.append(said)
        move = re.search(rf"translate\(({_NUMBER}) ({_NUMBER})\)", child.get("transform", ""))
        scale = re.search(rf"scale\(({_NUMBER})", child.get("transform", ""))
        fill = _style(child).get("fill", "#000000")
        places.append((float(move[1]), float(move[2]), 100 * float(scale[1]), fill))
        said = None
    return Words(tuple(lines), *places[0])


def number(text: str) -> float:
    """A tick's label as a number: ``−0.10``, ``2k``, ``1.5M``."""
    text = text.replace("\N{MINUS SIGN}", "-")
    unit = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1])
    return float(text[:-1]) * unit if unit else float(text)


def scale(axes: Drawing, letter: str) -> Callable[[float], float]:
    """From a place to a value along an axis (``x`` or ``y``), by the axis' own ticks and labels.

    AssertionError where the ticks are not evenly spaced: the axis is not linear.
    """
    found = []
    for tick in axes.ticks(letter):
        if tick.words and tick.words[0].text:
            found.append((tick.place[0 if letter == "x" else 1], number(tick.words[0].text)))
    (first, low), (last, high) = found[0], found[-1]
    slope = (high - low) / (last - first)
    for place, value in found:
        assert abs(low + slope * (place - first) - value) < 1e-3 * abs(high - low), found
    return lambda place: low + slope * (place - first)


def lines_of(panel):
    """{(colour, dashes): percent by turn} of the curves of a panel, by its own ticks."""
    y = {float(tick.words[0].text): tick.place[1] for tick in panel.ticks("y")}
    bottom, top = y[0.0], y[100.0]
    found = {}
    for shape in panel.shapes:
        grid = any("tick" in part for part in panel.parts[id(shape)])
        if "stroke" in shape.style and not grid and shape.name.startswith("line2d") and len(shape.points) > 1:  # fmt: skip
            percent = [100 * (place[1] - bottom) / (top - bottom) for place in shape.points]
            key = shape.style["stroke"], bool(shape.style.get("stroke-dasharray"))
            found.setdefault(key, []).append(percent)
    return found
