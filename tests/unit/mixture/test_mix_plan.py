import pytest
from as_json import plan
from hypothesis import given
from hypothesis import strategies as st
from lemur.core.errors import UserError

STATISTICS = [
    {"source": "py", "bytes": 1000, "heldout_bytes": 100, "licence": "MIT"},
    {"source": "py", "bytes": 500, "heldout_bytes": 0, "licence": "MIT"},
    {"source": "sql", "bytes": 77, "heldout_bytes": 7, "licence": "BSD-3-Clause"},
    {"source": "books", "bytes": 400, "heldout_bytes": 13, "licence": "public-domain"},
]
SOURCES = [
    {"name": "py", "kind": "code"},
    {"name": "sql", "kind": "code"},
    {"name": "books", "kind": "text"},
]


def spec(**changes):
    return {
        "recipe": "r",
        "seed": 1,
        "tokens": 11_000,
        "context": 64,
        "code_to_text": 10.0,
        "weights": {"code": "bytes", "text": "bytes"},
        "max_epochs": 1.0,
        "sources": SOURCES,
        **changes,
    }


def test_ten_to_one_by_tokens_and_by_available_bytes():
    made = plan(spec(), STATISTICS)
    by_name = {source["name"]: source for source in made["sources"]}
    assert made["kinds"]["code"]["tokens"] == 10_000
    assert by_name["books"]["tokens"] == 1_000
    assert by_name["py"]["available_bytes"] == 1400  # parts together, less what is held out
    assert by_name["py"]["tokens"] == 9524  # 10,000 * 1400 / 1470 = 9523.8
    assert by_name["sql"]["tokens"] == 476
    assert by_name["sql"]["licence"] == "BSD-3-Clause"


@given(
    tokens=st.integers(64, 10**9),
    context=st.integers(2, 64),
    ratio=st.one_of(st.integers(0, 100), st.floats(0, 100)),
    weights=st.tuples(*[st.floats(0.001, 1000)] * 3),
    random=st.randoms(),
)
def test_budgets_sum_exactly_whatever_the_order(tokens, context, ratio, weights, random):
    table = {"code": {"py": weights[0], "sql": weights[1]}, "text": {"books": weights[2]}}
    one = spec(tokens=tokens, context=context, code_to_text=ratio, weights=table)
    made = plan(one, STATISTICS)
    by_name = {source["name"]: source for source in made["sources"]}
    assert sum(source["tokens"] for source in made["sources"]) == tokens
    assert sum(kind["tokens"] for kind in made["kinds"].values()) == tokens
    assert sum(s["sequences"] for s in made["sources"]) == made["sequences"] == tokens // context
    for source in made["sources"]:
        assert abs(source["sequences"] * context - source["tokens"]) < context
    assert abs(made["kinds"]["text"]["tokens"] * (ratio + 1) - tokens) <= (ratio + 1)
    random.shuffle(shuffled := list(SOURCES))
    random.shuffle(statistics := list(STATISTICS))
    again = plan({**one, "sources": shuffled}, statistics)
    assert {source["name"]: source for source in again["sources"]} == by_name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code_to_text": -1}, ["mixture.code_to_text", "-1"]),
        ({"code_to_text": "10"}, ["--spec: code_to_text", "'10'"]),
        ({"code_to_text": float("nan")}, ["mixture.code_to_text"]),
        ({"tokens": 0}, ["pretrain.tokens", "0"]),
        ({"tokens": 10.5}, ["--spec: tokens", "whole"]),
        ({"tokens": 63}, ["pretrain.tokens", "63", "64"]),
        ({"weights": {"code": {"pyy": 1, "sql": 1}}}, ["'pyy'", "did you mean 'py'"]),
        ({"weights": {"code": {"py": 1}}}, ["no weight for sql"]),
        ({"weights": {"code": {"py": 0, "sql": 0}}}, ["weights.code", "weight 0"]),
        ({"weights": {"code": {"py": -2, "sql": 0}}}, ["weights.code.py", "-2"]),
        ({"weights": {"code": "words"}}, ["weights.code", "'words'"]),
        ({"sources": [{"name": "boks", "kind": "text"}]}, ["'boks'", "did you mean 'books'"]),
        ({"sources": [{"name": "py", "kind": "cod"}]}, ["'cod'", "did you mean 'code'"]),
        ({"sources": SOURCES[:2]}, ["weights.text", "no text"]),
    ],
)
def test_a_mistake_is_one_line_that_names_it(changes, words):
    with pytest.raises(UserError) as error:
        plan(spec(**changes), STATISTICS)
    line = str(error.value)
    assert "\n" not in line
    assert all(word in line for word in words), line


def test_no_text_at_all_is_a_mixture_without_text_sources():
    made = plan(spec(code_to_text=0, sources=SOURCES[2:]), STATISTICS)
    assert made["kinds"]["text"]["tokens"] == 11_000
    assert made["kinds"]["code"]["tokens"] == 0


BY_LANGUAGE = [
    {
        **part,
        "languages": {"python": {}, "sql": {}, "c": {}} if part["source"] == "py" else {"t": {}},
    }
    for part in STATISTICS
]


def with_languages(chosen, **changes):
    weights = {"code": "bytes", "text": "bytes", "languages": chosen}
    return plan(spec(weights=weights, **changes), BY_LANGUAGE)


@given(
    tokens=st.integers(64, 100_000),
    context=st.integers(2, 64),
    ratio=st.integers(1, 12),
    weights=st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any),
)
def test_three_levels_each_within_a_sequence(tokens, context, ratio, weights):
    chosen = dict(zip(("c", "python", "sql"), weights, strict=True))
    made = with_languages({"py": chosen}, tokens=tokens, context=context, code_to_text=ratio)
    for kind in made["kinds"].values():
        assert abs(kind["sequences"] * context - kind["tokens"]) < context
    py = next(source for source in made["sources"] if source["name"] == "py")
    for key in ("tokens", "sequences"):
        assert sum(language[key] for language in py["languages"]) == py[key]
    for language in py["languages"]:
        assert abs(language["tokens"] - py["tokens"] * chosen[language["name"]] / sum(weights)) < 1
        assert abs(language["sequences"] * context - language["tokens"]) < 2 * context


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"px": {"python": 1}}, "languages: unknown source 'px'"),
        ({"py": {"pyton": 1, "sql": 1}}, "unknown language 'pyton'"),
        ({"py": {"python": 1, "sql": 1}}, "no weight for c; 0 leaves a language out"),
        ({"py": {"python": 0, "sql": 0, "c": 0}}, "every language has weight 0"),
    ],
)
def test_mistakes_in_languages(chosen, words):
    with pytest.raises(UserError, match=words) as told:
        with_languages(chosen)
    assert "\n" not in str(told.value)


def test_temperature_favours_small_sources():
    flat = {
        source["name"]: source["tokens"]
        for source in plan(spec(temperature=2), STATISTICS)["sources"]
    }
    # The square roots of 1,400 and 70 bytes: 37.4 to 8.4 of 10,000 tokens.
    assert flat == {"py": 8173, "sql": 1827, "books": 1000}
    assert plan(spec(temperature=1), STATISTICS) == plan(spec(), STATISTICS)
    with pytest.raises(UserError, match="mixture.temperature"):
        plan(spec(temperature=0.5), STATISTICS)


def test_a_share_of_code_in_place_of_a_ratio():
    """10/11 is 10:1 to the last token; 0 and 1, which no ratio above 0 says, are one kind alone."""
    ratio = plan(spec(), STATISTICS)
    share = plan(spec(code_share="10/11"), STATISTICS)
    assert share["kinds"] == ratio["kinds"] and share["sources"] == ratio["sources"]
    assert share["code_to_text"] == pytest.approx(10)
    code = plan(spec(code_share=1), STATISTICS)
    assert (code["kinds"]["text"]["tokens"], code["code_to_text"]) == (0, None)
    assert plan(spec(code_share=0), STATISTICS)["kinds"]["code"]["tokens"] == 0
    assert plan(spec(code_share=0.25), STATISTICS)["kinds"]["code"]["tokens"] == 2750
    for wrong in (1.5, "11/10", "a", "1/0"):
        with pytest.raises(UserError, match="mixture.code_share"):
            plan(spec(code_share=wrong), STATISTICS)
