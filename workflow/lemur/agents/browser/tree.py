"""A page's accessibility tree as a model reads it: one numbered line an element.

As WebArena writes it: role, name and properties, indented by depth; what is not in the viewport, or
says nothing, is left out. Elements are numbered in the order of the page, from 1: the browser's own
numbers, which WebArena shows, differ from run to run.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHARE = 0.6  # of an element that must be in the viewport
LONGEST = 400_000  # characters of a tree; protocols cut far below
HIDDEN_PROPERTIES = {
    "focusable", "editable", "readonly", "level", "settable", "multiline", "invalid", "url"
}  # fmt: skip
# Roles that say nothing without a name.
SILENT = {
    "generic", "img", "list", "strong", "paragraph", "banner", "navigation", "Section", "LabelText",
    "Legend", "listitem", "none", "LineBreak", "MenuListPopup",
}  # fmt: skip
NEVER = {"InlineTextBox"}  # pieces of a text that stands whole above them
BOXLESS = {"MenuListPopup", "option"}  # of a closed list: they are where the list is
TEXT = re.compile(r"\[\d+\] StaticText (.+)", re.DOTALL)

Box = tuple[float, float, float, float]  # left, top, width, height in the viewport's pixels


@dataclass(frozen=True)
class Element:
    """What stands behind a number: the browser's number of its node, its place, role and line."""

    node: int
    box: Box
    role: str
    line: str


def share_in_view(box: Box, width: float, height: float) -> float:
    """How much of a box is in a viewport, from 0 to 1; 0 for a box without area."""
    left, top, wide, high = box
    if wide <= 0 or high <= 0:
        return 0.0
    across = max(0.0, min(left + wide, width) - max(left, 0.0))
    down = max(0.0, min(top + high, height) - max(top, 0.0))
    return across * down / (wide * high)


def render(
    nodes: Sequence[Mapping[str, Any]],
    boxes: Mapping[int, Box],
    width: float,
    height: float,
    repeats: bool = False,
) -> tuple[str, dict[int, Element]]:
    """The tree's text and its elements by number.

    Args:
        nodes: of the Chrome DevTools Protocol's ``Accessibility.getFullAXTree``.
        boxes: by backend number of a node; nodes that are not drawn have none.
        width: of the viewport; ``height`` likewise.
        repeats: keep texts that stand in a line above, where that is not the element that they are in.
            WebArena leaves out such texts, and with them what an agent may want to click on.
    """
    by_id = {node["nodeId"]: node for node in nodes}
    lines: list[str] = []
    elements: dict[int, Element] = {}
    if not nodes:
        return "", elements
    todo: list[tuple[str, int, Box | None, str]] = [(nodes[0]["nodeId"], 0, None, "")]
    seen: set[str] = set()
    size = 0
    while todo and size < LONGEST:
        name, depth, above, inside = todo.pop()
        node = by_id.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        role = str(node.get("role", {}).get("value", ""))
        box = boxes.get(node.get("backendDOMNodeId", 0))
        if box is None and role in BOXLESS:
            box = above
        line = _line(node, role)
        if role == "RootWebArea":
            box = (0.0, 0.0, float(width), float(height))
        if repeats and line == f"StaticText {inside}":
            line = ""
        if line and box is not None and share_in_view(box, width, height) >= SHARE:
            number = len(elements) + 1
            elements[number] = Element(node.get("backendDOMNodeId", 0), box, role, line)
            lines.append("\t" * depth + f"[{number}] {line}")
            size += len(lines[-1])
            depth, inside = depth + 1, repr(str(node.get("name", {}).get("value", "")))
        todo += [(child, depth, box, inside) for child in reversed(node.get("childIds", ()))]
    return "\n".join(lines if repeats else _without_repeats(lines)), elements


def _line(node: Mapping[str, Any], role: str) -> str:
    """Role, name and properties; empty for a node that says nothing."""
    if node.get("ignored") or not role or role in NEVER:
        return ""
    name = str(node.get("name", {}).get("value", ""))
    found = [
        f"{property['name']}: {property['value']['value']}"
        for property in node.get("properties", ())
        if property["name"] not in HIDDEN_PROPERTIES and "value" in property["value"]
    ]
    if not name.strip() and (role == "listitem" or (role in SILENT and not found)):
        return ""
    return " ".join([role, repr(name), *found])


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """Without texts that one of the three lines above holds already."""
    kept: list[str] = []
    for line in lines:
        found = TEXT.search(line)
        if found is not None:
            text = found.group(1)[1:-1]
            if not text.strip() or any(text in above for above in kept[-3:]):
                continue
        kept.append(line)
    return kept
