"""Recipes: what ships resolves, and each mistake is one line before any job starts."""

import copy

import pytest
from lemur.config import load, recipe, stages
from lemur.core.errors import UserError

RECIPES = sorted(path.stem for path in (load.CONFIG / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_recipe_resolves_and_slices(name):
    made = recipe.resolve(name)
    assert made["name"] == name and "provenance" not in made
    for stage in ("pretrain", "sft"):
        assert stages.train(made, stage)["stage"] == stage
    for source in made["corpus"]["sources"]:
        assert stages.clean(made, source["name"])["source"]["name"] == source["name"]
    for item in made["evaluate"]["benchmarks"]:
        for model in made["evaluate"]["models"]:
            assert stages.judge(made, model, item["name"])["benchmark"] == item["name"]


def wrong(values, name="mini"):
    with pytest.raises(UserError) as caught:
        recipe.resolve(name, values)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"config/recipes/{name}.yaml with set ") or line.startswith("set: ")
    return line


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("pretrain.optimizer.lerning_rate", 1, "pretrain.optimizer.lerning_rate: unknown key; did you mean 'learning_rate'?"),
        ("mixture.code_to_text", -1, "mixture.code_to_text: -1 is too small: more than 0 is allowed"),
        ("mixture.weights.code", {"networkx": -2}, "mixture.weights.code"),
        ("corpus", "minni", "no corpus 'minni' in config/corpora; did you mean 'mini'?"),
        ("base", "lama-2-70b", "base: 'lama-2-70b' is no model in config/models.yaml, no folder and no owner/name of the hub; did you mean 'llama-2-70b'?"),
        ("pretrain.tokens", "90e9", "pretrain.tokens: '90e9' is not of type integer; YAML reads 90e9 and 4e-5 as text: write 90_000_000_000"),
        ("pretrain.optimizer.learning_rate", "4e-5", "is not of type number; YAML reads 90e9 and 4e-5 as text"),
        ("pretrain.tokens", 67_585, "pretrain.tokens: 67585 is not a multiple of pretrain.global_batch_tokens 2048: the nearest is 67584"),
        ("pretrain.global_batch_tokens", 1000, "pretrain.global_batch_tokens: 1000 is not a multiple of context x micro_batch_sequences x ranks = 1024"),
        ("pretrain.context", 1 << 24, "pretrain.context: 16777216 is longer than the 8192 positions of"),
        ("sft.context", 1 << 24, "sft.context: 16777216 is longer than the"),
        ("sft.sources", [{"name": "egg", "format": "eg", "examples": 1}], "sft.sources.0: no SFT source 'egg' in config/sources.yaml; did you mean 'eg'?"),
        ("sft.sources", [{"name": "networkx", "format": "eg", "examples": 1}], "sft.sources.0: no SFT source 'networkx'"),
        ("evaluate.models", ["start", "started"], "'started' is not allowed; did you mean 'start'?"),
        ("evaluate.benchmarks", [{"name": "humanevil"}], "evaluate.benchmarks.0: no benchmark 'humanevil' in config/benchmarks.yaml; did you mean 'humaneval'?"),
        ("evaluate.benchmarks", [{"name": "gsm8k"}, {"name": "gsm8k"}], "evaluate.benchmarks.1: 'gsm8k' stands twice"),
        ("seed", True, "seed"),
    ],
)  # fmt: skip
def test_a_mistake_names_place_value_and_what_is_allowed(key, value, message):
    with pytest.raises(UserError) as caught:
        recipe.resolve("mini", {key: value})
    line = str(caught.value)
    assert message in line, line
    assert "\n" not in line


def test_several_ranks_take_deepspeed_by_themselves():
    assert recipe.resolve("mini")["pretrain"]["engine"] == "torch"
    two = {"pretrain.parallel.processes_per_node": 2}
    assert recipe.resolve("mini", two)["pretrain"]["engine"] == "deepspeed"
    with pytest.raises(UserError, match=r"torch runs one process; 2 ranks need deepspeed"):
        recipe.resolve("mini", {**two, "pretrain.engine": "torch"})


def test_terms_that_bind_are_accepted_by_name_or_refused():
    sources = [{"name": "openorca", "format": "hub", "examples": 10}]
    with pytest.raises(UserError, match="read them and add it to sft.accept_terms"):
        recipe.resolve("mini", {"sft.sources": sources})
    made = recipe.resolve("mini", {"sft.sources": sources, "sft.accept_terms": ["openorca"]})
    assert made["sft"]["sources"][0]["from"]["hub"] == "Open-Orca/OpenOrca"


def test_the_papers_mixtures_wait_for_their_terms():
    def names(**values):
        return [x["name"] for x in recipe.resolve("lemur-70b", values)["sft"]["sources"]]

    free = names()
    assert free == ["openassistant1", "dolly", "smoltalk", "self-oss-instruct", "opencodeinstruct"]
    some = names(**{"sft.accept_terms": ["openorca"]})
    assert some == ["openassistant1", "openorca", *free[2:]]
    every = names(**{"sft.accept_terms": ["evol-codealpaca", "sharegpt", "openorca"]})
    assert every == ["openassistant1", "openorca", "sharegpt", "evol-codealpaca"]
    wrote = stages.train(recipe.resolve("lemur-70b"), "sft")["generated_data"]
    assert sorted(wrote) == ["opencodeinstruct", "self-oss-instruct", "smoltalk"]
    assert "generated_data" not in stages.train(recipe.resolve("mini"), "sft")
    with pytest.raises(UserError, match="'openorka' is no source with terms; did you mean"):
        names(**{"sft.accept_terms": ["openorka"]})


@pytest.fixture
def corpora(monkeypatch):
    """Replace what config/corpora/mini.yaml holds: ``corpora(lambda corpus: ...)``."""
    read = load.corpus

    def change(edit):
        def changed(name, project=None):
            made = copy.deepcopy(read(name, project))
            edit(made)
            return made

        monkeypatch.setattr(load, "corpus", changed)

    return change


def add(name):
    return lambda corpus: corpus["sources"].append({"name": name})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (add("networx"), "no source 'networx' in config/sources.yaml; did you mean 'networkx'?"),
        (add("networkx"), "'networkx' stands twice"),
        (add("eg"), "'eg' is of kind sft: a corpus takes code and text"),
        (add("books3"), "'books3' is unavailable: name its substitute"),
        (lambda corpus: corpus.update(sources=[{"name": "networkx"}]), "sources: none is of kind text"),
    ],
)  # fmt: skip
def test_a_corpus_names_sources_that_are_there_once_and_of_its_kinds(edit, message, corpora):
    corpora(edit)
    with pytest.raises(UserError) as caught:
        recipe.resolve("mini")
    assert str(caught.value).startswith("config/corpora/mini.yaml: ")
    assert message in str(caught.value)


def test_a_weight_for_a_source_that_the_corpus_lacks():
    line = "mixture.weights.code.networx: not a code source of corpus 'mini'; did you mean 'networkx'?"  # fmt: skip
    with pytest.raises(UserError, match=line.replace("?", r"\?")):
        recipe.resolve("mini", {"mixture.weights.code": {"networx": 1}})


def test_set_on_one_value_changes_that_value_alone():
    one, other = recipe.resolve("mini"), recipe.resolve("mini", {"mixture.code_to_text": 4})
    assert other.pop("mixture") == {**one.pop("mixture"), "code_to_text": 4}
    assert one == other
    short = recipe.resolve("mini", {"evaluate.benchmarks.gsm8k.limit": 1})
    limits = {item["name"]: item["limit"] for item in short["evaluate"]["benchmarks"]}
    assert limits["gsm8k"] == 1 and limits["humaneval"] > 1


# -- what reaches which stage ---------------------------------------------------------------------


def slices(made):
    """Every stage's slice of a recipe, by stage."""
    first = made["corpus"]["sources"][0]["name"]
    return {
        "clean": stages.clean(made, first),
        "duplicates": stages.duplicates(made),
        "plan": stages.plan(made),
        "decontaminate": stages.decontaminate(made),
        "tokenize": stages.tokenize(made),
        "pack": stages.pack(made),
        "pretrain": stages.train(made, "pretrain"),
        "sft": stages.train(made, "sft"),
        "conversations": stages.conversations(made),
        "sft_tokens": stages.sft_tokens(made),
        "generate": stages.generate(made, "chat", "gsm8k"),
        "judge": stages.judge(made, "chat", "gsm8k"),
    }


@pytest.mark.parametrize(
    ("key", "value", "reached"),
    [
        ("pretrain.optimizer.learning_rate", 0.001, {"pretrain"}),
        ("sft.optimizer.learning_rate", 0.001, {"sft"}),
        ("mixture.code_to_text", 3, {"plan"}),
        ("mixture.decontamination.text_ngram", 8, {"decontaminate"}),
        ("pretrain.packing", "best-fit", {"pack"}),
        ("evaluate.benchmarks.gsm8k.limit", 3, {"generate", "judge"}),
        ("evaluate.sandbox.seconds", 9, {"judge"}),
        ("sft.max_examples", 7, {"sft_tokens"}),
        ("cost.utilisation", 0.1, set()),
        ("description", "another sentence here", set()),
    ],
)
def test_a_changed_value_reaches_its_own_stages_and_no_other(key, value, reached):
    before, after = slices(recipe.resolve("mini")), slices(recipe.resolve("mini", {key: value}))
    assert {name for name in before if before[name] != after[name]} == reached


# -- the paper ------------------------------------------------------------------------------------

MARKS = {"stated", "reported", "inferred", "assumed", "ours"}


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        for key, inside in value.items():
            yield from leaves(inside, f"{path}.{key}" if path else key)
    else:
        yield path


def cover(leaf, told):
    """The longest key of ``told`` that is ``leaf`` or a prefix of it."""
    fitting = [key for key in told if leaf == key or leaf.startswith(f"{key}.")]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("name", ["lemur-70b", "llama3-8b"])
def test_every_value_of_the_paper_says_where_it_is_from(name):
    raw = load.raw_recipe(name)
    told = raw.pop("provenance")
    every = list(leaves(raw))
    assert len(every) > 80
    assert [leaf for leaf in every if cover(leaf, told) is None] == []
    # No blanket over a section, and no entry for a value that is not there.
    assert not set(told) & {"mixture", "pretrain", "sft", "evaluate", "cost"}
    assert [key for key in told if key not in {cover(leaf, told) for leaf in every}] == []
    assert {entry["mark"] for entry in told.values()} <= MARKS


def test_the_papers_recipe_is_the_papers():
    made, told = recipe.resolve("lemur-70b"), load.raw_recipe("lemur-70b")["provenance"]
    assert made["base"]["name"] == "llama-2-70b"
    assert (
        made["mixture"]["code_to_text"] == 10 and told["mixture.code_to_text"]["mark"] == "stated"
    )
    assert abs(made["pretrain"]["tokens"] - 90e9) < made["pretrain"]["global_batch_tokens"]
    assert made["pretrain"]["context"] == 2048 and told["pretrain.context"]["mark"] == "inferred"
    assert made["sft"]["max_examples"] == 300_000
    assert sum(item["examples"] for item in made["sft"]["sources"]) == 300_000
    # What is only remembered of the paper is not passed off as known.
    for key in ("global_batch_tokens", "optimizer.learning_rate", "schedule.name"):
        assert told[f"pretrain.{key}"]["mark"] == "assumed"


def test_what_is_not_the_papers_own_data_says_so():
    made = recipe.resolve("lemur-70b")
    for source in [*made["corpus"]["sources"], *made["sft"]["sources"]]:
        assert source["citation"] and source["licence"] and "gated" in source["access"]
        assert source["status"] == "exact" or source["substitute_for"]
    for name, entry in load.catalogue("sources").items():
        if entry["status"] == "unavailable":
            assert entry["reason"] and entry["substitute"] in load.catalogue("sources"), name


def test_no_address_of_a_package_index_stands_in_the_configuration():
    for path in load.CONFIG.rglob("*.yaml"):
        text = path.read_text()
        hosts = [
            f"{name}.org" for name in ("pypi", "pythonhosted")
        ]  # put together: this file is searched too
        assert not [host for host in hosts if host in text], path
