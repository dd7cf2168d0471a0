"""WebArena's 812 tasks (Zhou et al. 2023, arXiv 2307.13854) as ``test.raw.json`` has them."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents.environment import Task
from lemur.core.errors import UserError, nearest

PATH = "config_files/test.raw.json"
KEYS = {"sites": list, "task_id": int, "start_url": str, "intent": str, "eval": dict}
EVALUATORS = ("string_match", "url_match", "program_html")
APPROACHES = {"exact_match": str, "must_include": list, "fuzzy_match": (str, list)}
HELPERS = (
    "shopping_get_latest_order_url", "shopping_get_sku_latest_review_author",
    "shopping_get_sku_latest_review_rating", "reddit_get_post_url", "gitlab_get_project_memeber_role",
)  # fmt: skip
OR, AND = " |OR| ", " |AND| "
VARIANTS = ("lemur", "original")
# What the fork by which the paper was evaluated (OpenLemur/webarena) writes otherwise in two tasks.
WORDS = {"competitive swimwear": "competative swimwear"}


@dataclass(frozen=True)
class Call:
    """A helper that a task's file calls, with its literal arguments; the page and the last address
    stand as ``__page__`` and ``__last_url__``."""

    name: str
    arguments: tuple[str, ...]


def read_tasks(data: Path, variant: str) -> list[Task]:
    """The tasks in the order of their file, as one of ``VARIANTS`` has them.

    Raises:
        UserError: no such variant or file, or one of another schema; names the task and the key.
    """
    if variant not in VARIANTS:
        raise UserError(f"webarena: variant '{variant}'{nearest(variant, VARIANTS)}")
    path = data / PATH
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: WebArena's tasks are not there") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})") from None
    if not isinstance(found, list):
        raise UserError(f"{path}: not a list of tasks")
    tasks = []
    for number, item in enumerate(found):
        where = f"{path}: [{number}]"
        _need(item, KEYS, where)
        _check(item["eval"], f"{where}.eval")
        tasks.append(Task(str(item["task_id"]), as_fork(item) if variant == "lemur" else item))
    return tasks


def as_fork(item: dict[str, Any]) -> dict[str, Any]:
    """A task as Lemur's fork has it: an impossible one is solved by "N/A" alone, which no model has to
    judge, and a category is spelled otherwise."""
    evaluation = item["eval"]
    if (evaluation.get("reference_answers") or {}).get("fuzzy_match") == "N/A":
        evaluation = {**evaluation, "reference_answers": {"exact_match": "N/A"}}
    intent = item["intent"]
    for known, written in WORDS.items():
        intent = intent.replace(known, written)
    return {**item, "intent": intent, "eval": evaluation}


def read_call(text: str) -> Call:
    """``name('a', 'b')`` without evaluating it; ``ValueError`` for anything else."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError):
        raise ValueError("not a call") from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.keywords:
        raise ValueError("not a call")
    arguments = [
        arg.id if isinstance(arg, ast.Name) else str(ast.literal_eval(arg)) for arg in tree.args
    ]
    if tree.func.id not in HELPERS:
        raise ValueError(f"no helper '{tree.func.id}'")
    return Call(tree.func.id, tuple(arguments))


def judged_by_model(evaluation: Mapping[str, Any]) -> bool:
    """Whether a model has to say if an answer is right."""
    return "string_match" in evaluation["eval_types"] and "fuzzy_match" in (
        evaluation["reference_answers"] or {}
    )


def _need(item: Any, keys: Mapping[str, Any], where: str) -> None:
    if not isinstance(item, dict):
        raise UserError(f"{where}: not an object")
    for key, kind in keys.items():
        if not isinstance(item.get(key), kind):
            raise UserError(f"{where}: no '{key}' of the kind that WebArena's tasks have")


def _check(evaluation: Any, where: str) -> None:
    _need(evaluation, {"eval_types": list}, where)
    for kind in evaluation["eval_types"]:
        if kind not in EVALUATORS:
            raise UserError(f"{where}.eval_types: '{kind}' is none of {', '.join(EVALUATORS)}")
    if "string_match" in evaluation["eval_types"]:
        _need(evaluation, {"reference_answers": dict}, where)
        for approach, value in evaluation["reference_answers"].items():
            if approach not in APPROACHES or not isinstance(value, APPROACHES[approach]):
                raise UserError(
                    f"{where}.reference_answers: '{approach}' is not known in this form"
                )
    if "url_match" in evaluation["eval_types"]:
        _need(evaluation, {"reference_url": str}, where)
        if (rule := evaluation.get("url_note", "GOLD in PRED")) != "GOLD in PRED":
            raise UserError(f"{where}.url_note: '{rule}' is not 'GOLD in PRED'")
    if "program_html" in evaluation["eval_types"]:
        _need(evaluation, {"program_html": list}, where)
        for number, target in enumerate(evaluation["program_html"]):
            _check_target(target, f"{where}.program_html[{number}]")


def _check_target(target: Any, where: str) -> None:
    _need(target, {"url": str, "locator": str, "required_contents": dict}, where)
    wanted = target["required_contents"]
    if not isinstance(wanted.get("exact_match"), str) and not isinstance(
        wanted.get("must_include"), list
    ):
        raise UserError(f"{where}.required_contents: neither exact_match nor must_include")
    locator = target["locator"]
    if locator.strip() and not locator.startswith(("document.", "[...document.", "func:")):
        raise UserError(f"{where}.locator: '{locator[:60]}' is no script and no helper")
    for key in ("url", "locator"):
        if target[key].startswith("func:"):
            try:
                read_call(target[key].removeprefix("func:"))
            except ValueError as error:
                raise UserError(f"{where}.{key}: {error}") from None
