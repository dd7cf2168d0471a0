"""lemur.config.place: folders that no quoting helps."""

from dataclasses import replace
from pathlib import Path

import pytest
from lemur.config import place, recipe
from lemur.core.errors import UserError
from lemur.cost.recipe import planned


@pytest.mark.parametrize("name", ["my räume dir", "it's", "a$b", "50%", "a*[b]?", 'a"b', "a\\b", "#;&"])  # fmt: skip
def test_most_characters_are_fine_here(name):
    place.check(Path("/home") / name)


@pytest.mark.parametrize("character", ["$", "`", '"', "\\", "%"])
def test_those_that_sbatch_reads_again_are_refused_on_a_cluster(character):
    with pytest.raises(UserError, match="cannot be worked in") as told:
        place.check(Path("/work"), Path(f"/home/a{character}b"), cluster=True)
    assert "\n" not in str(told.value)
    place.check(Path("/home/my räume dir"), Path("/home/it's"), cluster=True)


@pytest.mark.parametrize("name", ["my dir", "it's", 'a"b', "a\\b"])
def test_what_pytorch_cannot_compile_in_is_refused(name):
    smoke = planned(recipe.resolve("smoke"))
    compiled = replace(smoke, pretrain=replace(smoke.pretrain, compile=True))
    with pytest.raises(UserError, match="pretrain.compile: PyTorch cannot compile below"):
        place.check_compiled(compiled, Path("/home/räume"), Path("/home") / name)
    gpus = replace(compiled.pretrain.parallel, device="cuda")
    for fine in (smoke, replace(compiled, pretrain=replace(compiled.pretrain, parallel=gpus))):
        place.check_compiled(fine, Path("/home") / name)
    place.check_compiled(compiled, Path("/home/räume"))
