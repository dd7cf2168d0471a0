"""What a model reads on a web page and when an episode ends, as WebArena has it.

A model sees the current page alone, with its objective and its previous action; not what it saw and
said before. The instructions and the two examples here are this project's own words: the original's
are read from its repository where the data hold them (``read_original``).
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from lemur.agents.browser.actions import Action, describe
from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import Turn
from lemur.errors import UserError

SAMPLING = Sampling(384, temperature=1.0, top_p=0.9)
STEPS, UNREADABLE, EQUAL = 30, 3, 3
SHOWN = 1920  # tokens of a page
WIDTH, HEIGHT = 1280, 720  # pixels
ORIGINAL = "agent/prompts/raw/p_cot_id_actree_2s.py"
# Without a tokenizer: a word of up to five letters with the blank before it, or up to three signs.
PIECE = re.compile(r"\s?\w{1,5}|\s?[^\w\s]{1,3}|\s+")
EARLY = "Early stop: "

INTRO = """You use a web browser to reach an objective. Each time you are shown the accessibility tree of the page that you see, one numbered element a line, with the open tabs, the page's address, your objective and the action that you took before. Answer with one action, which is then carried out.

Actions on the page:
`click [id]`: click on the element with this number.
`type [id] [content] [press_enter_after=0|1]`: click on a field and type the content into it. The Enter key is pressed afterwards unless a 0 follows.
`hover [id]`: move the pointer over an element.
`press [key_comb]`: press a key or a combination of keys (e.g., Ctrl+v).
`scroll [down|up]`: scroll by the height of the page that you see.

Actions on tabs:
`new_tab`: open an empty tab.
`tab_focus [tab_index]`: look at the tab with this number, from 0.
`close_tab`: close the tab that you look at.

Actions on addresses:
`goto [url]`: go to an address.
`go_back`: go to the page before.
`go_forward`: go to the page after, if you went back.

The end:
`stop [answer]`: the objective is reached. If a text was asked for, give it in the brackets. If the objective cannot be reached, give "N/A".

Use only numbers that the current page shows, and one action at a time. Think step by step, and end with "In summary, the next action I will perform is" and the action between three backticks, for example: In summary, the next action I will perform is ```click [12]```. Write nothing after `stop`."""
EXAMPLES = (
    (
        "OBSERVATION:\nTab 0 (current): Kettles\n\n[1] RootWebArea 'Kettles'\n\t[2] link 'Steel kettle, 1.7 litres'\n\t[3] StaticText '$31.50'\n\t[4] button 'Add to Cart'\nURL: http://shop.example/kettles.html\nOBJECTIVE: What does the steel kettle cost?\nPREVIOUS ACTION: None",
        "Let's think step-by-step. The page lists the steel kettle, and its price is $31.50. The objective is reached. In summary, the next action I will perform is ```stop [$31.50]```",
    ),
    (
        "OBSERVATION:\nTab 0 (current): Places\n\n[1] RootWebArea 'Places'\n\t[2] textbox 'Search' focused: True required: False\n\t[3] button 'Go'\nURL: http://map.example\nOBJECTIVE: Find bakeries near the old harbour\nPREVIOUS ACTION: None",
        "Let's think step-by-step. The page has a field for a search, element 2. I can type what I look for and press Enter. In summary, the next action I will perform is ```type [2] [bakeries near the old harbour] [1]```",
    ),
)


@dataclass(frozen=True)
class Prompt:
    """Instructions and solved examples (what was seen, what was said)."""

    intro: str = INTRO
    examples: tuple[tuple[str, str], ...] = EXAMPLES


def read_original(data: Path) -> Prompt | None:
    """The original's prompt, a Python literal; None where the data do not hold it.

    Raises:
        UserError: the file is not that of the original.
    """
    path = data / ORIGINAL
    if not path.is_file():
        return None
    try:
        body = ast.parse(path.read_text("utf-8")).body
        (assigned,) = (one for one in body if isinstance(one, ast.Assign))
        found = ast.literal_eval(assigned.value)
        examples = tuple((str(seen), str(said)) for seen, said in found["examples"])
        return Prompt(str(found["intro"]), examples)
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: not WebArena's prompt ({error})") from None


def read_tokenizer(path: str | None) -> Tokenizer | None:
    """A ``tokenizer.json`` that counts what is shown of a page. ``UserError`` where it is none."""
    if path is None:
        return None
    try:
        return Tokenizer.from_file(path)
    except Exception as error:  # the library raises Exception itself
        raise UserError(f"tokenizer {path}: {error}") from None


def cut(text: str, tokens: int, tokenizer: Tokenizer | None) -> str:
    """The first ``tokens`` tokens of a text."""
    if tokenizer is None:
        for count, piece in enumerate(PIECE.finditer(text)):
            if count == tokens:
                return text[: piece.start()]
        return text
    found = tokenizer.encode(text, add_special_tokens=False)
    return text if len(found.ids) <= tokens else text[: found.offsets[tokens][0]]


def shown(page: Mapping[str, Any], url: str, objective: str, cut_tree: str) -> str:
    """What a model is told of a page: open tabs, tree, address, objective."""
    titles = " | ".join(
        f"Tab {number}{' (current)' if number == page['current'] else ''}: {title}"
        for number, title in enumerate(page["tabs"])
    )
    return f"{titles}\n\n{cut_tree}\nURL: {url}\nOBJECTIVE: {objective}"


def messages(prompt: Prompt, start: str, turns: Sequence[Turn]) -> list[Message]:
    """Instructions, examples, the current page and the previous action."""
    found: list[Message] = [{"role": "system", "content": prompt.intro}]
    for seen, said in prompt.examples:
        found.append({"role": "user", "content": seen})
        found.append({"role": "assistant", "content": said})
    page = turns[-1].observation if turns else start
    previous = str(turns[-1].info.get("said", "None")) if turns else "None"
    content = f"OBSERVATION:\n{page}\nPREVIOUS ACTION: {previous}"
    return [*found, {"role": "user", "content": content}]


class Stops:
    """Counts an episode's actions and says when it is over without having been stopped."""

    def __init__(self, steps: int, unreadable: int = UNREADABLE, equal: int = EQUAL):
        self.steps, self.unreadable, self.equal = steps, unreadable, equal
        self.actions: list[Action | None] = []

    def add(self, action: Action | None) -> str | None:
        """Why the episode ends after this action, in the original's words; None where it goes on."""
        self.actions.append(action)
        if len(self.actions) >= self.steps:
            return f"Reach max steps {self.steps}"
        if self._last(self.unreadable) == [None] * self.unreadable:
            return f"Failed to parse actions for {self.unreadable} times"
        if action is None:
            return None
        if action.kind == "type":
            if self.actions.count(action) >= self.equal:
                return f"Same typing action for {self.equal} times"
        elif self._last(self.equal) == [action] * self.equal:
            return f"Same action for {self.equal} times"
        return None

    def _last(self, count: int) -> list[Action | None]:
        return self.actions[-count:]


def record(action: Action | None, lines: Mapping[str, str]) -> dict[str, Any]:
    """What a turn records of its action: itself, and how the model is told of it. ``lines``: of the
    page's elements by number."""
    known = {int(number): line for number, line in lines.items()}
    given = None if action is None else asdict(action)
    return {"action": given, "said": describe(action, known)}
