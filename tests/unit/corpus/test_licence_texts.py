"""Licence texts inside a package's folders: the plain ones by name, one with conditions not at all."""

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
