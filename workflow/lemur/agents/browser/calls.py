"""WebArena's actions as calls of functions, as Lemur's fork has models write them: ``click(12)``.

The fork evaluates what a model says. Here a call is read, its arguments are literals, and nothing runs.
"""

import ast
from typing import Any

from lemur.agents.browser.actions import LONGEST, Action

# Arguments by name, in their order; those with a value may be left out.
SIGNATURES: dict[str, dict[str, Any]] = {
    "click": {"id": int},
    "hover": {"id": int},
    "type": {"id": int, "content": str, "press_enter_after": True},
    "press": {"key_comb": str},
    "scroll": {"direction": str},
    "tab_focus": {"tab_index": int},
    "goto": {"url": str},
    "stop": {"answer": ""},
    "new_tab": {},
    "close_tab": {},
    "go_back": {},
    "go_forward": {},
}


def parse_call(text: str) -> Action | None:
    """The action that a call stands for; None for anything else."""
    if len(text) > 2 * LONGEST:
        return None
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            return None
        given = _arguments(tree, SIGNATURES[tree.func.id])
    except (SyntaxError, ValueError, KeyError, RecursionError, MemoryError):
        return None
    return _action(tree.func.id, given)


def write_call(action: Action) -> str:
    """The call that stands for an action."""
    given: list[Any] = []
    if action.element is not None:
        given.append(action.element)
    if action.kind in ("type", "press", "scroll", "goto", "stop"):
        given.append(action.text)
    if action.kind == "type":
        given.append(action.enter)
    return f"{action.kind}({', '.join(map(repr, given))})"


def _arguments(call: ast.Call, signature: dict[str, Any]) -> dict[str, Any]:
    """Each argument by its name; ``ValueError`` for one too many, too few, unknown or no literal."""
    if len(call.args) > len(signature):
        raise ValueError("too many arguments")
    given = dict(zip(signature, map(ast.literal_eval, call.args), strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg not in signature or keyword.arg in given:
            raise ValueError("no such argument")
        given[keyword.arg] = ast.literal_eval(keyword.value)
    for name, wanted in signature.items():
        if isinstance(wanted, type):
            if type(given.get(name)) is not wanted:
                raise ValueError(f"no {name}")
        else:
            given.setdefault(name, wanted)
    return given


def _action(kind: str, given: dict[str, Any]) -> Action | None:
    element = given.get("id", given.get("tab_index"))
    if element is not None and not 0 <= element < 1_000_000:
        return None
    names = ("content", "key_comb", "direction", "url", "answer")
    text = next((str(given[name]) for name in names if name in given), "")
    if len(text) > LONGEST or (kind == "scroll" and text not in ("up", "down")):
        return None
    if kind in ("type", "press", "goto") and not text:
        return None
    return Action(kind, element, text, bool(given.get("press_enter_after", False)))
