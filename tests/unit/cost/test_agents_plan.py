"""What playing costs, against numbers computed by hand."""

import pytest
from lemur import cost
from lemur.config import recipe as recipes
from lemur.core.contracts import part, plain
from lemur.cost import agents
from lemur.cost.recipe import Environment, planned
from lemur.cost.resources import ask


def played(entries):
    return agents.played([part(Environment, entry, "environment") for entry in entries])


@pytest.fixture(scope="module")
def paper():
    return recipes.resolve("lemur-70b")


def test_episodes_answers_and_what_is_read():
    mint = {"tasks": 586, "settings": {"turns": 5}}
    found = played([mint])
    assert (found.episodes, round(found.answers), found.read) == (586, round(586 * 3.8 * 267), 586 * 2_500)  # fmt: skip
    few = {**mint, "limit": 3, "max_new_tokens": 96}
    assert round(played([few]).answers) == round(3 * 3.8 * 96)
    assert played([{"tasks": 37, "limit": 99, "settings": {"turns": 1}}]).episodes == 37
    assert played([mint, few]).episodes == 589


def test_gpu_hours_are_of_all_gpus_that_hold_the_model(paper):
    """70B in 16 bits is 138 GB, and a third more: three GPUs of 80 GB, one at work at a time."""
    assert agents.devices(planned(paper)) == 3
    one = {**paper, "agents": {"models": ["gold", "chat"], "environments": [{"tasks": 586, "settings": {"turns": 5}}]}}  # fmt: skip
    made = plain(agents.agents(planned(one)))
    decoded = 2 * 68_976_648_192 * 586 * 3.8 * 267 / (989.4e12 * 0.01)
    read = 2 * 68_976_648_192 * 586 * 2_500 / (989.4e12 * 0.4)
    assert made["device_hours"] == pytest.approx(3 * (decoded + read) / 3600, rel=1e-6)
    assert (made["episodes"], made["models"]) == (586, ["chat"])


def test_the_plan_says_it_and_a_job_asks_for_its_own_share(paper):
    (line,) = [text for text in cost.summary(planned(paper)) if text.startswith("  agents")]
    assert "10 environments, 3,960 episodes of chat: about " in line and " GPU-hours (267 " in line
    whole = planned(paper)
    listed = {x.name: ask(whole, "play", environments=[x]) for x in whole.agents.environments}
    assert listed["intercode_sql"].minutes > 5 * listed["intercode_ctf"].minutes > 50
    assert {each.gpus for each in listed.values()} == {3}
    without = recipes.resolve("lemur-70b", {"agents": None})
    assert not [text for text in cost.summary(planned(without)) if text.startswith("  agents")]
    assert cost.cost(planned(without)).agents is None


def test_known_solutions_cost_nothing():
    made = recipes.resolve("smoke", {"agents.models": ["gold"]})
    gold = [{**item, "models": ["gold"]} for item in made["agents"]["environments"]]
    made["agents"]["environments"] = gold
    assert (
        "no model, only known solutions: about 0 device-hours"
        in agents.agents_line(planned(made))[0]
    )
