"""Licence names from package metadata and file headers, as packages really write them."""

import pytest
from lemur.corpus import licence_texts, licences
from lemur.corpus.spec import CleanedSource

MIT = licence_texts._MIT.replace("\n", "\n        ")
METADATA = [
    ("License-Expression: MIT\nLicense: GPL\n", ("MIT", False)),
    ("License-Expression: apache-2.0 or mit\n", ("Apache-2.0 OR MIT", False)),
    ("License: BSD 3-Clause License\n", ("BSD-3-Clause", False)),
    ("License: Apache License (2.0)\n", ("Apache-2.0", False)),
    ("License: The MIT License (MIT)\n", ("MIT", False)),
    ("License: UNKNOWN\nClassifier: License :: OSI Approved :: Apache Software License\n", ("Apache-2.0", False)),
    ("License: BSD\nClassifier: License :: OSI Approved :: BSD License\n", ("BSD", True)),
    ("Classifier: License :: OSI Approved :: BSD License\n", ("BSD", True)),
    ("Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n", ("MIT", False)),
    ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n", ("GPL-3.0-only", False)),
    ("License:                                  Apache License\n  Version 2.0\n", ("Apache-2.0", False)),
    ("License: Apache License, version 2, January 2004, http://www.apache.org/licenses/\n", ("Apache-2.0", False)),
    ("License: MIT License, see LICENSE.txt\n", ("MIT", False)),
    ("License: MIT License, but you may not sell it\n", (None, False)),
    ("License: Apache License, Version 1.1\n", (None, False)),
    (f"License: MIT License\n        {MIT}\n", ("MIT", False)),
    (f"License: {MIT} Not for resale.\n", (None, False)),
    (f"License: MIT License\n        {MIT} Not for resale.\n", (None, False)),
    ("License: ask the author\n", (None, False)),
    ("Name: x\n", (None, False)),
    ("Name: x\n\nLicense: MIT\n", (None, False)),  # in the description, which says nothing
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), METADATA)
def test_metadata(text, expected):
    assert licences.read_metadata(text) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-2.0-only) AND ISC", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("LicenseRef-Public-Domain", True),
        ("Weird-1.0", False),
        ("AND (", False),
    ],
)
def test_allowed(expression, expected):
    assert licences.allowed(expression, licences.PERMISSIVE) is expected


def test_public_domain_text_in_a_package_with_another_licence():
    source = CleanedSource("x", "text", "LicenseRef-Public-Domain")
    assert licences.settle(source, ("MIT", False)) == "LicenseRef-Public-Domain"


def test_family_is_made_definite_by_the_catalogue():
    source = CleanedSource("x", "code", "BSD-3-Clause")
    assert licences.settle(source, ("BSD", True)) == "BSD-3-Clause"


def test_of_an_npm_manifest():
    assert licences.read_npm('{"license": "MIT"}') == "MIT"
    assert licences.read_npm('{"license": {"type": "MIT"}}') is None
    assert licences.read_npm('{"name": "x"}') is None
    assert licences.read_npm("not json") is None


def test_of_a_debian_copyright_file():
    head = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
    other = "Files: debian/*\nCopyright: B\nLicense: GPL-2+\n text\n"
    for written, name in (
        ("Expat", "MIT"),
        ("public-domain", "LicenseRef-Public-Domain"),
        ("PostgreSQL", "PostgreSQL"),
        ("Odd", None),
    ):
        mine = f"Files: *\nCopyright: A\nLicense: {written}\n\n"
        assert licences.read_debian(head + mine + other) == name
    assert licences.read_debian("This package was put together by hand.\n") is None


def test_permitted_names_are_what_spdx_makes_of_them():
    # They are taken as they stand, without loading SPDX' list; LicenseRef names are not on it.
    listed = {name for name in licences.PERMISSIVE if not name.startswith("LicenseRef-Public")}
    parse = licences._licensing().parse
    assert {name: str(parse(name, validate=True)) for name in listed} == {n: n for n in listed}
    assert all(licences.allowed(name, licences.PERMISSIVE) for name in licences.PERMISSIVE)
    assert not any(licences.allowed(name, frozenset()) for name in licences.PERMISSIVE)


def test_an_expression_in_another_order_is_the_same():
    source = CleanedSource("x", "code", "MIT OR Apache-2.0")
    said = licences.read_metadata("License-Expression: Apache-2.0 OR MIT\n")
    assert licences.settle(source, said) == "Apache-2.0 OR MIT"
