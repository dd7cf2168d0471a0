"""What a scheduler is asked for follows from the recipe, and a site's words from what is asked."""

import copy
import json
import re

import pytest
from lemur.config import recipe as recipes
from lemur.config import site
from lemur.core.contracts import part
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.cost import resources
from lemur.cost.recipe import Model, planned
from lemur.cost.resources import Ask, again


def ask(recipe, rule, entry=None):
    """Of a recipe as it is resolved, and an entry as a catalogue has it."""
    return resources.ask(planned(recipe), rule, entry and part(Model, entry, "entry"))


@pytest.fixture(scope="module")
def smoke():
    return recipes.resolve("smoke")


@pytest.fixture(scope="module")
def paper():
    return recipes.resolve("lemur-70b")


def test_no_rule_states_a_number(smoke):
    """Memory, time and threads stand in no rule file, and every rule that is a job is asked for."""
    asked = set()
    for path in sorted((ROOT / "rules").glob("*.smk")):
        text = path.read_text()
        assert not re.search(r"(mem_mb|runtime|gres|nodes|tasks)\s*=\s*[\d\"']", text), path.name
        assert not re.search(r"^ *threads:.*\d", text, re.M), path.name
        asked |= set(re.findall(r'\*\*asked\("(\w+)"\)', text))
        if path.name not in ("0_common.smk", "9_targets.smk"):  # no jobs
            assert len(re.findall(r"^rule ", text, re.M)) == text.count("**asked("), path.name
    assert asked == set(resources.RULES)


def test_every_job_has_room_for_what_starts_it(smoke):
    for rule in resources.RULES:
        made = ask(smoke, rule, smoke["corpus"]["sources"][0])
        assert made.memory_mb >= 2 * 250 and made.minutes >= 1, rule


def test_training_of_the_paper(paper):
    """32 nodes of 8 GPUs; 90B tokens at 40 % of 989 TFLOP/s take 27,161 GPU-hours: 4.4 days."""
    made = ask(paper, "continue_pretraining")
    assert (made.nodes, made.gpus, made.cpus) == (32, 8, 64)
    days = resources.cost(planned(paper)).stages["pretrain"].days
    assert made.minutes == round(10 + 2 * days * 24 * 60)
    # The model in 16 bits is gathered on one rank: more than its 138 GB.
    assert made.memory_mb > 138_000


def test_more_of_the_same_asks_for_more(paper, smoke):
    source = {"name": "x", "estimate": {"text_gb": 8, "download_gb": 4}, "parts": 4}
    whole = {**source, "parts": 1}
    for rule in ("clean", "tokenize", "download"):
        small, large = ask(smoke, rule, source), ask(smoke, rule, whole)
        assert large.minutes > small.minutes
        assert large.memory_mb > small.memory_mb or rule == "download"
    longer = {**paper, "pretrain": {**paper["pretrain"], "tokens": 2 * paper["pretrain"]["tokens"]}}
    first, second = ask(paper, "continue_pretraining"), ask(longer, "continue_pretraining")
    assert second.minutes == pytest.approx(2 * first.minutes, rel=0.01)
    halved = {**paper["pretrain"], "parallel": {**paper["pretrain"]["parallel"], "nodes": 16}}
    assert ask({**paper, "pretrain": halved}, "continue_pretraining").minutes > 1.9 * first.minutes


def test_each_attempt_asks_for_more():
    asked = [again(Ask(1000, 60, 2, 3, 4), attempt) for attempt in (1, 2, 3)]
    assert [a.memory_mb for a in asked] == [1000, 1500, 2000]
    assert [a.minutes for a in asked] == [60, 120, 180]
    assert {(a.cpus, a.nodes, a.gpus) for a in asked} == {(2, 3, 4)}


def test_grace_covers_the_checkpoint(paper, smoke):
    """828 GB at 500 MB/s take 1,655 s, and it is written twice at most."""
    assert resources.grace_seconds(planned(paper), "pretrain") > 2 * 1655
    assert resources.grace_seconds(planned(smoke), "pretrain") < 60


def test_an_unknown_rule_is_named(smoke):
    with pytest.raises(UserError, match="no rule 'cleen'; did you mean 'clean'"):
        ask(smoke, "cleen")


def test_words_of_the_plugin():
    many = site.words(Ask(1, 1, 64, 32, 8), {"gpu_type": "h100", "partition": {"gpu": "g"}})
    assert many == {
        "cpus_per_task": 64, "slurm_partition": "g", "slurm_extra": "--open-mode=append",
        "gres": "gpu:h100:8", "mpi": "srun", "nodes": 32, "tasks": 32, "tasks_per_gpu": -1,
    }  # fmt: skip
    one = site.words(Ask(1, 1, 8, 1, 1), {"account": "a", "qos": "q", "sbatch": ["--nice=5"]})
    assert one == {
        "cpus_per_task": 8, "slurm_account": "a", "qos": "q", "gres": "gpu:1",
        "slurm_extra": "--open-mode=append --nice=5",
    }  # fmt: skip
    assert "gres" not in site.words(Ask(1, 1), {"gpu_type": "h100"})


def test_limits_of_a_site():
    limits = {"limits": {"cpu_minutes": 100, "gpu_minutes": 1440, "node_memory_mb": 1200}}
    assert site.request(Ask(1000, 90), 1, limits, "clean") == Ask(1000, 90)
    assert site.request(Ask(1000, 90), 2, limits, "clean") == Ask(1200, 100)
    assert site.request(Ask(1000, 9000, gpus=8), 1, limits, "x").minutes == 1440
    with pytest.raises(UserError, match="clean needs 1,300 MB on a node, the site has 1,200"):
        site.request(Ask(1300, 90), 1, limits, "clean")


def test_rules_of_one_job_share_the_limits_of_a_site():
    """What they ask for together fits at every attempt, else they are not one job."""
    asks = [Ask(1000, 30), Ask(600, 10), Ask(400, 20)]
    limits = {"limits": {"cpu_minutes": 90, "node_memory_mb": 2500}}
    assert site.fit_together(asks, limits) and site.fit_together(asks, {})
    for attempt in (1, 2, 3, 9):
        grown = [site.request(ask, attempt, limits, "x", asks) for ask in asks]
        assert sum(ask.minutes for ask in grown) <= 90
        assert sum(ask.memory_mb for ask in grown) <= 2500
    assert [site.request(ask, 1, limits, "x", asks) for ask in asks] == asks
    for key, most in (("cpu_minutes", 59), ("node_memory_mb", 1999)):
        assert not site.fit_together(asks, {"limits": {key: most}})


def test_a_group_over_a_limit_is_one_line():
    limits = {"limits": {"cpu_minutes": 60, "node_memory_mb": 4000}}
    fits = {"mem_mb": 4000, "runtime": 60}
    assert site.group_over_limit("shard", fits, limits) is None
    assert site.group_over_limit("shard", {"mem_mb": 9000, "runtime": 900}, {}) is None
    line = site.group_over_limit("shard", {"mem_mb": 4001, "runtime": 60}, limits)
    assert line.startswith("site: limits.node_memory_mb: the group shard asks for the 4,001 MB")
    assert "the site has 60" in site.group_over_limit("shard", {"runtime": 61}, limits)


def test_the_example_is_valid_and_complete():
    path = ROOT / "config" / "site.example.yaml"
    read = site.read(path)
    schema = json.loads((ROOT / "workflow/schemas/site.schema.json").read_text())
    assert set(schema["properties"]) - {"qos"} == set(read)


@pytest.mark.parametrize(
    "text, line",
    [
        ("partion: {cpu: x}", r"site.yaml: .*'?partion'?.*partition"),
        ("limits: {cpu_minutes: 24h}", r"limits.cpu_minutes"),
        ("sbatch: [--gres=gpu:1]", r"sbatch.0"),
        ("sbatch: ['--nice; rm -r /']", r"sbatch.0"),
        ("partition: cpu", r"partition"),
    ],
)
def test_a_mistake_in_the_site_file_is_one_line(tmp_path, text, line):
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=line) as error:
        site.read(path)
    assert "\n" not in str(error.value)


def test_no_site_file_is_fine_and_a_missing_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(site.load, "CONFIG", tmp_path)
    assert site.read() == {}
    with pytest.raises(UserError, match="no such file"):
        site.read(tmp_path / "mine.yaml")


def test_a_preflight_that_compiles_has_room_for_two_layers_and_the_compilers(smoke, paper):
    compiled = copy.deepcopy(smoke)
    compiled["pretrain"]["compile"] = True
    plain, more = (ask(one, "preflight_pretrain") for one in (smoke, compiled))
    assert more.memory_mb - plain.memory_mb > resources.COMPILERS_MB
    assert more.minutes == plain.minutes + resources.COMPILE_MINUTES
    # Two layers and the tables of Llama-2-70B in float32, on each of eight ranks of a node.
    asked = ask(paper, "preflight_pretrain")
    assert 8 * 4 * 2.2e9 / 1e6 < asked.memory_mb < 400_000
