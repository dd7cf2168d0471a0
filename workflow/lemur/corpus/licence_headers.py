"""What the head of a file says about its licence: SPDX tags, or words of one that is not permissive."""

import re

from lemur.corpus import licences

# A header stands in a file's first characters.
HEAD = 3_000
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() \t-]+)", re.IGNORECASE)
# Where a line of a comment begins: its marks, in some languages a word (Fortran, batch files, m4).
_LINE = re.compile(r"\n[^\w\n]*(?:(?:rem|dnl|c)[ \t]+)?", re.IGNORECASE)
_MARKS = re.compile(r"[\s#*/;!%\"'`_()<>{}\[\]|,-]+")
_GPL = r"(?:[AL]|Affero |Lesser |Library )?GPL"
# Matched against text whose comment marks, punctuation and white space are single blanks.
_RESTRICTED = re.compile(
    # GNU's, in full or by letters; letters alone are only a name, as in "GPL violations".
    r"GNU (?:\w+ )?(?:General|Lesser|Affero|Library|Free Documentation) (?:General )?(?:Public|Licen[cs]e)"
    rf"|\bGNU {_GPL}|\b{_GPL} ?(?:licen[cs]ed?\b|v\.? ?\d|ver(?:sion|\.)? ?\d|\d)"
    r"|(?:under|terms of|conditions of|version \d(?:\.\d)? of|licen[cs]ed?:?|covered by) (?:the )?"
    rf"(?:terms (?:and conditions )?of )?(?:the )?{_GPL}\b"
    r"(?! ?compatible)"
    # Others with conditions on what is made of the file.
    r"|\b(?:Mozilla|Eclipse|European Union|Server Side|Common|Netscape|Sun|IBM|Nokia|Reciprocal|"
    r"Q|Affero|Apple Public Source|Aladdin Free|Sybase Open Watcom|Adaptive) (?:\w+ )?Public "
    r"(?:Source )?Licen[cs]e"
    r"|\b(?:MPL|EPL|CDDL|EUPL|SSPL|BUSL|OSL|AFL|CPAL|RPL|CeCILL(?: [BC])?|OFL|ODbL) ?"
    r"(?:v\.? ?|version ?)?\d\.\d|\b(?:EUPL|CDDL|SSPL|BUSL|ODbL|CeCILL)\b|\bBSL ?(?:v\.? ?)?1\.1\b"
    r"|Common Development and Distribution Licen[cs]e|Business Source Licen[cs]e"
    r"|(?:Open Software|Academic Free|Artistic|Elastic|PolyForm|Hippocratic|SIL Open Font|"
    r"Open Database|Q Public|Open Publication|Apple Public Source) Licen[cs]e"
    r"|PolyForm (?:Noncommercial|Strict|Shield|Free)|Commons Clause"
    r"|same terms as (?:the )?Perl"
    # Creative Commons other than the plain attribution.
    r"|creativecommons\.org licenses [a-z ]*\b(?:nc|nd|sa)\b|\bCC (?:BY )?(?:NC|ND|SA)\b"
    r"|Attribution (?:Non ?Commercial|No ?Deriv|Share ?Alike)"
    # No licence at all, or one that forbids a use.
    r"|proprietary (?:and|&) confidential|confidential (?:and|&) proprietary"
    r"|unauthori[sz]ed (?:copying|use|reproduction|distribution)"
    r"|(?:non ?commercial|personal|educational|evaluation|research|academic) (?:\w+ ){0,2}"
    r"(?:use|purposes?) only|only for (?:non ?commercial|evaluation|research|academic|educational)"
    r"|not (?:\w+ ){0,4}(?:for|in) (?:any )?commercial|for Good not Evil",
    re.IGNORECASE,
)
# One of these stands, in lower case, in whatever ``_RESTRICTED`` finds.
_HINTS = (
    "gnu", "gpl", "public", "mpl", "epl", "cddl", "eupl", "sspl", "busl", "bsl", "osl", "afl",
    "cpal", "rpl", "cecill", "ofl", "odbl", "license", "licence", "creative", "cc", "attribution",
    "confidential", "unauthori", "commercial", "only", "polyform", "clause", "perl", "evil",
)  # fmt: skip


def of_header(text: str) -> tuple[str | None, bool]:
    """(SPDX expression of all tags in a file's head or None, words of a restricted licence are there).

    Several tags all apply. A tag decides, whatever else the head says: a file under a choice of two
    licences often carries the words of both.
    """
    head = text[:HEAD]
    tags = [found.strip(" \t-") for found in _TAG.findall(head)]
    tags = [tag for tag in tags if tag]
    if tags:
        return licences.all_of(tags) or " AND ".join(f"({tag})" for tag in tags), False
    low = head.lower()
    if not any(hint in low for hint in _HINTS):
        return None, False
    return None, bool(_RESTRICTED.search(_MARKS.sub(" ", _LINE.sub(" ", f"\n{head}"))))
