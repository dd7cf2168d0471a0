"""reports/paper/claims.yaml is read, and a mistake in such a file is one line that can be acted on."""

import copy

import pytest
import trial_run
import yaml
from lemur.claims import load
from lemur.claims.rules import RULES
from lemur.config import claims as claims_spec
from lemur.config import recipe
from lemur.core.errors import UserError

CLAIMS = trial_run.PAPER / "claims.yaml"


@pytest.fixture
def changed(tmp_path):
    """The committed file with its first leading claim changed, written elsewhere."""
    value = yaml.safe_load(CLAIMS.read_text())
    entry = copy.deepcopy(next(claim for claim in value["claims"] if claim["rule"] == "leads"))

    def write(change):
        change(entry)
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump({**value, "claims": [entry]}))
        return path

    return write


def test_every_claim_of_the_paper_is_whole():
    """What the abstract and the figures say, each with a place, short words and a rule that is used."""
    found = load.read(CLAIMS)
    assert len(found.claims) >= 20
    parts = {claim.place.partition(",")[0] for claim in found.claims}
    assert parts == {"Abstract", "Agent radar", "Foundation table"}
    sentences = {claim.place for claim in found.claims if claim.place.startswith("Abstract")}
    assert len(sentences) == 7  # of its eight one cites the code's address
    assert {claim.rule for claim in found.claims} == set(RULES)
    assert {"lemur-70b", "lemur-70b-released"} == set(found.recipes())
    text = CLAIMS.read_text()
    assert not any(word in text.split("claims:")[1] for word in ("reproduced", "verdict:"))


@pytest.mark.parametrize("change, message", [
    (lambda x: x.update(rule="lead"), "claim pretraining-gains-code: no rule 'lead'; did you mean 'leads'?"),
    (lambda x: x["with"].update(metrcs=1), "with.metrcs: unknown to leads; did you mean 'metrics'?"),
    (lambda x: x["with"].pop("model"), "with.model: missing (leads takes table, model, others, metrics)"),
    (lambda x: x["with"].update(others="b"), "with.others: 'b' is no list"),
    (lambda x: x.pop("quote"), "claims.0.quote: missing"),
    (lambda x: x.update(qoute="x"), "claims.0.qoute: unknown key; did you mean 'quote'?"),
    (lambda x: x["needs"].pop("recipe"), "needs.recipe: missing"),
    (lambda x: x["needs"].update(stages=["train"]), "claims.0.needs.stages.0: 'train' is not allowed"),
    (lambda x: x["ours"][0].update(model="start"), "claims.0.ours.0.model: 'start' is not allowed"),
])  # fmt: skip
def test_a_mistake_is_one_line(changed, change, message):
    with pytest.raises(UserError) as caught:
        load.read(changed(change))
    assert message in str(caught.value) and "claims.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change, message", [
    (lambda x: x["needs"].update(recipe="lemur-70"), "no recipe 'lemur-70'"),
    (lambda x: x["ours"][0].update(benchmark="gsm"), "no benchmark 'gsm' in config/benchmarks.yaml"),
])  # fmt: skip
def test_names_of_recipes_and_benchmarks_are_checked_before_any_job(changed, change, message):
    with pytest.raises(UserError, match=message):
        claims_spec.spec(changed(change))


def test_the_papers_hours_are_those_of_its_plan():
    """27,161 GPU-hours of pretraining, as the plan prints them."""
    made = claims_spec.spec(CLAIMS)
    assert round(made["hours"]["lemur-70b"]["pretrain"]) == 27_161
    assert made["pins"]["lemur-70b-v1"] and "run" not in made
    twice = load.read(CLAIMS)
    assert set(twice.recipes()) == set(made["hours"])


def test_a_recipe_brings_its_size_and_the_papers_own_models():
    released = claims_spec.spec(CLAIMS, recipe.resolve("lemur-70b-released"))
    assert released["run"]["own"]["lemur-70b-chat-v1"] == "Lemur-70B-Chat"
    assert released["run"]["tokens"] == 0 and not released["run"]["papers_size"]
    small = claims_spec.spec(CLAIMS, recipe.resolve("mini"))
    assert small["recipe"] == "mini" and small["run"]["own"] == {}


def test_a_claim_that_stands_twice_is_refused(tmp_path):
    value = yaml.safe_load(CLAIMS.read_text())
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({**value, "claims": [value["claims"][0]] * 2}))
    with pytest.raises(UserError, match="claim 'openly-accessible' stands twice"):
        load.read(path)
