"""A study expands to recipes: pairing, shares, arms, budgets in hours, and mistakes in one line."""

import shutil
from fractions import Fraction

import pytest
from lemur.config import load, stages
from lemur.core.errors import UserError
from lemur.study import cells, plan


@pytest.fixture(scope="module")
def ratio():
    return cells.expand({"study": "ratio"})


def test_no_study_where_none_is_named():
    assert cells.expand({"recipe": "mini"}) is None
    with pytest.raises(UserError, match="hours: goes with study="):
        cells.expand({"recipe": "mini", "hours": 2})


def test_every_cell_starts_from_the_base_of_its_seed(ratio):
    bases = [cell for cell in ratio.cells if cell.share is None]
    assert len(bases) == 7 and len(ratio.cells) == 7 * (1 + 7 + 3 + 1 + 2 + 2)
    assert len({cell.recipe for cell in ratio.cells}) == len(ratio.cells) == len(ratio.recipes)
    for cell in ratio.cells:
        recipe = ratio.recipes[cell.recipe]
        assert recipe["base"]["from"]["random"]["seed"] == cell.seed
        own = cells.OWN_ORDER if cell.share is None else 0
        assert recipe["seed"] == cell.seed + own
        assert recipe["base"]["tokenized_as"] == "study-1m-seed-1"
        if cell.share is None:
            assert "pretrained_by" not in recipe["base"]
            assert recipe["mixture"]["code_share"] == "1/20"
        else:
            assert recipe["base"]["pretrained_by"] == f"ratio-{cell.base}-seed-{cell.seed}-base"
            assert Fraction(recipe["mixture"]["code_share"]) == cell.share


def test_cells_differ_in_what_the_design_says_and_in_nothing_else(ratio):
    """Of one base and seed: the main cells in the share, a control in one more thing."""
    first = ratio.recipes["ratio-1m-seed-1-code-0.500"]
    changed = {
        "ratio-1m-seed-1-code-0.909": {"mixture"},
        "ratio-1m-seed-2-code-0.500": {"seed", "base"},
        "ratio-1m-seed-1-rate-half-code-0.500": {"pretrain"},
        "ratio-1m-seed-1-shuffled-code-0.750": {"mixture", "pretrain"},
        "ratio-1m-seed-1-additive-code-0.750": {"mixture", "pretrain"},
    }
    for name, keys in changed.items():
        other = ratio.recipes[name]
        assert {k for k in first if first[k] != other[k]} == {"name", *keys}, name
    # A control keeps no earlier checkpoint: it is scored at its end alone.
    plain = first["pretrain"]["checkpoint"] | {"keep_at": [48, 96]}
    assert first["pretrain"]["checkpoint"] == plain
    end = {key: value for key, value in plain.items() if key != "keep_at"}
    half = ratio.recipes["ratio-1m-seed-1-rate-half-code-0.500"]["pretrain"]
    assert half == first["pretrain"] | {
        "optimizer": first["pretrain"]["optimizer"] | {"learning_rate": 0.0015},
        "checkpoint": end,
    }
    shuffled = ratio.recipes["ratio-1m-seed-1-shuffled-code-0.750"]
    main = ratio.recipes["ratio-1m-seed-1-code-0.750"]
    assert shuffled["mixture"] == main["mixture"] | {"code_lines": "shuffled"}
    assert shuffled["pretrain"] == main["pretrain"] | {"checkpoint": end}
    assert stages.token_folder(shuffled, "text") == stages.token_folder(main, "text")
    assert stages.token_folder(shuffled, "code") == "study-1m-seed-1-shuffled-lines"


def test_the_additive_control_keeps_its_text(ratio):
    tokens = {cell.share: cell.tokens for cell in ratio.cells
              if (cell.base, cell.seed, cell.arm) == ("1m", 1, "additive")}  # fmt: skip
    text = {share: float(tokens[share] * (1 - share)) for share in tokens}
    assert set(text) == {Fraction(1, 2), Fraction(3, 4), Fraction(10, 11)}
    assert max(text.values()) - min(text.values()) <= 16_384  # one batch
    assert text[Fraction(1, 2)] == 3_145_728 / 2


def test_evaluation_is_the_same_for_all(ratio):
    assert len({str(recipe["evaluate"]) for recipe in ratio.recipes.values()}) == 1


def test_measures_are_shown_as_the_file_lists_them_the_primary_first(ratio):
    """--spec is JSON whose mappings are sorted: order stands in a list."""
    order = cells.analysis_spec(ratio)["order"]
    assert order[:4] == ["actions", "code", "text", "known actions"] and order[-1] == "Spider"
    assert sorted(order) == sorted(cells.analysis_spec(ratio)["measures"])


def test_a_published_base_is_scored_once_and_is_the_users_own_case():
    study = cells.expand({"study": "base"})
    published = [cell for cell in study.cells if cell.model == "start"]
    assert [cell.recipe for cell in published] == ["base-smollm2-135m-base"]
    assert cells.analysis_spec(study)["cells"][0]["share"] is None


def test_other_studies_are_the_same_machine():
    size = cells.expand({"study": "size"})
    assert len({cell.base for cell in size.cells}) == 4
    assert cells.expand({"study": "smallest"}).recipes


def test_a_budget_cuts_and_says_what(ratio):
    assert ratio.cost.total > 20 and ratio.cut == ()
    small = cells.expand({"study": "ratio", "hours": 4})
    assert small.cost.total <= 4 < 1.2 * small.cost.total  # what fits is used
    assert [base.name for base in small.design.bases] == ["1m"]
    assert small.design.seeds == (1, 2, 3) and small.design.shares == ratio.design.shares
    assert "controls additive" in small.cut[0] and small.cut[1] == "bases 3m, 13m"
    assert small.cut[-1].startswith("tokens, to ")
    shown = "\n".join(plan.lines(small))
    assert "cut             bases 3m, 13m" in shown and "hours           4.0 h" in shown


def test_sets_aside_are_held_out_whole(ratio):
    common = ratio.common
    aside = {item["name"]: item["set"] for item in common["corpus"]["sources"] if "set" in item}
    assert set(aside.values()) == {"out_of_domain", "fresh"}
    for kind in ("code", "text"):
        trained = set(stages.heldout(common, kind)["sources"])
        assert trained and not trained & set(aside)
        for chosen in set(aside.values()):
            names = stages.heldout(common, f"{chosen}_{kind}")["sources"]
            assert names and {aside[name] for name in names} == {chosen}
    assert stages.clean(common, "symfony")["heldout"] == {"share": 1.0}
    assert stages.clean(common, "rails")["heldout"] == {"share": 0.02}


def test_a_fresh_source_is_newer_than_the_day_that_the_corpus_names(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    shutil.copytree(load.CONFIG, folder)
    file = folder / "corpora" / "study.yaml"
    file.write_text(file.read_text().replace("2026-10-15", "2026-11-14"))
    monkeypatch.setattr(load, "CONFIG", folder)
    with pytest.raises(UserError, match=r"'openai-fresh' of the set fresh was released 2026-11-13T21:13:37Z; needed is after fresh_after: 2026-11-14"):  # fmt: skip
        cells.expand({"study": "ratio"})


@pytest.mark.parametrize(
    "config, words",
    [
        ({"study": "ratoi"}, "no study 'ratoi' in config/studies; did you mean 'ratio'?"),
        ({"study": "ratio", "hours": 0.1}, "the least that keeps the design (3 seeds, 1 bases, 7 shares) takes about"),
        ({"study": "smallest", "set": {"evaluate.benchmarks": [{"name": "humaneval"}]}}, "measures.code: recipe 'study' does not score 'bits_per_byte_code'"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_command_is_one_line(config, words):
    with pytest.raises(UserError) as told:
        cells.expand(config)
    assert words in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    "change, words",
    [
        (("seeds: [1]", "seeds: [1, 1]"), "seeds: each once"),
        (("primary:", "checkpoints: {shares: [1/2, 1/4], measures: [actions]}\nprimary:"), "checkpoints.shares: parts of a cell's tokens"),
        (("primary:", "checkpoints: {shares: [1/2], measures: [action]}\nprimary:"), "checkpoints.measures: 'action' is no measure; did you mean 'actions'?"),
        (("tokens_per_second: 20_000", "tokens_per_second: 20_000, seeds: [2]"), "bases.0.seeds: [2] are not some of the study's [1]"),
        (("[0, 1/2, 10/11, 1]", "[0, 1/2, 10/11, 2]"), "shares.3: 2 is too large"),
        (("[0, 1/2, 10/11, 1]", "[0, 10/11, 1/2, 1]"), "shares: must rise"),
        (("reference: 10/11", "reference: 1/3"), "reference: 1/3 is none of the shares"),
        (("primary: actions", "primary: action"), "'action' is no measure; did you mean 'actions'?"),
        (("model: study-tiny", "model: study-tin"), "no model 'study-tin'"),
        (("model: study-tiny, pretrain: {share: 1/20, tokens: 32_768}", "model: study-tiny"), "'study-tiny' is random: say how it is pretrained"),
        (("test: best-share-below", "test: best-share"), "test: 'best-share'; did you mean 'best-share-below'?"),
        (("statistics:", "statistic:"), "statistic: unknown key; did you mean 'statistics'?"),
        (("resamples: 400", "resamples: 4e2"), "resamples: '4e2' is not of type integer"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line(tmp_path, monkeypatch, change, words):
    folder = tmp_path / "config"
    shutil.copytree(load.CONFIG, folder)
    file = folder / "studies" / "smallest.yaml"
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    monkeypatch.setattr(load, "CONFIG", folder)
    with pytest.raises(UserError) as told:
        cells.expand({"study": "smallest"})
    assert words in str(told.value) and "smallest.yaml" in str(told.value)
    assert "\n" not in str(told.value)
