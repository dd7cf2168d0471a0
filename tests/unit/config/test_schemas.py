"""The schemas describe every key, forbid every other, and their errors can be acted on."""

import json

import jsonschema
import pytest
from lemur.config import load, schema
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

SCHEMAS = sorted((ROOT / "workflow" / "schemas").glob("*.schema.json"))


def objects(value, path=""):
    """(path, schema) of every object type inside a schema."""
    if isinstance(value, dict):
        if value.get("type") == "object" or "properties" in value:
            yield path, value
        for key, inside in value.items():
            yield from objects(inside, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from objects(inside, f"{path}/{number}")


def test_there_is_a_schema_for_every_file_of_config():
    names = {path.name.removesuffix(".schema.json") for path in SCHEMAS}
    files = {path.stem.removesuffix(".example") for path in load.CONFIG.glob("*.yaml")}
    assert files <= names
    assert {"recipe", "corpus"} <= names


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_property_is_described_and_every_object_closed(path):
    whole = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(whole)
    for place, found in objects(whole):
        for name, inside in found.get("properties", {}).items():
            assert len(inside.get("description", "")) >= 4, f"{path.name}{place}/properties/{name}"
        if "additionalProperties" not in found:
            closed = found.get("oneOf") or f"{place}/x".endswith("set/x")
            assert closed or found.get("description"), f"{path.name}{place} is open"
        else:
            assert found["additionalProperties"] is not True, f"{path.name}{place} is open"
        required = set(found.get("required", ()))
        assert required <= set(found.get("properties", ())), f"{path.name}{place}"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_numbers_have_bounds_where_any_number_would_not_do(path):
    bounds = {"minimum", "exclusiveMinimum", "enum"}
    for place, found in objects(json.loads(path.read_text())):
        for name, inside in found.get("properties", {}).items():
            if inside.get("type") in ("number", "integer"):
                assert bounds & set(inside), f"{path.name}{place}/properties/{name}"


def complaint(value, name="sources"):
    with pytest.raises(UserError) as caught:
        schema.check(value, name, "config/x.yaml")
    line = str(caught.value)
    assert "\n" not in line
    return line


GOOD = {
    "kind": "code",
    "licence": "MIT",
    "status": "exact",
    "from": {"index": "pypi", "package": "x", "version": "1", "file": "x-1.tar.gz"},
}


def test_an_alternative_is_named_by_the_keys_that_the_value_has():
    found = complaint({"sources": {"x": {**GOOD, "from": {**GOOD["from"], "versoin": "1"}}}})
    assert found.startswith(
        "config/x.yaml: sources.x.from.versoin: unknown key; did you mean 'version'?"
    )
    hub = {"hub": "a/b", "repo_type": "dataset", "revision": "main", "files": ["*"]}
    found = complaint({"sources": {"x": {**GOOD, "from": hub}}})
    assert "sources.x.from.revision" in found and "'main'" in found
    found = complaint({"sources": {"x": {**GOOD, "from": {"hub": "a/b"}}}})
    assert "sources.x.from.repo_type: missing" in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licnce": "MIT"}, "sources.x.licnce: unknown key; did you mean 'licence'?"),
        (
            {"status": "exactly"},
            "sources.x.status: 'exactly' is not allowed; did you mean 'exact'?",
        ),
        ({"size": 0}, "sources.x.size: 0 is too small: at least 1 is allowed (bytes of the file)"),
        ({"size": "9e9"}, "sources.x.size: '9e9' is not of type integer; YAML reads 90e9"),
        ({"parts": 1.5}, "sources.x.parts: 1.5 is not of type integer"),
        ({"sha256": "ff"}, "sources.x.sha256: 'ff' does not match"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_place_value_and_what_is_allowed(change, message):
    assert message in complaint({"sources": {"x": {**GOOD, **change}}})


def test_a_missing_key_and_how_many_more_are_wrong():
    entry = {key: value for key, value in GOOD.items() if key not in ("licence", "kind")}
    found = complaint({"sources": {"x": entry}})
    assert "missing" in found and found.endswith("(and 1 more)")


def test_a_good_entry_passes():
    schema.check({"sources": {"x": GOOD}}, "sources", "config/x.yaml")


def test_the_shipped_configuration_is_valid():
    for name in ("sources", "models", "benchmarks", "environments"):
        assert load.catalogue(name)
    assert load.figures()["figures"]
    for path in (load.CONFIG / "corpora").glob("*.yaml"):
        assert load.corpus(path.stem)["sources"]
    schema.check(load.read_yaml(load.CONFIG / "config.yaml"), "config", "config/config.yaml")


def test_what_is_too_short_or_too_long_says_how_long_it_may_be():
    study = load.read_yaml(load.CONFIG / "studies" / "smallest.yaml")
    assert "measures: {} has 0 entries: at least 1" in complaint({**study, "measures": {}}, "study")
    few = {**study, "shares": [0, 1]}
    assert "shares: [0, 1] has 2 entries: at least 3 are needed" in complaint(few, "study")
    assert "benchmarks: [] has 0 entries: at least 1" in complaint(
        {"recipe": "mini", "benchmarks": []}, "config"
    )
