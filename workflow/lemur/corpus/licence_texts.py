"""Whether a file is a licence's text, and of which permissive licence: the whole text, nothing added."""

import difflib
import re
from collections import Counter

_LICENCE_FILE = re.compile(r"^(?:licen[cs]es?|copying)(?:[._-][\w.-]*)?$", re.IGNORECASE)
_MIT = """permission is hereby granted free of charge to any person obtaining a copy of this software
and associated documentation files the software to deal in the software without restriction
including without limitation the rights to use copy modify merge publish distribute sublicense and
or sell copies of the software and to permit persons to whom the software is furnished to do so
subject to the following conditions the above copyright notice and this permission notice shall be
included in all copies or substantial portions of the software the software is provided as is
without warranty of any kind express or implied including but not limited to the warranties of
merchantability fitness for a particular purpose and noninfringement in no event shall the authors
or copyright holders be liable for any claim damages or other liability whether in an action of
contract tort or otherwise arising from out of or in connection with the software or the use or
other dealings in the software"""
_ISC = """permission to use copy modify and or distribute this software for any purpose with or
without fee is hereby granted provided that the above copyright notice and this permission notice
appear in all copies the software is provided as is and the author disclaims all warranties with
regard to this software including all implied warranties of merchantability and fitness in no event
shall the author be liable for any special direct indirect or consequential damages or any damages
whatsoever resulting from loss of use data or profits whether in an action of contract negligence or
other tortious action arising out of or in connection with the use or performance of this
software"""
_BSD = """redistribution and use in source and binary forms with or without modification are
permitted provided that the following conditions are met redistributions of source code must retain
the above copyright notice this list of conditions and the following disclaimer redistributions in
binary form must reproduce the above copyright notice this list of conditions and the following
disclaimer in the documentation and or other materials provided with the distribution {} this
software is provided by the copyright holders and contributors as is and any express or implied
warranties including but not limited to the implied warranties of merchantability and fitness for a
particular purpose are disclaimed in no event shall the copyright holder or contributors be liable
for any direct indirect incidental special exemplary or consequential damages including but not
limited to procurement of substitute goods or services loss of use data or profits or business
interruption however caused and on any theory of liability whether in contract strict liability or
tort including negligence or otherwise arising in any way out of the use of this software even if
advised of the possibility of such damage"""
_NAMES = """neither the name of the copyright holder nor the names of its contributors may be used
to endorse or promote products derived from this software without specific prior written
permission"""
_NAME = """the name of the author may not be used to endorse or promote products derived from this
software without specific prior written permission"""
_APACHE_NOTICE = """licensed under the apache license version 2 0 the license you may not use this file
except in compliance with the license you may obtain a copy of the license at http www apache org
licenses license 2 0 unless required by applicable law or agreed to in writing software distributed
under the license is distributed on an as is basis without warranties or conditions of any kind
either express or implied see the license for the specific language governing permissions and
limitations under the license"""
# By the words that the text must hold. The first that fits names it.
_TEXTS = (
    ("MIT", _MIT.split()),
    ("BSD-3-Clause", _BSD.format(_NAMES).split()),
    ("BSD-3-Clause", _BSD.format(_NAME).split()),
    ("BSD-2-Clause", _BSD.format("").split()),
    ("ISC", _ISC.split()),
    ("Apache-2.0", _APACHE_NOTICE.split()),
)
# What tells the two of BSD apart: too few words to make another text of one.
_ENDORSE = {"BSD-3-Clause": True, "BSD-2-Clause": False}
# Of a text's words: how many of its licence's may be worded otherwise, and how many added beside
# names of people and of the licence.
_MOST_MISSING, _MOST_ADDED = 0.15, 0.2
# Lines that say who and when, or name the licence. What they say besides may still ask something.
_NOTICE = re.compile(
    r"^\W*(?:(?:portions )?copyright\b|\(c\)|©|all rights reserved|authors?:|(?:the )?[\w .-]{0,30}"
    r"licen[cs]e(?: \([\w .-]*\))?\W*$|spdx-filecopyrighttext|spdx-license-identifier: "
    r"(?:mit|isc|bsd-[23]-clause|apache-2\.0)\W*$|[\w .,'-]{0,40}<[^>]*>\W*$|https?://\S+\W*$)",
    re.IGNORECASE,
)
# An added word of these makes a condition of what is added.
_ASKS = (
    r"advertis\w*|acknowledg\w*|non ?commercial\w*|commercial\w*|evil|military|nuclear|weapons?|"
    r"must|require[sd]?|prohibit\w*|forbid\w*|restrict\w*|except|unless|gpl|gnu|patents?|royalt\w*|"
    r"additional\w*|fees?|notify|send|publish\w*|not|no|only|sell\w*|s[oa]ld|resale|profit"
)
_CONDITION = re.compile(rf"\b(?:{_ASKS}|academic|educational|research|evaluation|commons)\b")
# R's template of MIT, which its packages copy whole, says which of its lines to fill in.
_TEMPLATE = "lines (only)"
# A copyright line may name a research institute or an academic society.
_ASKED_IN_NOTICE = re.compile(
    rf"\b(?:{_ASKS}|(?:academic|educational|research|evaluation) (?:use|purposes?))\b"
)
# Apache-2.0 is 1,500 words; its numbered part is the same everywhere.
_APACHE = re.compile(
    r"^(?P<before>.{0,400}?)apache license,? version 2\.0.{0,200}?terms and conditions for use, "
    r"reproduction,? and distribution(?P<terms>.*?)(?:end of terms and conditions(?P<after>.*))?$",
    re.IGNORECASE | re.DOTALL,
)
_APACHE_WORDS = range(1_350, 1_480)
# How often words of ``_CONDITION`` stand in it, and in the notice of how to apply it.
_APACHE_ASKS = Counter(
    {"not": 11, "patent": 7, "additional": 5, "must": 4, "no": 4, "only": 4, "required": 3}
    | {"unless": 3, "except": 2, "royalty": 2, "sell": 2, "commercial": 1, "fee": 1}
)
_APPLY_ASKS = Counter({"not": 1, "except": 1, "unless": 1, "required": 1})


def is_licence_file(path: str) -> bool:
    """Whether a path is that of a licence text (LICENSE, COPYING.LESSER, LICENSE-MIT.txt)."""
    name = path.rsplit("/", 1)[-1]
    code = name.lower().endswith((".py", ".js", ".ts", ".rst", ".html", ".json", ".go", ".rst.txt"))
    return bool(_LICENCE_FILE.match(name)) and not code


def recognise_text(text: str) -> str | None:
    """The SPDX name of a permissive licence's full text, None for any other text.

    A text that says more than its licence (an advertising clause, "not for commercial use", a
    second licence) is another licence, whatever its title.
    """
    flat = " ".join(text.split())
    apache = _APACHE.match(flat)
    if apache:
        return "Apache-2.0" if _is_apache(apache) else None
    lines: dict[bool, list[str]] = {True: [], False: []}
    for line in text.replace(_TEMPLATE, "").splitlines():
        lines[bool(_NOTICE.match(line))].append(line)
    if _ASKED_IN_NOTICE.search(" ".join(_words(" ".join(lines[True])))):
        return None
    words = _words(" ".join(lines[False]))
    promotes = "promote" in words
    return next(
        (
            name
            for name, wanted in _TEXTS
            if _ENDORSE.get(name, promotes) == promotes and _fits(words, wanted)
        ),
        None,
    )


def asks_something(text: str) -> bool:
    """Whether words of a condition stand in a few words that name a licence."""
    return bool(_asks(_words(text)))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _fits(words: list[str], wanted: list[str]) -> bool:
    if not 0.8 * len(wanted) < len(words) < 1.5 * len(wanted):
        return False
    added: list[str] = []
    missing = 0
    matcher = difflib.SequenceMatcher(None, wanted, words, autojunk=False)
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind != "equal":
            missing += last - first
            added += words[begin:end]
    few = missing <= _MOST_MISSING * len(wanted) and len(added) <= _MOST_ADDED * len(wanted)
    return few and not _CONDITION.search(" ".join(added))


def _is_apache(found: re.Match[str]) -> bool:
    """The numbered part whole, before it a title, behind it nothing or how to apply the licence."""
    terms, after = (_words(found[part] or "") for part in ("terms", "after"))
    whole = len(terms) in _APACHE_WORDS and _asks(terms) == _APACHE_ASKS
    applied = "how to apply the apache license" in " ".join(after)
    few = len(after) < (260 if applied else 12)
    return whole and few and _asks(after) <= _APPLY_ASKS and not _asks(_words(found["before"]))


def _asks(words: list[str]) -> Counter[str]:
    return Counter(_CONDITION.findall(" ".join(words)))
