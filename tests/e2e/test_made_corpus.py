"""A recipe of made packages, through its rules: what is dropped and why, and a source that keeps nothing."""

import csv
import json
import random

import pytest
from checkout import call, checkout
from hubserver.made import sha256, tar_gz

pytestmark = pytest.mark.timeout(900)
MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software
and associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions: The above copyright notice and this permission notice shall be
included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS",
WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
"""
META = b"Metadata-Version: 2.1\nName: made\nLicense-Expression: MIT\n\n"
RECIPE = """extends: smoke
corpus: made
pretrain: {tokens: 2_048, context: 64, global_batch_tokens: 256}
sft:
  sources:
    - {name: docstrings, format: docstring, examples: 8}
  max_examples: 8
evaluate:
  benchmarks: [{name: bits_per_byte_code}, {name: bits_per_byte_text}]
  heldout: {documents: 2, max_bytes: 600}
"""


def function(number: int, changed: str = "", count: int = 40) -> str:
    """A function of ``count`` words of its own; ``changed`` adds a line to it."""
    draw = random.Random(number)
    name, *words = ("".join(draw.choices("abcdefghijklmnop", k=7)) for _ in range(count))
    lines = [f"def {name}(first, second):"]
    lines += [f'    """Return what {words[0]} and {words[1]} come to when both are added up."""']
    lines += [f"    {word} = first * {k} + second" for k, word in enumerate(words)]
    return "\n".join([*lines, *([changed] if changed else []), "    return first", ""])


WORDS = """the water of that river and a town with houses which have been there for many years
to be seen"""


def prose(number: int) -> str:
    draw, words = random.Random(number), WORDS.split()
    return "\n".join(" ".join(draw.sample(words, 16)).capitalize() + "." for _ in range(14))


CODE = {f"good/{k}.py": function(k) for k in range(12)}
# What a conversation of few tokens is made of.
CODE |= {f"short/{k}.py": function(50 + k, count=3) for k in range(8)}
SOURCES = {
    "made-code": {
        **CODE,
        "near/copy.py": function(3, "    print(first, second)"),
        "plain/LICENSE": MIT,
        "plain/a.py": function(20),
        "resale/LICENSE": f"{MIT}\nNot for resale.\n",
        "resale/a.py": function(21),
        "heads/gpl.py": "# Distributed under the General Public License version 2\n" + function(22),
    },
    "made-ruby": {f"{k}.py": function(100 + k) for k in range(5)},
    "made-text": {f"{k}.txt": prose(k) for k in range(12)},
}


def add_source(folder, name, files):
    """Its entry in config/sources.yaml, and its download as it lies when it is fetched."""
    kind = "text" if name == "made-text" else "code"
    held = {f"{name}-1/PKG-INFO": META}
    held |= {f"{name}-1/{path}": text.encode() for path, text in files.items()}
    data = tar_gz(held)
    only = "\n    languages: [ruby]" if name == "made-ruby" else ""
    entry = f"""
  {name}:
    kind: {kind}
    from: {{index: pypi, package: {name}, version: 1.0.0, file: {name}-1.0.0.tar.gz}}
    sha256: {sha256(data)}
    size: {len(data)}
    licence: MIT
    citation: "made for a test"
    status: substitute
    substitute_for: nothing
    format: archive{only}
"""
    catalogue = folder / "config" / "sources.yaml"
    catalogue.write_text(catalogue.read_text() + entry)
    place = folder / "resources" / "corpora" / name / "part-0-of-1"
    archive = place / "files" / f"{name}-1.0.0.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(data)
    listed = {"path": f"files/{archive.name}", "sha256": sha256(data), "size": len(data)}
    (place / "manifest.json").write_text(
        json.dumps({"name": name, "part": 0, "parts": 1, "files": [listed]})
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout with a recipe of three made packages, one of them of no Ruby where Ruby is wanted."""
    folder = checkout(tmp_path_factory.mktemp("made") / "lemur")
    corpora = folder / "config" / "corpora"
    listed = "".join(f"  - {{name: {name}}}\n" for name in SOURCES)
    text = f"extends: smoke\nsources:\n{listed}heldout: {{share: 0.2}}\n"
    (corpora / "made.yaml").write_text(text)
    (folder / "config" / "recipes" / "made.yaml").write_text(RECIPE)
    for name, files in SOURCES.items():
        add_source(folder, name, files)
    return folder


def given(folder, *targets):
    done = call(folder, "--cores", "2", *targets, "--config", "recipe=made", "quiet_plan=true")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def test_what_is_dropped_through_the_rules(made):
    done = given(made, "corpus", "results/corpus/made/duplicates.json")
    said = "warning: Source made-ruby keeps no document: 6 files read, all dropped (other language 5, packaging 1)."
    assert said in done.stdout
    corpus = made / "results" / "corpus" / "made"
    stats = json.loads((corpus / "made-code" / "part-0-of-1.stats.json").read_text())
    assert {
        why: stats["dropped"][why]["files"] for why in ("nested_licence", "licence_header")
    } == {
        "nested_licence": 1,
        "licence_header": 1,
    }
    kept = sorted(f"made-code-1/{path}" for path in (*CODE, "near/copy.py", "plain/a.py"))
    assert stats["documents"] == len(kept)

    with (corpus / "made-code" / "duplicates.tsv").open() as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    names = {kept[int(row["row"])], row["kept_path"]}
    assert names == {"made-code-1/near/copy.py", "made-code-1/good/3.py"}
    assert row["reason"] == "near" and 0.85 <= float(row["similarity"]) < 1


@pytest.mark.long
def test_a_source_that_keeps_nothing_reaches_a_trained_model(made):
    given(made, "pretrain", "results/made/sft/data/index.json")
    results = made / "results" / "made"
    realised = json.loads((results / "tokens" / "realised.json").read_text())
    tokens = {source["name"]: source["tokens"] for source in realised["sources"]}
    assert tokens["made-ruby"] == 0 < tokens["made-code"]
    assert json.loads((results / "pretrain" / "DONE.json").read_text())["steps"] == 8
    assert json.loads((results / "sft" / "data" / "realised.json").read_text())["conversations"] > 0
