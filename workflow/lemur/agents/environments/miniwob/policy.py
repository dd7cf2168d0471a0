"""Known ways to solve the simple games: from what is asked and seen to an answer."""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LINE = re.compile(
    r"""^\t*\[(\d+)\] (\w+) ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(.*)$""", re.MULTILINE
)
QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class Seen:
    """One element of a page."""

    number: int
    role: str
    name: str
    rest: str


def read(observation: str) -> tuple[str, list[Seen]]:
    """The objective and the elements of what a model is shown."""
    tree, _, objective = observation.rpartition("\nOBJECTIVE: ")
    found = [
        Seen(int(number), role, str(ast.literal_eval(name)), rest)
        for number, role, name, rest in LINE.findall(tree)
    ]
    return objective, found


def find(seen: Sequence[Seen], role: str, name: str | None = None) -> Seen:
    """The first element of a role and a name, with the blanks around it where one has them;
    ``LookupError`` where there is none."""
    of_role = [element for element in seen if element.role == role]
    named = [element for element in of_role if element.name == name]
    named = named or [element for element in of_role if name in (None, element.name.strip())]
    if not named:
        raise LookupError(f"no {role} '{name}'")
    return named[0]


def click(element: Seen) -> str:
    return f"click [{element.number}]"


def enter(element: Seen, text: str) -> str:
    return f"type [{element.number}] [{text}] [0]"


def _button(asked: str, seen: Sequence[Seen], turn: int) -> str:
    return click(find(seen, "button", QUOTED.findall(asked)[0]))


def _any_button(asked: str, seen: Sequence[Seen], turn: int) -> str:
    return click(find(seen, "button"))


def _link(asked: str, seen: Sequence[Seen], turn: int) -> str:
    """Links of these games have no address: the tree has their texts, each apart."""
    return click(find(seen, "StaticText", QUOTED.findall(asked)[0]))


def _focus(asked: str, seen: Sequence[Seen], turn: int) -> str:
    """The first field, or the one that the text counts."""
    count = re.search(r"(\d+)(?:st|nd|rd|th)", asked)
    fields = [element for element in seen if element.role == "textbox"]
    return click(fields[int(count.group(1)) - 1 if count else 0])


def _text(asked: str, seen: Sequence[Seen], turn: int) -> str:
    if turn == 0:
        return enter(find(seen, "textbox"), QUOTED.findall(asked)[0])
    return click(find(seen, "button"))


def _fields(asked: str, seen: Sequence[Seen], turn: int) -> str:
    """Two fields, one after the other: the quoted texts, the last one twice where it is alone."""
    texts, fields = (
        QUOTED.findall(asked),
        [element for element in seen if element.role == "textbox"],
    )
    if turn < len(fields):
        return enter(fields[turn], texts[min(turn, len(texts) - 1)])
    return click(find(seen, "button"))


def _checkboxes(asked: str, seen: Sequence[Seen], turn: int) -> str:
    wanted = [] if "nothing" in asked else asked.removeprefix("Select ").rsplit(" and click", 1)[0]
    names = wanted.split(", ") if isinstance(wanted, str) else []
    if turn < len(names):
        return click(find(seen, "checkbox", names[turn]))
    return click(find(seen, "button", "Submit"))


def _option(asked: str, seen: Sequence[Seen], turn: int) -> str:
    if turn == 0:
        return click(find(seen, "radio", asked.removeprefix("Select ").rsplit(" and click", 1)[0]))
    return click(find(seen, "button", "Submit"))


def _list(asked: str, seen: Sequence[Seen], turn: int) -> str:
    if turn == 0:
        name = asked.removeprefix("Select ").rsplit(" from the list", 1)[0]
        return click(find(seen, "option", name))
    return click(find(seen, "button", "Submit"))


Way = Callable[[str, Sequence[Seen], int], str]
WAYS: dict[str, Way] = {
    "click-button": _button,
    "click-checkboxes": _checkboxes,
    "click-link": _link,
    "click-option": _option,
    "click-test": _any_button,
    "choose-list": _list,
    "enter-password": _fields,
    "enter-text": _text,
    "focus-text": _focus,
    "focus-text-2": _focus,
    "login-user": _fields,
}


def answer(game: str, observation: str, turn: int) -> str | None:
    """What solves the game next; None where no way is known or the page is not as expected."""
    if game not in WAYS:
        return None
    asked, seen = read(observation)
    try:
        action = WAYS[game](asked, seen, turn)
    except (LookupError, ValueError):
        return None
    return f"In summary, the next action I will perform is ```{action}```"
