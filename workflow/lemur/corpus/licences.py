"""Licences: SPDX expressions, what they allow, and what a package's metadata says."""

import functools
import json
import re
from collections.abc import Sequence
from email.parser import HeaderParser
from typing import Any

from lemur.core.errors import UserError
from lemur.corpus import licence_texts
from lemur.corpus.spec import CleanedSource

# Permissive or public domain: what a corpus may keep unless its cleaning.licences says otherwise.
_NAMES = """0BSD Apache-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 CC-BY-4.0 CC-PDDC
HPND ISC MIT MIT-0 MIT-CMU NCSA PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Unicode-3.0
Unicode-DFS-2016 Unlicense UPL-1.0 WTFPL X11 Zlib ZPL-2.1 blessing LicenseRef-Public-Domain LicenseRef-scancode-zsh"""
PERMISSIVE = frozenset(_NAMES.split()) | {"Apache-2.0 WITH LLVM-exception"}
PUBLIC_DOMAIN = frozenset({"LicenseRef-Public-Domain", "CC0-1.0", "CC-PDDC"})
# What a user writes for text of their own, and what such documents carry: nobody else's licence. Only
# for files of this machine, so that nothing that was downloaded can be called so.
OWN, OWN_REFERENCE = "own", "LicenseRef-Own"
# Sources whose documents each carry their own licence are declared so.
MIXED = "mixed"
_WORDS = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "expat": "MIT",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license (2.0)": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "isc license": "ISC",
    "psf": "PSF-2.0",
    "public domain": "LicenseRef-Public-Domain",
}
# A trove classifier's last part. "BSD License" names a family: None here, see ``family``.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "PostgreSQL License": "PostgreSQL",
    "Public Domain": "LicenseRef-Public-Domain",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
}
_LICENCE_TEXT = re.compile(
    r"^\W*(apache license(?!,? (?:version )?1)|(?:the )?mit license)\b", re.IGNORECASE
)


@functools.cache
def _licensing() -> Any:
    """All of SPDX' licences; loaded (60 ms) when one is met that is not a plain, permitted name."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _unparsed() -> tuple[type[Exception], ...]:
    """What parsing raises for a text that is no expression."""
    from license_expression import ExpressionError

    return ExpressionError, AttributeError, ValueError


# A data set's rows say the same few licences again and again.
@functools.lru_cache(1024)
def spdx(text: str) -> str | None:
    """``text`` as an SPDX expression in its shortest form, or None when it is none.

    Two expressions that mean the same give the same text: ``MIT OR Apache-2.0`` is
    ``Apache-2.0 OR MIT``. Names of its own (``LicenseRef-``) are taken as they stand.
    """
    if text in PERMISSIVE:
        return text
    try:
        parsed = _licensing().parse(text)
        unknown = _licensing().unknown_license_keys(parsed) if parsed is not None else [""]
    except _unparsed():
        return None
    if not all(re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", name) for name in unknown):
        return None
    return str(parsed.simplify())


def join_licences(names: Sequence[str]) -> str | None:
    """The expression of licences that all apply, each a name or an expression; None where one is no
    SPDX expression or none is given."""
    known = [spdx(name) for name in names]
    if not known or None in known:
        return None
    return spdx(" AND ".join(f"({name})" for name in known)) if len(known) > 1 else known[0]


@functools.lru_cache(1024)
def allowed(expression: str, names: frozenset[str]) -> bool:
    """Whether an expression can be met with ``names`` alone: all of an AND, one of an OR."""
    if expression in PERMISSIVE:
        return expression in names
    try:
        parsed = _licensing().parse(expression)
    except _unparsed():
        return expression in names
    return parsed is not None and _met(parsed, names)


def _met(node, names: frozenset[str]) -> bool:
    if hasattr(node, "args") and node.args:
        results = [_met(child, names) for child in node.args]
        return any(results) if type(node).__name__ == "OR" else all(results)
    return str(node) in names


def read_metadata(text: str) -> tuple[str | None, bool]:
    """(licence, only a family) of a PKG-INFO or METADATA file; (None, False) when it says nothing.

    Order: ``License-Expression`` (PEP 639), ``License`` where it is a name, then the classifiers.
    A bare "BSD" is a family: it agrees with any of the BSD licences and decides none.
    """
    head = HeaderParser().parsestr(text)
    expression = head.get("License-Expression")
    if expression:
        return spdx(expression) or expression, False
    written = " ".join((head.get("License") or "").split())
    short = written.strip().lower().rstrip(".")
    if short in _WORDS:
        return _WORDS[short], False
    if (
        0 < len(written) < 100
        and short not in ("unknown", "bsd", "bsd license", "apache")
        and spdx(written)
    ):
        return spdx(written), False
    named = [
        line.split("::")[-1].strip()
        for line in head.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    found = sorted({_CLASSIFIERS[name] for name in named if name in _CLASSIFIERS})
    if found:
        return " AND ".join(found), False
    if "BSD License" in named or short.startswith("bsd"):
        return "BSD", True
    begins = _LICENCE_TEXT.match(written)
    if begins and len(written) < 100 and not licence_texts.asks_something(written):
        return ("Apache-2.0" if "apache" in begins[1].lower() else "MIT"), False
    # Some packages paste the whole licence there.
    return licence_texts.recognise_text(head.get("License") or ""), False


def read_npm(text: str) -> str | None:
    """The licence of an npm ``package.json``, None when it names none that is an SPDX expression."""
    try:
        value = json.loads(text)["license"]
    except (ValueError, KeyError, TypeError):
        return None
    return spdx(value) if isinstance(value, str) else None


def read_debian(text: str) -> str | None:
    """The licence of ``Files: *`` in a Debian copyright file (DEP-5), None where it is no known one."""
    stanzas = [HeaderParser().parsestr(part) for part in re.split(r"\n\s*\n", text)]
    for stanza in stanzas:
        if (stanza.get("Files") or "").strip() == "*":
            name = (stanza.get("License") or "").strip().splitlines()
            short = name[0].strip() if name else ""
            return _WORDS.get(short.lower().replace("-", " ")) or (spdx(short) if short else None)
    return None


def settle(source: CleanedSource, metadata: tuple[str | None, bool] = (None, False)) -> str:
    """The licence that a source's documents carry, from its metadata and its catalogue entry.

    Metadata decides; the entry's ``licence`` makes a family definite and must not contradict it.
    One exception: texts in the public domain are often packed in a package whose own licence is
    its wrapper's, so a text source may be declared public domain. ``UserError`` otherwise.
    """
    name, declared = source.name, source.licence
    said, family = metadata
    wanted = spdx(OWN_REFERENCE if declared == OWN else declared) if declared else None
    where = f"{name}: licence {declared!r} in sources.yaml"
    if declared and wanted is None:
        raise UserError(f"{where} is no SPDX expression")
    if said is None and wanted is None:
        raise UserError(f"{name}: no licence in its metadata and none in sources.yaml")
    if said is None or (wanted in PUBLIC_DOMAIN and source.kind == "text"):
        return str(wanted)
    if family:
        if wanted and wanted.startswith(said):
            return wanted
        raise UserError(
            f"{where}: its metadata says {said!r} and not which: name one of that family"
        )
    if wanted and wanted != said:
        raise UserError(f"{where}: its metadata says {said!r}: one of them is wrong")
    return said
