"""Reading YAML, overlays, `extends` and `set`."""

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.config import load
from lemur.core.errors import UserError

KEYS = st.sampled_from("abcd")
VALUES = st.recursive(
    st.none() | st.integers(-3, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inside: st.dictionaries(KEYS, inside, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=4)


def leaves(value, path=()):
    """(path, value) of everything that is not a mapping; an empty mapping is its own leaf."""
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    return [(path, value)]


def at(value, path):
    for key in path:
        value = value[key]
    return value


@given(MAPPINGS, MAPPINGS)
def test_merge_has_every_value_of_the_upper_and_what_the_upper_leaves_alone(below, above):
    before = copy.deepcopy((below, above))
    merged = load.merge(below, above)
    assert (below, above) == before
    for path, value in leaves(above):
        if path and value != {}:
            assert at(merged, path) == value
    overlaid = [path for path, _ in leaves(above) if path]
    for path, value in leaves(below):
        touched = any(
            path[: len(other)] == other or other[: len(path)] == path for other in overlaid
        )
        if not touched and path and value != {}:
            assert at(merged, path) == value


@given(MAPPINGS, MAPPINGS)
def test_merge_is_idempotent_and_has_an_empty_mapping_as_its_unit(below, above):
    merged = load.merge(below, above)
    assert load.merge(merged, above) == merged
    assert load.merge(below, {}) == below
    assert load.merge({}, below) == below
    assert load.merge({"a": {"b": 1}}, {"a": {}}) == {"a": {"b": 1}}


def test_merge_replaces_a_list_and_shares_nothing_with_its_inputs():
    above = {"a": {"list": [1]}}
    merged = load.merge({"a": {"list": [1, 2, 3], "kept": 0}}, above)
    assert merged == {"a": {"list": [1], "kept": 0}}
    merged["a"]["list"].append(9)
    assert above == {"a": {"list": [1]}}


@given(MAPPINGS.filter(bool), st.integers(10, 20))
def test_set_changes_one_leaf_and_nothing_else(recipe, new):
    path = next((p for p, _ in leaves(recipe) if p), None)
    before = copy.deepcopy(recipe)
    changed = load.with_values(recipe, {".".join(path): new})
    assert recipe == before
    assert at(changed, path) == new
    others = [(p, v) for p, v in leaves(recipe) if p != path]
    assert all(at(changed, p) == v for p, v in others)


def test_set_reaches_a_lists_entry_by_its_name():
    recipe = {"evaluate": {"benchmarks": [{"name": "a", "limit": 1}, {"name": "b"}]}}
    changed = load.with_values(recipe, {"evaluate.benchmarks.b.limit": 5})
    assert changed["evaluate"]["benchmarks"] == [
        {"name": "a", "limit": 1},
        {"name": "b", "limit": 5},
    ]
    whole = load.with_values(recipe, {"evaluate.benchmarks.a": {"name": "a"}})
    assert whole["evaluate"]["benchmarks"][0] == {"name": "a"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("pretain.tokens", "set: pretain: not a section of the recipe; did you mean 'pretrain'?"),
        ("pretrain.tokens.deep", "set: pretrain.tokens: not a section of the recipe"),
        ("list.c.limit", "set: list.c: no entry of that name"),
        ("list.c", "set: no entry 'c' in list"),
    ],
)
def test_set_names_the_part_of_the_key_that_is_wrong(key, message):
    recipe = {"pretrain": {"tokens": 1}, "list": [{"name": "a"}]}
    with pytest.raises(UserError) as caught:
        load.with_values(recipe, {key: 1})
    assert str(caught.value).startswith(message)


def test_a_key_given_twice_is_refused_with_its_line():
    with pytest.raises(load.yaml.YAMLError, match=r"key 'seed' stands twice \(line 3\)"):
        load.strict("seed: 1\nbase: x\nseed: 2\n")
    with pytest.raises(load.yaml.YAMLError, match="key 'b' stands twice"):
        load.strict("a: {b: 1, b: 2}")


def test_a_merge_key_takes_an_anchors_values_below_its_own():
    text = "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: *x}\n"
    assert load.strict(text) == {
        "x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}, "z": {"a": 1, "b": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nseed: 2\n", "seed.yaml: not valid YAML: key 'seed' stands twice (line 2)"),
        ("a: [1,\n", "seed.yaml, line 2: not valid YAML: "),
        ("a: !!python/object:os.system x\n", "seed.yaml, line 1: not valid YAML: could not determine a constructor"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_one_line_with_its_name(text, message, tmp_path):
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load.read_yaml(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load.read_yaml(tmp_path / "none.yaml")
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not valid YAML"):
        load.read_yaml(tmp_path / "x.yaml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty config/ in place of the repository's."""
    (tmp_path / "recipes").mkdir()
    monkeypatch.setattr(load, "CONFIG", tmp_path)
    return tmp_path / "recipes"


def test_extends_overlays_every_generation(folder):
    (folder / "a.yaml").write_text("x: {p: 1, q: 1}\nlist: [1, 2]\n")
    (folder / "b.yaml").write_text("extends: a\nx: {q: 2}\n")
    (folder / "c.yaml").write_text("extends: b\nlist: [3]\n")
    assert load.raw_recipe("c") == {"x": {"p": 1, "q": 2}, "list": [3]}


def test_extends_that_leads_back_is_refused(folder):
    (folder / "a.yaml").write_text("extends: b\n")
    (folder / "b.yaml").write_text("extends: a\n")
    (folder / "own.yaml").write_text("extends: own\n")
    for name in ("a", "own"):
        with pytest.raises(UserError, match="leads back to itself"):
            load.raw_recipe(name)


def test_a_recipe_that_is_not_there_or_no_mapping(folder):
    (folder / "mini.yaml").write_text("- 1\n")
    with pytest.raises(
        UserError, match="no recipe 'minni' in config/recipes; did you mean 'mini'?"
    ):
        load.raw_recipe("minni")
    with pytest.raises(UserError, match="no recipe '../mini'"):
        load.raw_recipe("../mini")
    with pytest.raises(UserError, match="a recipe is a mapping, not list"):
        load.raw_recipe("mini")


def test_a_corpus_extends_another_and_adds_sources(folder):
    """One of a name that is there takes its place; a filter's folder is beside the file that names it."""
    corpora = folder.parent / "corpora"
    for name in ("own", "other"):
        (corpora / name).mkdir(parents=True)
        (corpora / name / "__init__.py").touch()
    text = """
cleaning:
  min_bytes: 1
  max_bytes: 9
  redact: []
  filters:
    code: [{measure: a, path: own, least: 1, source: a reason of mine}]
    text: [{measure: words, least: 1, source: a reason of mine}]
deduplication: null
heldout: {share: 0.1}
"""
    (corpora / "a.yaml").write_text(f"sources: [{{name: s}}, {{name: t}}, {{name: u}}]{text}")
    mine = corpora / "b.yaml"
    more = "[{name: new}, {name: t, max_mb: 1, filters: [{measure: b, path: other, least: 1, source: a reason of mine}]}]"
    mine.write_text(f"extends: a\ncleaning: {{min_bytes: 5}}\nmore_sources: {more}\n")
    read = load.corpus("b")
    assert [source["name"] for source in read["sources"]] == ["s", "t", "u", "new"]
    assert read["sources"][1]["max_mb"] == 1 and set(read) == {
        "sources",
        "cleaning",
        "deduplication",
        "heldout",
    }
    assert (read["cleaning"]["min_bytes"], read["cleaning"]["max_bytes"]) == (5, 9)
    paths = [
        read["cleaning"]["filters"]["code"][0]["path"],
        read["sources"][1]["filters"][0]["path"],
    ]
    assert paths == [str(corpora / "own"), str(corpora / "other")]
    for wrong, message in (
        ("extends: c\n", "no corpus 'c' in config/corpora (allowed: a, b)"),
        ("extends: b\n", "b.yaml: extends: 'b' leads back to itself"),
        ("extends: a\nmore_sources: {name: x}\n", "b.yaml: more_sources: {'name': 'x'} is no list of sources"),
        ("more_sources: [{name: x}]\n", "b.yaml: more_sources: there are no sources to add to"),
        ("extends: a\nmore_sources: [{nam: x}]\n", "b.yaml: sources.3.nam: unknown key; did you mean 'name'"),
        ("extends: a\nmore_sources: [{name: [x]}]\n", "b.yaml: sources.3.name: ['x'] is not of type string"),
        ("extends: a\nsources: [s]\nmore_sources: [{name: x}]\n", "b.yaml: sources.0: 's' is not of type object"),
        ("extends:\n", "b.yaml: extends: None is no text"),
        ("- 1\n", "a corpus is a mapping, not list"),
    ):  # fmt: skip
        mine.write_text(wrong)
        with pytest.raises(UserError, match=re.escape(message)):
            load.corpus("b")


@pytest.mark.parametrize("text", ["10_1", "1e5", "0x10", "yes", "null", "1:30", "# x", "a: [", "3"])
def test_what_is_text_stays_the_text_that_was_typed(text):
    keys = ("recipe", "model", "server", "of")
    read = load.command_line([f"{key}={text}" for key in keys])
    assert read == dict.fromkeys(keys, text)


def test_other_values_are_read_as_yaml():
    read = load.command_line(
        ["limit=10", "recipe='mini'", "quiet_plan=true", "track=[wandb]", "recipe=a=b", "set={a: -1, b: ['10_1', {c: 0.5}], d: null, e: 90e9}"]
    )  # fmt: skip
    inside = {"a": -1, "b": ["10_1", {"c": 0.5}], "d": None, "e": "90e9"}
    assert read == {
        "limit": 10, "recipe": "a=b", "quiet_plan": True, "track": ["wandb"], "set": inside
    }  # fmt: skip
    with pytest.raises(UserError, match="config: set: not valid YAML"):
        load.command_line(["set={a: ["])


def test_a_changed_style_is_laid_over_the_file_and_checked():
    smoothing = load.figures({"figures": {"loss": {"smoothing": 0.5}}})["figures"]["loss"]
    assert smoothing["smoothing"] == 0.5 and smoothing["colours"]
    with pytest.raises(UserError, match="with style: figures.loss.smothing: unknown key; did you"):
        load.figures({"figures": {"loss": {"smothing": 1}}})


@pytest.mark.parametrize("name, message", [
    ("my recipe", "letters, digits and"), ("a:b", "letters, digits and"), ("corpus", "is taken"), ("models", "is taken"), ("ro-crate", "is taken"),
])  # fmt: skip
def test_a_recipes_name_is_one_that_can_be_a_folders(tmp_path, monkeypatch, name, message):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / f"{name}.yaml").write_text("extends: mini\n")
    monkeypatch.setattr(load, "CONFIG", tmp_path)
    with pytest.raises(UserError, match=message):
        load.raw_recipe(name)


def test_a_parent_that_yaml_reads_as_a_number_is_named(tmp_path, monkeypatch):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "x.yaml").write_text("extends: 10_1\n")
    monkeypatch.setattr(load, "CONFIG", tmp_path)
    with pytest.raises(UserError, match="extends: 101 is no text: write it between quotes"):
        load.raw_recipe("x")
