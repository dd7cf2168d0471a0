"""What a rule has besides its files: params, requests and shell text, without Snakemake."""

import json
import re
import subprocess
from types import SimpleNamespace

import pytest
from lemur.config import paths, stages
from lemur.core.files import canonical
from lemur.core.provenance import ROOT, digest
from lemur.cost import resources
from lemur.dag.corpus_files import CorpusFiles
from lemur.dag.requests import Requests
from lemur.dag.shell import Shell, quoted
from lemur.dag.stage import STAGES, params

# Targets with a script of their own, which ask for nothing.
TARGETS = {"corpus", "study_so_far"}


def test_every_job_is_a_stage_and_every_stage_a_rule():
    assert set(STAGES) - TARGETS == set(resources.RULES)
    assert {stage.version for stage in STAGES.values()} - {None} == set(stages.VERSION)


def test_no_rule_file_spells_out_a_path_of_results():
    """They stand in lemur.config.paths once, from which `make clean-<stage>` reads them too."""
    for path in sorted((ROOT / "rules").glob("*.smk")):
        assert not re.search(r'"(results|resources)/', path.read_text()), path.name


def test_params_are_the_slice_the_version_and_the_lock(smoke):
    clean = params(smoke, "clean")
    source = smoke.sources()[0]["name"]
    wildcards = SimpleNamespace(source=source)
    assert clean["spec"](wildcards) == canonical(stages.clean(smoke.recipe, source))
    assert clean["version"] == stages.VERSION["clean"] and clean["lock"] == smoke.lock("data")
    # A new package index client or planner makes nothing again.
    assert "lock" not in params(smoke, "download") and "lock" not in params(smoke, "plan_mixture")


def test_the_cells_of_a_study_have_slices_of_their_own(study):
    spec = params(study, "plan_mixture")["spec"]
    made = {spec(SimpleNamespace(recipe=name)) for name in study.study.recipes}
    assert len(made) == len(study.study.recipes) > 1
    request = Requests(study, on_nodes=False).asked("plan_mixture")["recipe_digest"]
    for name, recipe in study.recipes.items():
        assert request(SimpleNamespace(recipe=name)) == digest(recipe)


def test_an_environment_is_played_where_its_needs_are_built(asked_for):
    run = asked_for("recipe=smoke")
    played = params(run, "play")
    for entry in run.recipe["agents"]["environments"]:
        wildcards = SimpleNamespace(model="gold", environment=entry["name"])
        assert played["build"](wildcards).split() == list(entry["needs"])
        assert played["lock"](wildcards) == [run.lock(x) for x in ("evaluate", *entry["needs"])]
        assert json.loads(played["spec"](wildcards))["environment"] == entry["environment"]


def test_each_attempt_asks_for_more(smoke):
    asked = Requests(smoke, on_nodes=True).asked("clean")

    class Wildcards(dict):
        source = smoke.sources()[0]["name"]

    first, second = (asked["mem_mb"](Wildcards(), attempt) for attempt in (1, 2))
    assert second == round(1.5 * first) and asked["runtime"](Wildcards(), 1) >= 10
    assert Requests(smoke, on_nodes=True).shard_group(Wildcards) == "shard"
    assert Requests(smoke, on_nodes=False).shard_group(Wildcards) is None


def test_shell_text_quotes_every_file(smoke):
    assert quoted("--a {input.x} {params.b} {output}") == "--a {input.x:q} {params.b} {output:q}"
    text = Shell(smoke).script("clean", "1_corpus/clean.py", "--out {output.documents}")
    assert f" --recipe-digest {smoke.digest} --log {{log:q}} --out {{output.documents:q}}" in text
    assert text.startswith("HF_HUB_OFFLINE=1 ") and "env-run data python " in text


def test_only_a_download_may_ask_a_hub(smoke):
    assert "OFFLINE" not in Shell(smoke).script("download", "1_corpus/download.py")


def test_what_few_recipes_need_is_built_by_the_job(smoke):
    text = Shell(smoke).script("croissant", "9_export/croissant.py")
    assert text.split(" && ")[0].endswith("env-build formats")
    built = Shell(smoke).threaded("play", "7_agents/play.py").split(" && ")[0]
    assert '[ -z "{params.build}" ] || ' in built and "env-build {params.build}" in built


def test_where_an_answer_is_printed_scripts_print_nothing(smoke):
    for answers in (False, True):
        text = Shell(smoke, answers=answers).script("judge", "6_evaluate/judge.py")
        assert (" 1>&2 " in text) == answers
    assert "--recipe-digest {resources.recipe_digest} " in text


@pytest.mark.parametrize("name", ["smoke", "mini"])
def test_words_that_bash_expands_are_the_files_of_the_parts(name, asked_for):
    files = CorpusFiles(asked_for(f"recipe={name}"))
    for pattern in (paths.DOCUMENTS, paths.TOKENS):
        said = subprocess.run(
            ["bash", "-c", f"echo {files.words(pattern)}"], capture_output=True, text=True
        )
        assert said.stdout.split() == files.parts(pattern)
