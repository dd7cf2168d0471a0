"""What a model reads and how its functions are read: pure functions of the record.

Helpers that a function calls and nobody has defined are asked for in the same way, each in a prompt
of its own, as in the notebook.
"""

import ast
import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import Turn

STOPS = ("# define function:", "# example:")
SAMPLING = Sampling(512, stops=STOPS)
BANNED = ("import", "__")  # the notebook runs no text that holds one of these
FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
# What a program finds defined beside Python's own names: the notebook's stars, written out.
DEFINED = {
    "np", "get_obj_outer_pts_np", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString",
    "MultiPolygon", "GeometryCollection", "LinearRing", "box", "shape", "mapping", "CAP_STYLE",
    "JOIN_STYLE", "affine_transform", "rotate", "scale", "skew", "translate",
}  # fmt: skip
AGAIN = "The function fails:\n{}\nDefine it again, without that mistake.\n{}"


@dataclass(frozen=True)
class Wanted:
    """A function that is to be defined: its name and how it is asked for."""

    name: str
    signature: str


def program(answer: str) -> str:
    """The code of an answer: what stands in its first fence, else all of it."""
    found = FENCED.search(answer)
    return (found.group(1) if found else answer).strip()


def refused(code: str) -> str | None:
    """Why the notebook would not run a text, in the words of an exception; None if it would."""
    found = [word for word in BANNED if word in code]
    return f"AssertionError: the text holds '{found[0]}'" if found else None


def calls(code: str, name: str) -> list[Wanted]:
    """Functions that ``code`` calls by name and nobody defines, in the order in which they appear;
    where a result is assigned, the signature is the assignment. Empty for code that is no Python,
    or that does not define ``name``."""
    try:
        tree = ast.parse(code)
        nodes = list(ast.walk(tree))
        known = _bound(nodes)
        if name not in known:
            return []
        found: dict[str, str] = {}
        assigned: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.setdefault(node.func.id, ast.unparse(node))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                assigned.setdefault(ast.unparse(node.value.func), ast.unparse(node))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    defined = DEFINED | known | set(dir(builtins))
    return [
        Wanted(called, " ".join(assigned.get(called, shown).split()))
        for called, shown in found.items()
        if called not in defined
    ]


def _bound(nodes: Sequence[ast.AST]) -> set[str]:
    """Names that a program binds anywhere."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def query(signature: str) -> str:
    """The line that asks for a function."""
    return f"# define function: {signature}."


def again(root: Wanted, error: str) -> str:
    """What a model is told of a function that fails, in the assumed form over several turns."""
    return AGAIN.format(error, query(root.signature))


def messages(solved: str, root: Wanted, turns: Sequence[Turn]) -> list[Message]:
    """The prompt for a helper where the last turn asks for one; else the conversation about the
    function itself: its answers and what was said of each."""
    first = {"role": "user", "content": f"{solved}\n{query(root.signature)}"}
    asked = turns[-1].info.get("asks") if turns else None
    if asked is not None:
        return [{"role": "user", "content": f"{solved}\n{query(asked[1])}"}]
    made: list[Message] = [first]
    for number, turn in enumerate(turns):
        before = turns[number - 1].info.get("asks") if number else None
        if before is None:
            made.append({"role": "assistant", "content": turn.answer})
        if turn.info.get("asks") is None:
            made.append({"role": "user", "content": turn.observation})
    return made
