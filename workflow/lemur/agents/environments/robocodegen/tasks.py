"""RoboCodeGen's problems: ``derived/robocodegen.json``, made from the notebook of Code as Policies
(Liang et al. 2022, arXiv 2209.07753) with the inputs drawn once; also compressed."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents.environment import Task
from lemur.core.errors import UserError, nearest

FILE = "derived/robocodegen.json"
KEYS = ("name", "signature", "compare", "tests", "reference")
# Problems whose tests all expect the same, so that a constant passes; one test more for each, whose
# answer is another (worked out by hand), in the strict score alone.
MORE: dict[str, dict[str, Any]] = {
    "is_discrete_system_stable": {
        "inputs": [{"array": [[0.5, 0.0], [0.0, 0.25]]}],
        "expected": True,
    },
    "obj_shape_does_not_contain_others": {"inputs": ["block3", ["block0"]], "expected": False},
    "is_obj0_bigger_than_obj1": {"inputs": ["block5", "block0"], "expected": False},
    "are_obj_centers_close": {"inputs": [["block0", "block3"], 0.5], "expected": True},
}


@dataclass(frozen=True)
class Data:
    """The problems, the solved functions that stand before each, and what the programs may ask:
    ``outlines`` are the corners of the objects by name, ``api`` their references."""

    tasks: list[Task]
    prompts: dict[str, str]
    outlines: dict[str, list[list[float]]]
    api: str


def read(folder: Path) -> Data:
    """``UserError`` for a file that is missing or of another schema."""
    path = folder / FILE
    try:
        packed = path.with_name(f"{path.name}.gz")
        text = gzip.decompress(packed.read_bytes()) if packed.is_file() else path.read_bytes()
        value = json.loads(text)
        problems, prompts = value["problems"], value["prompts"]
        outlines = value["api"]["get_obj_outer_pts_np"]
        api = value["reference_api"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: RoboCodeGen's problems are not there") from None
    except (ValueError, TypeError, OSError, EOFError) as error:
        raise UserError(f"{path}: not RoboCodeGen's problems ({error})") from None
    except KeyError as error:
        raise UserError(f"{path}: no key {error}: not RoboCodeGen's problems") from None
    tasks = [_task(f"{path}: problems[{number}]", item) for number, item in enumerate(problems)]
    repeated = {task.id for task in tasks if sum(other.id == task.id for other in tasks) > 1}
    if repeated:
        raise UserError(f"{path}: the problem '{min(repeated)}' stands twice")
    return Data(tasks, prompts, outlines, api)


def choose(prompts: dict[str, str], name: str) -> str:
    """The solved functions called ``name``."""
    if name not in prompts:
        raise UserError(f"RoboCodeGen: prompt '{name}'{nearest(name, prompts)}")
    return prompts[name]


def _task(where: str, item: Any) -> Task:
    missing = [key for key in KEYS if not isinstance(item, dict) or key not in item]
    if missing:
        raise UserError(f"{where}: no key '{missing[0]}' (a problem has {', '.join(KEYS)})")
    if item["compare"] not in ("allclose", "eq", "shape_eq"):
        raise UserError(
            f"{where}: compare is '{item['compare']}'"
            f"{nearest(item['compare'], ('allclose', 'eq', 'shape_eq'))}"
        )
    return Task(item["name"], item)
