"""Functions with docstrings become instructions: as Python has them, none that is held out."""

import ast

import pytest
from lemur.data.documents import shards
from lemur.sft import docstrings
from made_corpus import document, write_part

FUNCTION = '''import math

def area(radius: float, *, scale=1) -> float:
    """Area of a circle of the given radius, times a scale.

    >>> area(0)
    0.0
    """
    square = radius ** 2
    return math.pi * square * scale


def _private(x):
    """A docstring that is long enough to be taken as an instruction."""
    y = x
    return y


def nothing(x):
    """A docstring that is long enough to be taken as an instruction."""
    raise NotImplementedError


@property
def decorated(x):
    """A docstring that is long enough to be taken as an instruction."""
    y = x
    return y


def one_line(x): "A docstring that is long enough to be taken as an instruction."; return x
'''


def test_a_docstring_gives_its_whole_function():
    ((docstring, signature, function),) = docstrings.functions(FUNCTION)
    assert docstring.startswith("Area of a circle") and docstring.endswith("0.0")
    assert signature == "def area(radius: float, *, scale=1) -> float:"
    assert function.startswith(signature + '\n    """Area of a circle')
    assert "square = radius ** 2" in function
    (node,) = ast.parse(function).body
    assert ast.get_docstring(node).startswith("Area of a circle") and len(node.body) == 3


PAGED = """import os
\f
def before(x):
    \'\'\'A docstring that is long enough to be taken as an instruction.\'\'\'
    y = x  \t
    return y  # the last line


\fdef within(x):
    \'\'\'A docstring that is long\u2028enough to be taken as an instruction.\'\'\'
    table = "a\x0cb\x85c\x1cd\u2029"
    text = \'\'\'trailing  
blanks\'\'\'
    return table + text
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\x0c", "# \x1c \x85 \u2028\n"])
def test_a_function_is_as_python_counts_its_lines(start, end):
    text = start + PAGED.replace("\n", end)
    (_, first, before), (docstring, second, within) = docstrings.functions(text)
    assert (first, second) == ("def before(x):", "def within(x):")
    assert before.splitlines()[-2:] == ["    y = x", "    return y  # the last line"]
    assert "\u2028" in docstring
    wanted = ast.parse(PAGED).body
    for made, node in ((before, wanted[1]), (within, wanted[2])):
        assert ast.dump(ast.parse(made).body[0]) == ast.dump(node)


@pytest.mark.parametrize("text", ["def f(:", "x = '\x00'", "(" * 5000, ""])
def test_text_that_does_not_parse_gives_nothing(text):
    assert list(docstrings.functions(text)) == []


def test_no_heldout_and_no_dropped_document_becomes_an_instruction(tmp_path):
    rows = [
        document(FUNCTION.replace("area", f"area{k}"), heldout=k == 1, language=language)
        for k, language in enumerate(["python", "python", "python", "Python", "sql"])
    ]
    write_part(tmp_path, "s", rows)
    found = shards(tmp_path.glob("*/*.parquet"))

    def names(dropped, enough=100):
        made = docstrings.conversations(found, dropped, 1, enough)
        return sorted(one[1]["content"].split("def ")[1].split("(")[0] for one in made)

    assert names({}) == ["area0", "area2", "area3"]
    assert names({"s": {(0, 2)}, "t": {(0, 0)}}) == ["area0", "area3"]
    assert len(names({}, 1)) < 3  # enough is enough
