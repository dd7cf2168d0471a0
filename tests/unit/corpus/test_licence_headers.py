"""Heads of files as they are really written: what they say against their package's licence."""

import re

import pytest
from lemur.corpus.licence_headers import read_header
from made_packages import CODE, PYTHON, package, sifted

TAGS = [
    ("// SPDX-License-Identifier: (MIT OR Apache-2.0)\n", "Apache-2.0 OR MIT"),
    ("/* SPDX-License-Identifier: BSD-3-Clause */\n", "BSD-3-Clause"),
    ("<!-- SPDX-License-Identifier: CC0-1.0 -->\n", "CC0-1.0"),
    ('"""SPDX-License-Identifier: MIT"""\n', "MIT"),
    ("# SPDX-License-Identifier: Weird-1.0\n", "(Weird-1.0)"),
    ("# spdx-license-identifier: GPL-3.0-only\n", "GPL-3.0-only"),
    ("# SPDX-License-Identifier: GPL-2.0+\n", "GPL-2.0-or-later"),
    ("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: GPL-2.0-only\n", "GPL-2.0-only AND MIT"),
    ("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: MIT\n", "MIT"),
    ("/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */\n", "GPL-2.0-only WITH Linux-syscall-note"),
    ("# SPDX-License-Identifier: GPL-2.0-only OR MIT\n# under the GNU General Public License\n", "GPL-2.0-only OR MIT"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TAGS)
def test_tags(text, expected):
    assert read_header(text) == (expected, False)


RESTRICTED = [
    "This work is licensed under the terms of the GNU GPL, version 2.  See\nthe COPYING file.",
    "This library is under the LGPL version 2.1",
    "licensed under the GNU AGPL version 3",
    "Released under GNU GPLv3",
    "This program is distributed under the GPL, version 3 or any later version.",
    "Licensed under the GPL-2 or later.",
    "License: LGPL-2.1+",
    "Licensed under the LGPLv2.1",
    "under the GNU Lesser General Public License",
    "It is free software under the terms of the GNU\nGeneral Public License as published",
    "under the GNU Free Documentation License, Version 1.2",
    "This Source Code Form is subject to the terms of the Mozilla Public\nLicense, v. 2.0.",
    "Version: MPL 1.1/GPL 2.0/LGPL 2.1",
    "made available under the Eclipse Public License v1.0",
    "This work is licensed under CC BY-SA 4.0",
    "https://creativecommons.org/licenses/by-nc/4.0/",
    "Creative Commons Attribution-ShareAlike 3.0 Unported",
    "Licensed under the EUPL, Version 1.2",
    "European Union Public Licence",
    "subject to the terms of the Common Development and Distribution License.",
    "CDDL HEADER START",
    "licensed under the Server Side Public License, version 1",
    "Use of this software is governed by the Business Source License",
    "licensed under the BSL 1.1",
    "under the terms of the Artistic License",
    "under the same terms as Perl itself",
    "This font is licensed under the SIL Open Font License, Version 1.1.",
    "You may not use this for commercial purposes",
    "for non-commercial use only",
    "Proprietary and confidential",
    "Distributed under the General Public License version 2",
    "Dual licensed under the MIT and GPL licenses",
    "Licensed under the GPL and MIT licenses.",
    "Released under the GNU license",
    "licence : LGPL",
    '__license__ = "GPL"',
    "conditions of the LaTeX Project Public License, either version 1.3",
    "Licensed under LPPL 1.3c",
    "subject to the Microsoft Public License (Ms-PL)",
    "subject to the Microsoft Reciprocal License",
    "License: MS-RL",
    "This text is under Creative Commons BY-SA",
    "under a Creative Commons Attribution-NonCommercial license",
    "distributed under the terms of the Q Public License version 1.0",
    "distributed under the terms of the QPL",
    "Licensed under the MPLv2",
    "All rights reserved. Unauthorized copying of this file is strictly prohibited.",
]
PLAIN = [
    "Licensed under the Apache License, Version 2.0",
    "https://creativecommons.org/licenses/by/4.0/",
    "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "Redistribution and use in source and binary forms, with or without\nmodification, are permitted",
    "Distributed under the Boost Software License, Version 1.0 (BSL 1.0)",
    "This file is in the public domain.",
    "Copyright 2020 A. Author. All rights reserved.",
    "Reads the GPL's text from a file and counts its words",
    "the common public interface of all licences",
    "Any GPL-compatible license will do",
    "licensed under the GNU All-Permissive License",
    "Creative Commons Attribution 4.0 license",
    "terms of MS Word and of general public interest, licensed as MIT",
    "the qpl parser takes version numbers of a license",
    'if license == "gpl": raise',
    "import gnu, mpl  # from GNU make",
    "it must not be used before init()",
]
COMMENTS = {
    "python": "# {}",
    "c": "/*\n * {}\n */",
    "tex": "% {}",
    "erlang": "%% {}",
    "fortran": "C     {}",
    "modern fortran": "!> {}",
    "vhdl": "-- {}",
    "lisp": ";; {}",
    "batch": "rem {}",
    "m4": "dnl {}",
    "ocaml": "(* {} *)",
    "haskell": "{{-\n   {}\n-}}",
    "jinja": "{{#\n   {}\n#}}",
    "html": "<!--\n  {}\n-->",
    "roff": '.\\" {}',
    "visual basic": "' {}",
}


@pytest.mark.parametrize("words", RESTRICTED)
def test_words_of_a_restricted_licence(words):
    for name, form in COMMENTS.items():
        opening, _, ending = form.partition("{}")
        mark = opening.rsplit("\n", 1)[-1].replace("{{", "{").replace("(*", "  ")
        text = form.format(words.replace("\n", f"\n{mark}"))
        assert read_header(text + "\nx = 1\n") == (None, True), name


@pytest.mark.parametrize("words", PLAIN)
def test_what_is_permitted_or_no_licence(words):
    assert read_header("# " + words.replace("\n", "\n# ") + "\n") == (None, False)


def test_a_phrase_broken_anywhere():
    """Between any two words a line may end, in any language's comment."""
    words = re.findall(r"\w+", "under the terms of the GNU General Public License")
    for form in ("# ", "% ", "C     ", "rem ", " * ", "-- ", ";; ", "   "):
        for at in range(1, len(words)):
            text = f"{form}{' '.join(words[:at])}\n{form}{' '.join(words[at:])}\n"
            assert read_header(text) == (None, True), text


def test_only_the_head_counts():
    assert read_header("x = 1\n" * 2000 + "# GNU General Public License\n") == (None, False)


def test_a_restricted_header_drops_its_file(tmp_path):
    files = {f"{k}.py": f"# {words}\n".encode() + PYTHON for k, words in enumerate(RESTRICTED[:9])}
    files |= {
        "two.py": b"# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: MPL-2.0\n" + PYTHON
    }
    rows, stats = sifted(tmp_path, CODE, package(files | {"good.py": PYTHON}))
    assert [row["path"] for row in rows] == ["pkg-1/good.py"]
    assert stats["dropped"]["licence_header"]["files"] == 10
