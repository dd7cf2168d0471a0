"""Runs functions over numbers and shapes on given inputs, and in a process of its own compares.

A process that has run a model's program is never asked to compare: what it gave travels as plain
data to another one, which holds what is expected.
"""

import os
import sys

sys.path.insert(0, "/judge")
sys.path.insert(1, "/site")

import numpy as np
import shapely
import wire
from confine import confine
from shapely.geometry import LinearRing, LineString, Polygon

LIMIT = 1 << 20  # bytes of all results together
SHAPES = {"polygon": Polygon, "linestring": LineString, "linearring": LinearRing}
HEAD = "import numpy as np\nfrom shapely.geometry import *\nfrom shapely.affinity import *\n"
TOLERANCE = 0.01  # of an area: circles are polygons of more or fewer corners


def decode(form):
    """A value from the form in which the problems' file and ``encode`` write it."""
    if isinstance(form, list):
        return [decode(item) for item in form]
    if not isinstance(form, dict):
        return form
    ((tag, inner),) = form.items()
    if tag == "array":
        return np.array(inner)
    if tag == "tuple":
        return tuple(decode(item) for item in inner)
    if tag == "wkb":
        return shapely.from_wkb(bytes.fromhex(inner))
    return SHAPES[tag](inner)


def encode(value):
    """The form of a result. ``TypeError`` for what is neither a number, a text nor a shape."""
    if isinstance(value, LinearRing):
        return {"linearring": [list(point) for point in value.coords]}
    if isinstance(value, shapely.Geometry):
        return {"wkb": shapely.to_wkb(value, hex=True)}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return {"array": encode(value.tolist())}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"a result of type {type(value).__name__}")


def names(outlines):
    """What a program finds defined, as the notebook defines it."""
    found = {"__name__": "__judged__"}
    exec(HEAD, found)  # noqa: S102 - constant
    found["get_obj_outer_pts_np"] = lambda name: np.array(outlines[name])
    found["exec"] = found["eval"] = lambda *given, **named: None
    return found


def run(request):
    """For each of the inputs {"value": ...} or {"error": text}; {"error": text} alone where the
    functions cannot be defined."""
    found = names(request["outlines"])
    np.random.seed(0)
    try:
        for program in request["programs"]:
            exec(compile(program, "<program>", "exec"), found)  # noqa: S102 - its purpose
        function = found[request["name"]]
    except BaseException as error:
        return {"error": line(error)}
    results = []
    for given in request["inputs"]:
        try:
            form = {"value": encode(function(*decode(given)))}
            wire.dumps(form)
        except BaseException as error:
            form = {"error": line(error)}
        results.append(form)
    return {"results": results}


def line(error):
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except BaseException:
        return type(error).__name__


def alike(kind, expected, got):
    """(as the notebook compares, with its faults repaired)."""
    expected, got = decode(expected), decode(got)
    if kind == "allclose":
        near = bool(np.allclose(expected, got))
        return near, near and np.shape(expected) == np.shape(got)
    if kind == "shape_eq":
        union = expected.union(got).area
        paper = bool(np.allclose(union, expected.area, got.area))  # an area as relative tolerance
        differs = expected.symmetric_difference(got).area
        return paper, paper and bool(differs <= TOLERANCE * expected.area)
    same = bool(expected == got)
    return same, same


def compare(request):
    """For each (kind, expected, got) whether they are alike, in both ways."""
    found = []
    for kind, expected, got in request["pairs"]:
        try:
            found.append(alike(kind, expected, got))
        except Exception:  # shapes that do not fit, a text where a number is wanted
            found.append((False, False))
    return {"alike": found}


def main():
    channel = int(os.environ["LEMUR_CHANNEL"])
    confine(wire.receive(channel))
    try:
        wire.serve(channel, lambda asked: compare(asked) if "pairs" in asked else run(asked), LIMIT)
    except wire.Closed:
        return


main()
