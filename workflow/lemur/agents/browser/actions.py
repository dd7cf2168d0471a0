"""What an agent can do in a browser: WebArena's actions on numbered elements of a page.

The grammar is WebArena's (Zhou et al. 2023, arXiv 2307.13854): a verb and arguments in brackets.
Nothing of an answer is evaluated.
"""

import re
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


def block(answer: str) -> str | None:
    """What stands between the first three backticks and the next; None where nothing does."""
    found = BLOCK.search(answer)
    return found.group(1).strip() if found else None


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


def write_action(action: Action) -> str:
    """The text that stands for an action."""
    if action.kind in ("click", "hover", "tab_focus"):
        return f"{action.kind} [{action.element}]"
    if action.kind == "type":
        return f"type [{action.element}] [{action.text}] [{int(action.enter)}]"
    return f"{action.kind} [{action.text}]" if action.text else action.kind
