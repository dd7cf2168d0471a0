"""What the head of a file says about its licence: SPDX tags, or words of one that is not permissive."""

import re

from lemur.corpus import licences

# A header stands in a file's first characters.
HEAD = 3_000
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() \t-]+)", re.IGNORECASE)
# Where a line of a comment begins: its marks, in some languages a word (Fortran, batch files, m4).
_LINE = re.compile(r"\n[^\w\n]*(?:(?:rem|dnl|c)[ \t]+)?", re.IGNORECASE)
_MARKS = re.compile(r"[\s#*/;!%\"'`_()<>{}\[\]|,-]+")
_GPL = r"(?:[al]|affero |lesser |library )?gpl"
# Letters that are a licence only where a version or words of licensing stand beside them.
_LETTERS = r"(?:mpl|epl|osl|afl|cpal|rpl|ofl|qpl|lppl|ms [pr]l)"
_UNDER = (
    r"(?:under|terms of|conditions of|version \d(?:\.\d)? of|licen[cs]ed?(?: ?[:=])?|covered by) (?:the )?"
    r"(?:terms (?:and conditions )?of )?(?:the )?"
)
# Words of licences that ask more than naming their author, for lower-case text whose comment marks,
# punctuation and white space are single blanks. Each is looked for only where one of its hints
# stands in the head: most heads have none, and a long expression costs more than all else.
_RESTRICTED = tuple(
    (hints.split("|"), re.compile("|".join(patterns)))
    for hints, *patterns in (
        (
            # In full or by letters; letters alone are only a name, as in "GPL violations".
            "gnu|gpl",
            r"gnu (?:\w+ )?(?:general|lesser|affero|library|free documentation) (?:general )?(?:public|licen[cs]e)",
            r"\bgnu licen[cs]e|\bgfdl\b",
            rf"\bgnu {_GPL}|\b{_GPL}(?: (?:and|or) [\w.]+)? ?licen[cs]e[ds]?\b",
            rf"\b{_GPL} ?(?:v\.? ?\d|ver(?:sion|\.)? ?\d|\d)",
            rf"{_UNDER}(?:\w+ (?:and|or) )?{_GPL}\b(?! ?compatible)",
        ),
        (
            "public",
            r"\b(?:mozilla|eclipse|european union|server side|common|netscape|sun|ibm|nokia|reciprocal|q|"
            r"affero|apple|aladdin free|sybase open watcom|adaptive|general|latex project|microsoft) "
            r"(?:\w+ )?public (?:source )?licen[cs]e",
        ),
        (
            "mpl|epl|cddl|eupl|sspl|busl|bsl|osl|afl|cpal|rpl|cecill|ofl|odbl|qpl|lppl|ms-pl|ms-rl",
            rf"\b{_LETTERS} ?(?:(?:v\.? ?|version ?)\d|\d\.\d|licen[cs]e)|{_UNDER}{_LETTERS}\b",
            r"\bbsl ?(?:v\.? ?)?1\.1\b|\b(?:eupl|cddl|sspl|busl|odbl|cecill)\b",
        ),
        (
            "development|business|open|reciprocal|academic|artistic|elastic|polyform|hippocratic|commons|perl",
            r"(?:common development and distribution|business source|open software|academic free|artistic|"
            r"elastic|hippocratic|polyform|microsoft reciprocal|sil open font|open database|open publication) licen[cs]e",
            r"polyform (?:noncommercial|strict|shield|free)|commons clause|same terms as (?:the )?perl",
        ),
        (
            "creativecommons|creative|cc by|cc-by|attribution",
            r"creativecommons\.org licenses [a-z ]*\b(?:nc|nd|sa)\b|\bcc (?:by )?(?:nc|nd|sa)\b",
            r"creative commons (?:licen[cs]e )?(?:\w+ )?(?:nc|nd|sa|non ?commercial|no ?deriv\w*|share ?alike)\b",
            r"attribution (?:non ?commercial|no ?deriv|share ?alike)",
        ),
        (
            "confidential|unauthori|commercial|evaluation|research|academic|educational|personal|evil",
            r"proprietary (?:and|&) confidential|confidential (?:and|&) proprietary",
            r"unauthori[sz]ed (?:copying|use|reproduction|distribution)|for good not evil",
            r"(?:non ?commercial|personal|educational|evaluation|research|academic) (?:\w+ ){0,2}"
            r"(?:use|purposes?) only|not (?:\w+ ){0,4}(?:for|in) (?:any )?commercial",
            r"only for (?:non ?commercial|evaluation|research|academic|educational)",
        ),
    )
)


# A head that speaks of licences has one of these; what these hints begin is looked for without.
_SPEAKS = ("licen", "terms", "cddl", "copyright")
_ALONE = ("gnu", "creativecommons", "confidential")


def read_header(text: str) -> tuple[str | None, bool]:
    """(SPDX expression of all tags in a file's head or None, words of a restricted licence are there).

    Several tags all apply. A tag decides, whatever else the head says: a file under a choice of two
    licences often carries the words of both.
    """
    head = text[:HEAD]
    tags = [found.strip(" \t-") for found in _TAG.findall(head)]
    tags = [tag for tag in tags if tag]
    if tags:
        return licences.join_licences(tags) or " AND ".join(f"({tag})" for tag in tags), False
    low = head.lower()
    # A phrase may be broken over two lines, so that only its single words are sure to be found.
    speaks = any(word in low for word in _SPEAKS)
    near = [
        signs
        for hints, signs in _RESTRICTED
        if (speaks or hints[0] in _ALONE) and any(hint in low for hint in hints)
    ]
    if not near:
        return None, False
    flat = _MARKS.sub(" ", _LINE.sub(" ", f"\n{low}"))
    return None, any(signs.search(flat) for signs in near)
