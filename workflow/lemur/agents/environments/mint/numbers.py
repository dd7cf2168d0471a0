"""TheoremQA's reading of an answer, up to the expression that is evaluated elsewhere.

As https://github.com/TIGER-AI-Lab/TheoremQA (``predict_accuracy.py``) and MINT after it: what is
evaluated was written by a model, and so it is evaluated in a session in the sandbox (``EVALUATE``),
which gives back plain data.
"""

import ast
import re
from typing import Any

_NUMBER = re.compile(r"^[-+]?(\d{1,3}(,\d{3})*|(\d+))(\.\d+)?$")
_AROUND = (
    r"[-+]?(?:[\d,]*\.*\d+) [^0-9 ]+$|([-+]?(?:[\d,]*\.*\d+)) [^0-9 ]+$",
    r"[^0-9 ]+ [-+]?(?:[\d,]*\.*\d+)$|[^0-9 ]+ ([-+]?(?:[\d,]*\.*\d+))$",
    r"[-+]?(?:[\d,]*\.*\d+)[^\d]{1,2}$|([-+]?(?:[\d,]*\.*\d+))[^\d]{1,2}$",
    r"[^-+\d]{1,2}(?:[\d,]*\.*\d+)$|[^-+\d]{1,2}((?:[\d,]*\.*\d+))$",
)

# A cell that evaluates an expression and prints its value as a literal, or nothing.
EVALUATE = """
def _lemur_value(expression, names):
    import numpy as np
    from sympy import Rational
    value = eval(expression, names)
    if isinstance(value, (set, tuple)):
        value = list(value)
        if value and isinstance(value[0], complex):
            value = [item.real for item in value]
        elif value and isinstance(value[0], Rational):
            value = [float(item) for item in value]
    elif isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, complex):
        value = value.real
    elif isinstance(value, Rational):
        value = float(value)
    if isinstance(value, np.generic):
        value = value.item()
    return value
import ast as _ast, re as _re, numpy as _np, sympy as _sympy, math as _math
_names = {{"np": _np, "re": _re, "ast": _ast, "Rational": _sympy.Rational{more}}}
print("VALUE", repr(_lemur_value({expression!r}, _names)))
"""
MORE = (
    ', "math": _math, **{name: getattr(_math, name) for name in ("pi", "e", "sqrt", "log", "exp")}'
)


def expression(solution: str, anywhere: bool = True) -> str:
    """The expression that a proposed solution comes to; ``anywhere``: whether an option's letter is
    found in a text ("a) it is increasing"), or counts alone."""
    text = solution
    for sign in ("=", "≈"):
        if sign in text:
            text = text.split(sign)[-1].strip()
    for sign in "`$°":
        text = text.replace(sign, "")
    if text in ("true", "yes", "false", "no"):
        text = "True" if text in ("true", "yes") else "False"
    if "True" in text or "False" in text:
        text = "True" if "True" in text else "False"
    if "approximately" in text:
        text = text.replace("approximately", "").strip()
    text = text.split(" or ")[0] if " or " in text else text
    for pattern in _AROUND:
        whole, part = pattern.split("|")
        if re.match(whole, text) and (found := re.search(part, text)):
            text = found.group(1)
    if "10^" in text:
        text = re.sub(r"10\^(-?\d+)", r"math.pow(10, \1)", text)
    text = text.replace(" x ", "*").replace(" × ", "*")
    if _NUMBER.match(text):
        text = text.replace(",", "")
    for letter in "abcd":
        inside = anywhere and (f"{letter})" in text or f"{letter} )" in text)
        if inside or text.lower().strip() == letter:
            text = f"({letter})"
    if found := re.search(r"\([a-d]\)" if anywhere else r"^\([a-d]\)$", text):
        text = f'"{found.group(0)}"'
    return text or "0"


def literal(expression: str) -> Any:
    """The value of an expression that is plain data, as ``EVALUATE`` gives it; None of any other.

    Most proposals are a number: reading those here saves a session of its own, which takes a second
    to import what expressions may use.
    """
    if len(expression) > 1000:
        return None
    try:
        value = ast.literal_eval(expression.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if isinstance(value, (set, tuple)):
        value = list(value)
        return [item.real for item in value] if value and type(value[0]) is complex else value
    return value.real if type(value) is complex else value


def read_value(printed: str) -> Any:
    """The value that ``EVALUATE`` printed: plain data, else None."""
    for line in printed.split("\n"):
        if line.startswith("VALUE "):
            try:
                return ast.literal_eval(line.removeprefix("VALUE ").strip())
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return None
    return None


def equal(value: Any, reference: Any, kind: str) -> bool:
    """Whether a value is the reference of this ``answer_type``, within 4 % where it is a number."""
    if not isinstance(value, str | int | float | list):
        return False
    if kind in ("bool", "option", "Option"):
        return value == f"({reference})" or value == reference
    if kind in ("integer", "float"):
        return _near(value, reference)
    if not isinstance(value, list) or not isinstance(reference, list):
        return False
    if len(value) != len(reference) or any(not isinstance(number, int | float) for number in value):
        return False
    return all(_near(*pair) for pair in zip(sorted(value), sorted(reference), strict=True))


def _near(value: Any, reference: Any) -> bool:
    """Numbers as TheoremQA compares them: True and False are numbers to it, texts and lists none."""
    if not isinstance(value, int | float):
        return False
    if value != value or value in (float("inf"), float("-inf")):
        return False
    if isinstance(reference, float):
        return abs(value - reference) <= 0.04 * abs(reference)
    return round(value) == reference
