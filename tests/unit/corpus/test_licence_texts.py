"""Licence texts inside a package's folders: the plain ones by name, one with conditions not at all."""

import sysconfig
from pathlib import Path

import pytest
from lemur.corpus import licence_texts
from lemur.corpus.licence_texts import is_licence_file, recognise_text
from made_packages import CODE, PYTHON, package, sifted

MIT = f"""The MIT License (MIT)

Copyright (c) 2013-2022 A. Author <a@example.org> and contributors

{licence_texts._MIT.capitalize()}
"""
BSD = licence_texts._BSD.format("")
BSD3 = "Copyright 2020, Somebody Inc.\nAll rights reserved.\n\n" + licence_texts._BSD.format(
    licence_texts._NAMES.replace("the copyright holder", "Somebody Inc.")
)
ISC = "ISC License\n\nCopyright (c) 2020 by X\n\n" + licence_texts._ISC
NOTICE = licence_texts._APACHE_NOTICE.replace("2 0", "2.0")
CONDITIONS = [
    'Without limiting other conditions, the grant does not include the right to Sell ("Commons Clause").',
    "The Software shall be used for Good, not Evil.",
    "This software may not be used for any commercial purpose.",
    "All advertising materials mentioning features or use of this software must display an acknowledgement.",
    "It is forbidden to use this software in weapons of any kind.",
    "Parts of this program are under the GNU General Public License.",
    "Modified versions must be sent to the author.",
    "You may not sell it.",
    "Not for resale.",
    "Redistribution for profit is not allowed.",
    "Only students of the university have these rights.",
    "It may never be sold.",
]
# Lines that say who and when are no licence's words, but what stands behind may ask something.
NOTICES = [
    "Copyright (c) 2020 A. Author. You may not sell copies.",
    "(c) 2020 A. Author, not for resale",
    "All rights reserved. Redistribution for profit is prohibited.",
    "Authors: students, for whom only this is meant",
    "Copyright 2020 A. Author, for academic use",
    "A. Author <a@example.org> forbids its use in schools.",
]


@pytest.mark.parametrize(
    ("text", "name"),
    [(MIT, "MIT"), (BSD, "BSD-2-Clause"), (BSD3, "BSD-3-Clause"), (ISC, "ISC"), (NOTICE, "Apache-2.0")],
)  # fmt: skip
def test_texts(text, name):
    assert recognise_text(text) == name
    assert recognise_text("\n".join(f"# {line}" for line in text.split("\n"))) == name
    assert recognise_text(text.upper()) == name


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("text", [MIT, BSD, BSD3, ISC])
def test_a_condition_makes_another_licence(text, condition):
    middle = text.index("provided") if "provided" in text else len(text)
    for made in (
        f"{text}\n{condition}\n",
        f"{condition}\n\n{text}",
        f"{text[:middle]}{condition} {text[middle:]}",
    ):
        assert recognise_text(made) is None


@pytest.mark.parametrize("line", NOTICES)
@pytest.mark.parametrize("text", [MIT, BSD, BSD3, ISC, NOTICE])
def test_a_condition_in_a_notice(text, line):
    assert recognise_text(f"{line}\n\n{text}") is None
    assert recognise_text(f"{text}\n{line.upper()}\n") is None


@pytest.mark.parametrize(
    "line",
    ["Copyright (c) 2020 Microsoft Research", "Copyright 2020 Academic Society. All rights reserved."],
)  # fmt: skip
def test_who_wrote_it_is_no_condition(line):
    assert recognise_text(f"{line}\n\n{MIT}") == "MIT"


def test_wordings_in_use():
    named = licence_texts._BSD.format(licence_texts._NAME)
    assert recognise_text(named) == "BSD-3-Clause"
    template = (
        "Based on http://opensource.org/licenses/MIT\n\nThis is a template. Complete and ship "
    )
    template += "as file LICENSE the following 2\nlines (only)\n\nYEAR:\nCOPYRIGHT HOLDER:\n\n"
    assert recognise_text(template + licence_texts._MIT) == "MIT"


def test_apache_as_it_is_packed():
    """Real copies of the licence, of installed packages, and the same with a condition anywhere."""
    root = Path(sysconfig.get_path("purelib"))
    texts = [path.read_text(errors="replace") for path in root.glob("*.dist-info/**/LICENSE*")]
    # One that is longer holds another licence behind it.
    texts = [t for t in texts if t.lstrip().startswith("Apache License") and len(t) < 11_600]
    assert len(texts) > 5
    for text in texts:
        assert recognise_text(text) == "Apache-2.0"
        middle = text.index("2. Grant of Copyright License")
        for condition in ("You may not sell it.", "Not for resale.", "Only for students."):
            assert recognise_text(f"{text}\n{condition}\n") is None
            assert recognise_text(f"{condition}\n\n{text}") is None
            assert recognise_text(f"{text[:middle]}{condition}\n{text[middle:]}") is None


@pytest.mark.parametrize(
    "text", ["", "GNU GENERAL PUBLIC LICENSE", MIT + BSD3, MIT[: len(MIT) // 2], "See LICENSE."]
)
def test_what_is_none_of_them(text):
    assert recognise_text(text) is None


def test_a_folder_with_conditions_is_dropped(tmp_path):
    files = {
        "plain/LICENSE": MIT.encode(),
        "plain/a.py": PYTHON,
        "evil/LICENSE": (MIT + CONDITIONS[1]).encode(),
        "evil/a.py": PYTHON + b"# 2\n",
    }
    rows, stats = sifted(tmp_path, CODE, package(files))
    assert [row["path"] for row in rows] == ["pkg-1/plain/a.py"]
    assert stats["dropped"]["nested_licence"]["files"] == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/LICENSE", True),
        ("COPYING.LESSER", True),
        ("LICENCE-MIT.txt", True),
        ("src/license.py", False),
        ("doc/license.rst", False),
        ("licensing/a.c", False),
        ("unlicensed", False),
    ],
)
def test_licence_files(path, expected):
    assert is_licence_file(path) is expected
