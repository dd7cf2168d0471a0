"""What the rules give the scripts of the data stages is what those read: of the recipes that come with the project."""

import json

import pytest
from lemur.config import recipe as recipes
from lemur.config import stages
from lemur.core.contracts import read
from lemur.core.errors import UserError
from lemur.corpus.deduplication import DuplicatesSpec, SignSpec
from lemur.corpus.mathematics import MathematicsSpec
from lemur.corpus.spec import CleanSpec, DatasheetSpec
from lemur.mixture.decontaminate import DecontaminateSpec
from lemur.mixture.heldout import HeldoutSpec
from lemur.mixture.planned import PlanSpec, TableSpec
from lemur.sft.conversation import ConversationsSpec, TokensSpec
from lemur.tokenization.pack import PackSpec
from lemur.tokenization.token_files import TokenizeSpec


def specs(recipe):
    """(type, slice) of every data stage."""
    for source in recipe["corpus"]["sources"]:
        yield CleanSpec, stages.clean(recipe, source["name"])
        if "generator" in source.get("from", {}):
            yield MathematicsSpec, stages.download(source["name"], source)
    if recipe["corpus"]["deduplication"]:
        yield SignSpec, stages.signatures(recipe)
    yield DuplicatesSpec, stages.duplicates(recipe)
    yield DatasheetSpec, stages.datasheet(recipe)
    yield TableSpec, stages.mixture_table(recipe)
    yield PlanSpec, stages.plan(recipe)
    yield DecontaminateSpec, stages.decontaminate(recipe)
    for kind in ("code", "text"):
        yield HeldoutSpec, stages.heldout(recipe, kind)
        yield TokenizeSpec, stages.token_files(stages.token_folder(recipe, kind))
    yield PackSpec, stages.pack(recipe)
    yield ConversationsSpec, stages.conversations(recipe)
    yield TokensSpec, stages.sft_tokens(recipe)


@pytest.mark.parametrize("name", ["lemur-70b", "llama3-8b", "mini", "mini-hub", "smoke", "study"])
def test_a_recipe_s_slices_are_read(name):
    found = [read(kind, json.loads(json.dumps(slice_)), "--spec") for kind, slice_ in specs(recipes.resolve(name))]  # fmt: skip
    assert {type(spec) for spec in found} >= {CleanSpec, PlanSpec, PackSpec, TokensSpec}


def test_a_misspelled_setting_is_one_line():
    spec = stages.clean(recipes.resolve("smoke"), "flask-docs")
    spec["cleaning"]["min_byte"] = 1
    with pytest.raises(UserError, match="--spec: cleaning: unknown key 'min_byte'; did you mean 'min_bytes'"):  # fmt: skip
        read(CleanSpec, spec, "--spec")
