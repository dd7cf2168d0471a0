"""Docstring to function, from the Python documents of the corpus."""

import ast
import hashlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence

from lemur.mix.documents import Shard, batches

LONGEST = 60  # lines of a function with its docstring
SHORTEST = 2  # lines of a body without its docstring
TEXT = (40, 1200)  # characters of a docstring


def _signature(lines: Sequence[str], node: ast.FunctionDef) -> str:
    return "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]).strip()


def _empty(body: Sequence[ast.stmt]) -> bool:
    """Whether a body only passes or raises NotImplementedError."""
    return len(body) == 1 and isinstance(body[0], ast.Pass | ast.Raise | ast.Expr)


def functions(text: str) -> Iterator[tuple[str, str, str]]:
    """(docstring, signature, whole function) of a file's top-level functions.

    The function keeps its docstring: a model that learns to answer without one takes a head with a
    docstring, as benchmarks give it, for a finished answer. Left out are tests, private and
    decorated functions, short docstrings, and bodies that do nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = text.splitlines()
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
        code = lines[node.lineno - 1 : node.end_lineno]
        while code and not code[-1].strip():
            code.pop()
        docstring = inspect.cleandoc(docstring).strip()
        long_enough = TEXT[0] <= len(docstring) <= TEXT[1]
        body_lines = node.end_lineno - said.end_lineno
        if not long_enough or body_lines < SHORTEST or len(code) > LONGEST or "```" in docstring:
            continue
        function = "\n".join(line.rstrip() for line in code)
        try:
            ast.parse(function)
        except (SyntaxError, ValueError):
            continue
        yield docstring, _signature(lines, node), function


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
                        f"```python\n{signature}\n```\n\n{docstring}",
                    },
                    {"role": "assistant", "content": f"```python\n{function}\n```"},
                ]
        low, high = high, 2 * high
