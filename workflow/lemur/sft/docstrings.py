"""Docstring to function, from the Python documents of the corpus."""

import ast
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence

from lemur.core.lines import lines
from lemur.data.documents import Shard, batches
from lemur.sft.fence import fenced

LONGEST = 60  # lines of a function with its docstring
SHORTEST = 2  # lines of a body without its docstring
TEXT = (40, 1200)  # characters of a docstring


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _program(text: str) -> str | None:
    """What a text means to Python, whatever its layout; None where it does not parse."""
    tree = _parsed(text)
    try:
        return None if tree is None else ast.dump(tree)
    except RecursionError:
        return None


def _source(code: Sequence[str]) -> str | None:
    """The lines of a function as one text that parses alone, None where they do not.

    Blanks at the ends of lines go, unless that changes the program: inside a string they are text.
    """
    whole = "\n".join(code)
    trimmed = "\n".join(line.rstrip() for line in code)
    program = _program(whole)
    if program is None:
        return None
    return trimmed if _program(trimmed) == program else whole


def _empty(body: Sequence[ast.stmt]) -> bool:
    """Whether a body only passes or raises NotImplementedError."""
    return len(body) == 1 and isinstance(body[0], ast.Pass | ast.Raise | ast.Expr)


def functions(text: str) -> Iterator[tuple[str, str, str]]:
    """(docstring, signature, whole function) of a file's top-level functions.

    The function keeps its docstring: a model that learns to answer without one takes a head with a
    docstring, as benchmarks give it, for a finished answer. Left out are tests, private and
    decorated functions, short docstrings, and bodies that do nothing.
    """
    text = text.removeprefix("\ufeff")  # Python passes over a byte order mark
    tree = _parsed(text)
    if tree is None:
        return
    numbered = lines(text)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            continue
        docstring = ast.get_docstring(node)
        body = node.body[1:]
        if docstring is None or not body or _empty(body) or node.name.startswith(("_", "test")):
            continue
        said = node.body[0]
        if said.lineno == node.lineno or body[0].lineno == said.end_lineno:
            continue  # the docstring shares a line with code
        code = numbered[node.lineno - 1 : node.end_lineno]
        code[0] = code[0].lstrip("\f")  # a page break before a function is not of it
        docstring = docstring.strip()
        long_enough = TEXT[0] <= len(docstring) <= TEXT[1]
        body_lines = node.end_lineno - said.end_lineno
        if not long_enough or body_lines < SHORTEST or len(code) > LONGEST:
            continue
        function = _source(code)
        if function is not None:
            yield docstring, "\n".join(code[: said.lineno - node.lineno]).strip(), function


def _drawn(seed: int, name: str) -> float:
    """A document's place in a drawn order, 0 to 1."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:6], "big") / (1 << 48)


def _texts(
    shards: Sequence[Shard],
    dropped: Mapping[str, set[tuple[int, int]]],
    seed: int,
    low: float,
    high: float,
) -> Iterator[str]:
    """Python documents drawn between ``low`` and ``high``; no held-out and no dropped one."""
    for shard in shards:
        skip = dropped.get(shard.source, set())
        for first, batch in batches(shard.path, ("id", "text", "language", "heldout")):
            for k, text in enumerate(batch["text"]):
                python = batch["language"][k].lower() == "python" and not batch["heldout"][k]
                wanted = python and low <= _drawn(seed, batch["id"][k]) < high
                if wanted and (shard.part, first + k) not in skip:
                    yield text


def conversations(
    shards: Sequence[Shard],
    dropped: Mapping[str, set[tuple[int, int]]],
    seed: int,
    enough: int,
) -> Iterator[list[dict[str, str]]]:
    """One function each, of documents drawn by the seed until ``enough`` are found (or all read).

    Held-out documents and those on a drop list are never read.
    """
    low, high, found = 0.0, 1 / 64, 0
    while low < 1.0 and found < enough:
        for text in _texts(shards, dropped, seed, low, high):
            for docstring, signature, function in functions(text):
                found += 1
                yield [
                    {
                        "role": "user",
                        "content": "Write this Python function.\n\n"
                        f"{fenced('python', signature)}\n\n{docstring}",
                    },
                    {"role": "assistant", "content": fenced("python", function)},
                ]
        low, high = high, 2 * high
