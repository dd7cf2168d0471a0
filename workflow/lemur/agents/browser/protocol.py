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

from tokenizers import Tokenizer

from lemur.agents.browser.actions import Action, block, parse_action, write_action
from lemur.agents.browser.calls import parse_call, write_call
from lemur.agents.browser.messages import Seen
from lemur.agents.environment import Info, Message, Sampling
from lemur.agents.episode import Turn
from lemur.core.errors import UserError

SAMPLING = Sampling(384, temperature=1.0, top_p=0.9)
STEPS, UNREADABLE, EQUAL = 30, 3, 3
SHOWN = 1920  # tokens of a page
ORIGINAL = "agent/prompts/raw/p_cot_id_actree_2s.py"
ORIGINAL_CODEGEN = "agent/prompts/raw/p_codegen_cot_id_actree_2s_lemur.py"
# Without a tokenizer: a word of up to five letters with the blank before it, or up to three signs.
PIECE = re.compile(r"\s?\w{1,5}|\s?[^\w\s]{1,3}|\s+")
EARLY = "Early stop: "

INTRO = """You use a web browser to reach an objective. Each time you are shown the accessibility tree of the page that you see, one numbered element a line, with the open tabs, the page's address, your objective and the action that you took before. Answer with one action, which is then carried out.

Actions on the page:
`{click}`: click on the element with this number.
`{type}`: click on a field and type the content into it. The Enter key is pressed afterwards unless that is switched off.
`{hover}`: move the pointer over an element.
`{press}`: press a key or a combination of keys (e.g., Ctrl+v).
`{scroll}`: scroll by the height of the page that you see.

Actions on tabs:
`{new_tab}`: open an empty tab.
`{tab_focus}`: look at the tab with this number, from 0.
`{close_tab}`: close the tab that you look at.

Actions on addresses:
`{goto}`: go to an address.
`{go_back}`: go to the page before.
`{go_forward}`: go to the page after, if you went back.

The end:
`{stop}`: the objective is reached. If a text was asked for, give it as the answer. If the objective cannot be reached, the answer is "N/A".

Use only numbers that the current page shows, and one action at a time. Think step by step, and end with "In summary, the next action I will perform is" and the action between three backticks, for example: In summary, the next action I will perform is ```{example}```. Write nothing after `stop`."""
BRACKETS = {
    "click": "click [id]", "type": "type [id] [content] [press_enter_after=0|1]", "hover": "hover [id]",
    "press": "press [key_comb]", "scroll": "scroll [down|up]", "tab_focus": "tab_focus [tab_index]",
    "goto": "goto [url]", "stop": "stop [answer]",
    **{name: name for name in ("new_tab", "close_tab", "go_back", "go_forward")},
}  # fmt: skip
CALLS = {
    "click": "click(id: int)", "type": "type(id: int, content: str, press_enter_after: bool = True)",
    "hover": "hover(id: int)", "press": "press(key_comb: str)",
    "scroll": "scroll(direction: Literal['down', 'up'])", "tab_focus": "tab_focus(tab_index: int)",
    "goto": "goto(url: str)", "stop": "stop(answer: str)",
    **{name: f"{name}()" for name in ("new_tab", "close_tab", "go_back", "go_forward")},
}  # fmt: skip
# What is seen, what is thought of it, and the action.
EXAMPLES = (
    (
        "OBSERVATION:\nTab 0 (current): Kettles\n\n[1] RootWebArea 'Kettles'\n\t[2] link 'Steel kettle, 1.7 litres'\n\t[3] StaticText '$31.50'\n\t[4] button 'Add to Cart'\nURL: http://shop.example/kettles.html\nOBJECTIVE: What does the steel kettle cost?\nPREVIOUS ACTION: None",
        "The page lists the steel kettle, and its price is $31.50. The objective is reached.",
        Action("stop", text="$31.50"),
    ),
    (
        "OBSERVATION:\nTab 0 (current): Places\n\n[1] RootWebArea 'Places'\n\t[2] textbox 'Search' focused: True required: False\n\t[3] button 'Go'\nURL: http://map.example\nOBJECTIVE: Find bakeries near the old harbour\nPREVIOUS ACTION: None",
        "The page has a field for a search, element 2. I can type what I look for and press Enter.",
        Action("type", 2, "bakeries near the old harbour", True),
    ),
)


@dataclass(frozen=True)
class Form:
    """How actions are written: WebArena's brackets, or with ``codegen`` calls of functions."""

    codegen: bool = False

    def parse(self, answer: str) -> Action | None:
        """The first action between three backticks; None where none can be read."""
        text = block(answer)
        if text is None:
            return None
        return parse_call(text) if self.codegen else parse_action(text)

    def write(self, action: Action) -> str:
        """The text of an action."""
        return write_call(action) if self.codegen else write_action(action)

    def describe(self, action: Action | None, elements: Mapping[int, str]) -> str:
        """How an action is named to the model as its previous one. ``elements``: the line of each
        number of the page on which it was taken."""
        if action is None:
            form = "action(argument, ...)" if self.codegen else "action [argument] ..."
            return (
                "None: your last answer held no action that can be read. Put one action between"
                f" three backticks, in this form: ```{form}```"
            )
        said = self.write(action)
        if action.element is None or action.kind == "tab_focus":
            return said
        line = elements.get(action.element)
        if line is None:
            return f"{said}, but the page has no element [{action.element}]"
        return f"{said} where [{action.element}] is {line}"

    def record(self, action: Action | None, lines: Mapping[str, str]) -> Info:
        """What a turn records of its action: itself, and how the model is told of it. ``lines``: of
        the page's elements by number."""
        known = {int(number): line for number, line in lines.items()}
        given = None if action is None else asdict(action)
        return {"action": given, "said": self.describe(action, known)}


@dataclass(frozen=True)
class Prompt:
    """Instructions and solved examples (what was seen, what was said)."""

    intro: str
    examples: tuple[tuple[str, str], ...]


def write_prompt(form: Form) -> Prompt:
    """The project's own, with actions as ``form`` writes them."""
    names = CALLS if form.codegen else BRACKETS
    intro = INTRO.format(**names, example=form.write(Action("click", 12)))
    summary = "In summary, the next action I will perform is"
    examples = tuple(
        (seen, f"Let's think step-by-step. {thought} {summary} ```{form.write(action)}```")
        for seen, thought, action in EXAMPLES
    )
    return Prompt(intro, examples)


def read_original(data: Path, form: Form) -> Prompt | None:
    """The original's prompt, a Python literal; None where the data do not hold it.

    Raises:
        UserError: the file is not that of the original.
    """
    path = data / (ORIGINAL_CODEGEN if form.codegen else ORIGINAL)
    if not path.is_file():
        return None
    try:
        body = ast.parse(path.read_text("utf-8")).body
        (assigned,) = (statement for statement in body if isinstance(statement, ast.Assign))
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


def shown(page: Seen, url: str, objective: str, cut_tree: str) -> str:
    """What a model is told of a page: open tabs, tree, address, objective."""
    titles = " | ".join(
        f"Tab {number}{' (current)' if number == page.current else ''}: {title}"
        for number, title in enumerate(page.tabs)
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
