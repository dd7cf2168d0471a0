"""Whether a text, an address or a page is what a task wants: as the original says, and strictly."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lemur.agents.environments.webarena.sites import within
from lemur.agents.environments.webarena.tasks import OR

# What NLTK's tokenizer, by which the original looks for single signs, sets apart from words.
APART = re.compile(r"""([;@#$%&?!()\[\]{}<>"`]|[:,](?=\D|$))""")
NUMBER = re.compile(r"(?<![\w.])[-+]?\$?\d[\d,]*(?:\.\d+)?(?![\w]|\.\d)")
PLAIN = re.compile(r"[-+]?\$?\d[\d,]*(?:\.\d+)?")


def clean(text: str) -> str:
    """Without blanks and one pair of quotation marks around, in small letters."""
    text = text.strip()
    for mark in "'\"":
        if text.startswith(mark) and text.endswith(mark):
            text = text[1:-1]
            break
    return text.lower()


def exact(reference: str, answer: str) -> bool:
    """Equal once both are cleaned."""
    return clean(answer) == clean(reference)


def tokens(text: str) -> list[str]:
    """Words and signs of a text in small letters; a full stop is apart at its end alone."""
    found = APART.sub(r" \1 ", text).split()
    if found and len(found[-1]) > 1 and found[-1].endswith("."):
        found[-1:] = [found[-1][:-1], "."]
    return found


def includes(reference: str, answer: str, alone: bool = False) -> bool:
    """The original's: a part of the text; a single sign that is the only reference must be a token."""
    wanted, given = clean(reference), clean(answer)
    if alone and len(wanted) == 1:
        return wanted in tokens(given)
    return wanted in given


def includes_strictly(reference: str, answer: str) -> bool:
    """Whole words, not parts of them; a number where the answer holds an equal one ("0", "$0.00")."""
    wanted, given = clean(reference), clean(answer)
    if PLAIN.fullmatch(wanted):
        return _number(wanted) in {_number(found) for found in NUMBER.findall(given)}
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", given) is not None


def _number(text: str) -> float:
    return float(text.replace("$", "").replace(",", ""))


def answer_matches(references: Mapping[str, Any], answer: str, strictly: bool) -> bool:
    """All references but those that a model judges."""
    for approach, wanted in references.items():
        if approach == "exact_match" and not exact(wanted, answer):
            return False
        if approach == "must_include":
            for phrase in wanted:
                alone = len(wanted) == 1
                if not (
                    includes_strictly(phrase, answer)
                    if strictly
                    else includes(phrase, answer, alone)
                ):
                    return False
    return True


def url_matches(references: str, url: str) -> bool:
    """The original's: any reference is a part of the address, and for each key of any query one of
    the values that any reference has."""
    base, query = _split(url.rstrip("/"))
    known = [_split(reference.rstrip("/")) for reference in references.split(OR)]
    wanted: dict[str, set[str]] = {}
    for _, given in known:
        for key, values in given.items():
            wanted.setdefault(key, set()).update(values)
    return any(part in base for part, _ in known) and all(
        values & set(query.get(key, ())) for key, values in wanted.items()
    )


def url_matches_strictly(references: str, url: str) -> bool:
    """One reference whole: the address is it or lies below it, and has all values of its query."""
    base, query = _split(url.rstrip("/"))
    for reference in references.split(OR):
        part, wanted = _split(reference.rstrip("/"))
        below = within(base.rstrip("/"), part.rstrip("/"))
        if below and all(set(values) <= set(query.get(key, ())) for key, values in wanted.items()):
            return True
    return False


def _split(url: str) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(url)
    return parts.netloc + parts.path, parse_qs(parts.query)


def pages_match(targets: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> bool:
    """Each target's text is, or holds, what it must."""
    for target, text in zip(targets, texts, strict=True):
        wanted, given = target["required_contents"], html.unescape(text)
        if "exact_match" in wanted:
            if not exact(wanted["exact_match"], given):
                return False
        elif not all(
            any(includes(part, given) for part in phrase.split(OR))
            for phrase in wanted["must_include"]
        ):
            return False
    return True
