"""The paper's own way from a response to an answer, as filters of lm-eval (released code of the
authors, OpenLemur/Lemur: ``xchat/eval/gsm/run_eval.py`` and ``xchat/eval/bbh/run_eval.py``)."""

import re
import string
from collections.abc import Iterable, Sequence

from lm_eval.api.filter import Filter
from lm_eval.api.registry import register_filter

from lemur.evaluation.documents import Document

_NUMBER = re.compile(r"[-+]?\d*\.\d+|\d+")
_LETTER = re.compile(r"\(\w\)")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def last_number(text: str) -> str:
    """The last number, its thousands without commas; the text itself where it holds none."""
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    return next(reversed(_NUMBER.findall(text)), text)


def after_so(text: str) -> str:
    """What stands between "So the answer is" and the next full stop, of the first paragraph; the
    letter of a choice alone; the paragraph where nothing is said to be the answer."""
    text = text.strip().split("\n\n")[0].strip()
    found = re.search(r"So the answer is (.*?)\.", text)
    answer = found.group(1).strip() if found else text
    if "(" in answer and ")" in answer and "[" not in answer and "]" not in answer:
        letter = _LETTER.search(answer)
        answer = letter.group(0) if letter else answer
    return answer


def loosely(first: str, second: str) -> bool:
    """Equal but for case and punctuation."""
    return first.lower().translate(_PUNCTUATION) == second.lower().translate(_PUNCTUATION)


class _Each(Filter):
    """Applies ``take`` to every response."""

    take = staticmethod(str)

    def apply(self, resps: Iterable[Sequence[str]], docs: Sequence[Document]) -> list[list[str]]:
        del docs
        return [[type(self).take(text) for text in texts] for texts in resps]


@register_filter("paper_last_number")
class LastNumber(_Each):
    """``last_number``."""

    take = staticmethod(last_number)


@register_filter("paper_after_so")
class AfterSo(_Each):
    """``after_so``."""

    take = staticmethod(after_so)
