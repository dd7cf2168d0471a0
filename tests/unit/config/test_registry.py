"""The corpus of package registries: what the list of inspected packages names, pinned."""

import csv
from pathlib import Path

import pytest
from lemur.config import load, recipe

LISTED = load.CONFIG.parent.parent / "shared" / "registry-sources.tsv"


def test_every_listed_package_of_code_text_and_mathematics():
    if not Path(LISTED).exists():
        pytest.skip("mirror: no list of inspected packages")
    with open(LISTED, encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file, delimiter="\t") if row["kind"] in ("code", "text")
        ]
    sources = recipe.resolve("mini-registry")["corpus"]["sources"]
    generated = [s["name"] for s in sources if "generator" in s["from"]]
    assert generated == ["mathematics"]  # the listed package is the generator
    fetched = [s for s in sources if s["name"] not in generated]
    pinned = {(s["from"]["index"], s["from"]["file"], s["sha256"], s["kind"]) for s in fetched}
    listed = {(row["registry"], row["file"], row["sha256"], row["kind"]) for row in rows}
    assert listed == pinned


def test_keeps_minis_budget():
    small, mini = recipe.resolve("mini-registry"), recipe.resolve("mini")
    assert small["pretrain"] == mini["pretrain"]
