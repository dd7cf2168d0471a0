"""BFCL's multi-turn tasks as they lie in the wheel ``bfcl-eval``: questions, documents, answers."""

import ast
import copy
import json
from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Task
from lemur.core.errors import UserError, nearest
from lemur.data.row import Row

CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
DOCUMENTS = {
    "GorillaFileSystem": "gorilla_file_system", "MathAPI": "math_api", "MessageAPI": "message_api",
    "TwitterAPI": "posting_api", "TicketAPI": "ticket_api", "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking", "VehicleControlAPI": "vehicle_control",
}  # fmt: skip
HINT = " Note that the provided function is in Python 3 syntax."
KEYS = ("id", "question", "initial_config", "involved_classes")


def read(folder: Path, categories: Sequence[str]) -> list[Task]:
    """The tasks of ``categories`` in their files' order. ``UserError`` for files of another schema."""
    found = []
    documents: dict[str, list[Row]] = {}
    for category in categories:
        if category not in CATEGORIES:
            raise UserError(f"BFCL: category '{category}'{nearest(category, CATEGORIES)}")
        name = f"BFCL_v4_multi_turn_{category}.json"
        answers = {
            line["id"]: line["ground_truth"] for line in _lines(folder / "possible_answer" / name)
        }
        for number, entry in enumerate(_lines(folder / name), 1):
            missing = [key for key in KEYS if key not in entry]
            if missing or entry["id"] not in answers:
                what = f"no key '{missing[0]}'" if missing else f"no answer of '{entry['id']}'"
                raise UserError(f"{folder / name}, line {number}: {what}")
            for kind in entry["involved_classes"]:
                if kind not in DOCUMENTS:
                    raise UserError(
                        f"{folder / name}, line {number}: class '{kind}'{nearest(kind, DOCUMENTS)}"
                    )
                if kind not in documents:
                    path = folder / "multi_turn_func_doc" / f"{DOCUMENTS[kind]}.json"
                    documents[kind] = _lines(path)
            found.append(_task(entry, answers[entry["id"]], documents))
    return found


def _task(entry: Row, gold: list[list[str]], documents: dict[str, list[Row]]) -> Task:
    offered = [
        copy.deepcopy(document)
        for kind in entry["involved_classes"]
        for document in documents[kind]
    ]
    for function in offered:
        function["description"] += HINT
    later = {}
    for turn, names in entry.get("missed_function", {}).items():
        later[turn] = [
            function for name in names for function in offered if function["name"] == name
        ]
        offered = [function for function in offered if function["name"] not in names]
    data = {
        "entry": {key: entry[key] for key in ("id", "initial_config", "involved_classes")},
        "question": entry["question"],
        "functions": offered,
        "later": later,
        "gold": gold,
    }
    return Task(entry["id"], data)


def by_name(call: str, functions: Sequence[Row]) -> str:
    """A call of a reference with its arguments named: BFCL reads no others from an answer."""
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)
    names: list[str] = []
    for function in functions:
        if function["name"] == tree.func.id:
            names = list(function["parameters"]["properties"])
    given = [f"{name}={ast.unparse(value)}" for name, value in zip(names, tree.args, strict=False)]
    given += [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in tree.keywords]
    return f"{tree.func.id}({', '.join(given)})"


def _lines(path: Path) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: BFCL's data are not whole") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(value, dict):
            raise UserError(f"{path}, line {number}: not an object")
        found.append(value)
    return found
