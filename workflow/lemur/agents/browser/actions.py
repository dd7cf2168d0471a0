"""What an agent can do in a browser: WebArena's actions on numbered elements of a page.

The grammar is WebArena's (Zhou et al. 2023, arXiv 2307.13854): a verb and arguments in brackets.
Nothing of an answer is evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 2000  # characters of an argument: a longer one is no action
BLOCK = re.compile(r"```(.*?)```", re.DOTALL)
NUMBERED = {
    "click": re.compile(r"click ?\[(\d{1,6})\]"),
    "hover": re.compile(r"hover ?\[(\d{1,6})\]"),
    "tab_focus": re.compile(r"tab_focus ?\[(\d{1,6})\]"),
}
TEXTUAL = {
    "press": re.compile(r"press ?\[(.+)\]", re.DOTALL),
    "goto": re.compile(r"goto ?\[(.+)\]", re.DOTALL),
    "scroll": re.compile(r"scroll ?\[?(up|down)\]?"),
}
PLAIN = ("new_tab", "close_tab", "go_back", "go_forward")
TYPE = re.compile(r"type ?\[(\d{1,6})\] ?\[(.+)\] ?\[(\d)\]", re.DOTALL)
STOP = re.compile(r"stop ?\[(.*)\]", re.DOTALL)
KINDS = (*NUMBERED, "type", *TEXTUAL, *PLAIN, "stop")


@dataclass(frozen=True)
class Action:
    """``kind`` is one of ``KINDS``; ``element`` the number of an element, or of a tab; ``text`` what is
    typed, pressed or answered, an address or a direction; ``enter``: the key is pressed after typing."""

    kind: str
    element: int | None = None
    text: str = ""
    enter: bool = False


def parse(answer: str) -> Action | None:
    """The first action between three backticks; None where there is none or it is not well formed."""
    found = BLOCK.search(answer)
    return parse_action(found.group(1).strip()) if found else None


def parse_action(text: str) -> Action | None:
    """The action that ``text`` is, or None. A number that is missing after what is typed means that
    the Enter key is pressed."""
    if not text or len(text) > 2 * LONGEST:
        return None
    verb = text.split("[")[0].strip() if "[" in text else text.split()[0].strip()
    if verb in PLAIN:
        return Action(verb)
    if verb in NUMBERED:
        found = NUMBERED[verb].search(text)
        return Action(verb, int(found.group(1))) if found else None
    if verb == "type":
        found = TYPE.search(text if text.endswith(("[0]", "[1]")) else f"{text} [1]")
        if found is None or len(found.group(2)) > LONGEST:
            return None
        return Action("type", int(found.group(1)), found.group(2), found.group(3) == "1")
    if verb == "stop":
        found = STOP.search(text)
        return Action("stop", text=found.group(1)[:LONGEST] if found else "")
    if verb.startswith("scroll"):
        verb = "scroll"
    if verb not in TEXTUAL:
        return None
    found = TEXTUAL[verb].search(text)
    if found is None or len(found.group(1)) > LONGEST:
        return None
    return Action(verb, text=found.group(1).strip())


def describe(action: Action | None, elements: Mapping[int, str]) -> str:
    """How an action is named to the model as its previous one. ``elements``: the line of each number
    of the page on which it was taken."""
    if action is None:
        return (
            "None: your last answer held no action that can be read. Put one action between three"
            " backticks and each of its arguments in brackets: ```action [argument] ...```"
        )
    if action.kind in ("click", "hover", "type"):
        said = f"{action.kind} [{action.element}]"
        if action.kind == "type":
            said += f" [{action.text}]"
        line = elements.get(action.element or 0)
        if line is None:
            return f"{said}, but the page has no element [{action.element}]"
        return f"{said} where [{action.element}] is {line}"
    if action.kind == "tab_focus":
        return f"tab_focus [{action.element}]"
    return f"{action.kind} [{action.text}]" if action.text else action.kind
