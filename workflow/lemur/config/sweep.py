"""Sweeps: config/sweeps/<name>.yaml expands to named recipes before any DAG is built.

A point's name is a recipe's name wherever one is asked for: ``--config recipe=ratio-3``.
"""

from pathlib import Path
from typing import Any

from lemur.config import load, schema
from lemur.errors import UserError


def read(name: str) -> dict[str, Any]:
    """A sweep, validated; ``UserError`` for one that is not there and for a name that is taken."""
    path = load.named_file("sweeps", name, "sweep")
    value = load.read_yaml(path)
    schema.check(value, "sweep", load.shown(path))
    for point in value["values"]:
        if (load.CONFIG / "recipes" / f"{point}.yaml").exists():
            raise UserError(f"{load.shown(path)}: values.{point}: a recipe has that name already")
    return value


def points(folder: Path) -> dict[str, str]:
    """{point: sweep} of every sweep in ``folder``; ``UserError`` for a point of two of them."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for point in read(path.stem)["values"]:
            if point in found:
                raise UserError(
                    f"{load.shown(path)}: values.{point}: sweep '{found[point]}' has that name too"
                )
            found[point] = path.stem
    return found


def recipe_of(point: str) -> dict[str, Any] | None:
    """The raw recipe of a sweep's point, None where no sweep has one of that name."""
    sweep = points(load.CONFIG / "sweeps").get(point)
    if sweep is None:
        return None
    value = read(sweep)
    recipe = load.with_values(
        load.raw_recipe(value["recipe"]), {value["key"]: value["values"][point]}
    )
    marks = recipe.setdefault("provenance", {})
    marks[value["key"]] = {"mark": "ours", "source": f"a point of the sweep {sweep}"}
    return recipe


def shown(name: str) -> str:
    """What a sweep compares and what it holds constant, in two lines."""
    value = read(name)
    listed = ", ".join(f"{point} ({one})" for point, one in value["values"].items())
    return f"sweep {name}: {value['key']} over {listed}\n  constant: {value['constant']}"
