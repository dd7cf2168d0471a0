"""A sweep over five ratios: named recipes, and every source cleaned and tokenized once."""

import pytest
from lemur.config import load, recipe, sweep
from lemur.errors import UserError
from lemur.provenance import digest
from snake import planned, snakemake


def test_each_source_is_tokenized_once_for_five_ratios(tmp_path):
    jobs = planned(tmp_path, "--config", "sweep=ratio")
    sources = recipe.resolve("mini")["corpus"]["sources"]
    parts = sum(source.get("parts", 1) for source in sources)
    assert jobs["tokenize"] == jobs["clean"] == parts
    for rule in ("plan_mixture", "decontaminate", "pack", "write_mixture_table"):
        assert jobs[rule] == 5, rule
    assert jobs["duplicates"] == 1
    assert "continue_pretraining" not in jobs


def test_each_points_files_say_which_point_they_are_of(tmp_path):
    """Its own recipe's digest, and not that of the sweep's first point."""
    done = snakemake(
        tmp_path, "-n", "-p", "results/ratio-3/tokens/realised.json", "--config", "sweep=ratio",
    )  # fmt: skip
    three = digest(recipe.resolve("ratio-3"))
    for script in ("2_mix/plan.py", "2_mix/decontaminate.py", "3_tokenize/pack.py"):
        (call,) = [line for line in done.stdout.splitlines() if f"scripts/{script}" in line]
        assert f"--recipe-digest {three}" in call, script


def test_states_what_it_holds_constant(tmp_path):
    done = snakemake(tmp_path, "--dry-run", "--config", "sweep=ratio", "recipe=mini")
    assert "constant: corpus" in done.stderr
    assert "ratio-1 (1), ratio-3 (3), ratio-5 (5), ratio-10 (10), ratio-20 (20)" in done.stderr


def test_a_point_is_a_recipe_of_its_own():
    three, ten = recipe.resolve("ratio-3"), recipe.resolve("ratio-10")
    assert (three["name"], three["mixture"]["code_to_text"]) == ("ratio-3", 3)
    assert ten == recipe.resolve("mini") | {"name": "ratio-10"}
    assert recipe.provenance_of("ratio-3")["mixture.code_to_text"]["mark"] == "ours"
    assert list(recipe.resolve_sweep("ratio")) == [f"ratio-{n}" for n in (1, 3, 5, 10, 20)]


def test_a_point_runs_to_its_report_like_any_recipe(tmp_path):
    assert planned(tmp_path, "--config", "recipe=ratio-3") == planned(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("mixture.code_to_text", "pretrain.tokens"), "key: "),
        (("ratio-3:", "mini:"), "values.mini: a recipe has that name already"),
        (("recipe: mini", "recipe: minni"), "no recipe 'minni'"),
        (("ratio-3: 3", "ratio-3: no"), "mixture.code_to_text"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path, monkeypatch, change, words):
    import shutil

    folder = tmp_path / "config"
    shutil.copytree(load.CONFIG, folder)
    file = folder / "sweeps" / "ratio.yaml"
    file.write_text(file.read_text().replace(*change))
    monkeypatch.setattr(load, "CONFIG", folder)
    with pytest.raises(UserError) as told:
        recipe.resolve_sweep("ratio")
    assert words in str(told.value) and "\n" not in str(told.value)


def test_an_unknown_sweep():
    with pytest.raises(UserError, match="no sweep 'ratoi' in config/sweeps; did you mean 'ratio'"):
        sweep.read("ratoi")
