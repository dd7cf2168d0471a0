"""What the Snakemake workflow catalogue and those who cite or reuse the project look for.

``cff-1.2.0.schema.json`` is the Citation File Format's own schema (CC-BY-4.0), white space removed.
"""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from lemur.config import load
from lemur.core.provenance import ROOT

SCHEMA = json.loads((Path(__file__).parent / "cff-1.2.0.schema.json").read_text())
SPDX = set(SCHEMA["definitions"]["license-enum"]["enum"])


def citation():
    # A date or a version must stay text, as the schema has it.
    return yaml.load((ROOT / "CITATION.cff").read_text(), Loader=yaml.BaseLoader)


def test_the_shim_is_where_catalogues_look():
    text = (ROOT / "workflow" / "Snakefile").read_text()
    assert 'include: "../Snakefile"' in text and "default_target: True" in text


def test_the_usage_file_says_how_it_is_deployed():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert usage["software-stack-deployment"]["apptainer"] is True
    recipe = re.search(r"recipe=([\w-]+)", usage["mandatory-flags"]["flags"]).group(1)
    assert (ROOT / "config" / "recipes" / f"{recipe}.yaml").exists()


def test_configuration_has_its_own_readme_and_names_every_file():
    text = (ROOT / "config" / "README.md").read_text()
    for path in (ROOT / "config").glob("*.yaml"):
        assert f"`{path.name}`" in text, path.name


def number_year(value):
    value["preferred-citation"]["year"] = int(value["preferred-citation"]["year"])
    return value


def test_the_citation_file_is_valid():
    jsonschema.Draft7Validator(SCHEMA).validate(number_year(citation()))
    assert citation()["version"] == re.search(
        r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M
    ).group(1)


@pytest.mark.parametrize("key, value", [("title", None), ("license", "Apache 2"), ("titel", "x")])
def test_a_mistake_in_a_citation_file_is_seen(key, value):
    changed = number_year(citation())
    changed.pop(key, None)
    if value is not None:
        changed[key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(changed)


def test_the_project_is_apache_licensed_everywhere_it_says_so():
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    assert citation()["license"] == "Apache-2.0"
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
    assert "Apache-2.0" in (ROOT / "README.md").read_text()


def licences(catalogue):
    """{entry: licence} of everything that can be fetched from somewhere."""
    found = {}
    for name, entry in load.catalogue(catalogue).items():
        data = entry.get("data", entry)
        if "from" in data and "random" not in data["from"] and entry.get("available", True):
            found[name] = entry.get("licence") or data.get("licence")
    return found


def spdx(licence):
    words = re.findall(r"[\w.+-]+", licence or "")
    return bool(words) and all(
        word in SPDX or word in ("AND", "OR", "WITH") or word.startswith("LicenseRef-")
        for word in words
    )


def test_every_source_has_a_licence_by_its_spdx_name_or_a_field_that_gives_it():
    found = licences("sources")
    fields = load.catalogue("sources")
    bad = {
        name: licence
        for name, licence in found.items()
        if not spdx(licence) and not (licence == "mixed" and fields[name].get("licence_field"))
    }
    assert len(found) > 50 and not bad
    assert not spdx("Apache 2") and not spdx(None) and spdx("MIT OR Apache-2.0")


@pytest.mark.parametrize("catalogue", ["models", "benchmarks"])
def test_every_model_and_benchmark_names_its_terms(catalogue):
    found = licences(catalogue)
    assert found and all(found.values()), found
