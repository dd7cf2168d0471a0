"""A recipe's agents: environments with all their settings, and mistakes before any job starts."""

import pytest
from lemur.config import load, recipe, stages
from lemur.errors import UserError


def test_an_entry_has_every_setting_and_what_the_recipe_changes():
    made = recipe.resolve("mini-agents")
    entry = stages.environment(made, "mint_mbpp")
    known = load.catalogue("environments")["mint"]["settings"]
    assert entry["settings"] == {**known, "sets": ["mbpp"], "turns": 3}
    spec = stages.play(made, "start", "mint_mbpp")
    assert spec["environment"] == "mint" and spec["player"] == "model" and spec["limit"] == 3
    assert spec["sampling"] == {"max_new_tokens": 96}
    assert stages.play(made, "gold", "bfcl")["player"] == "gold"
    assert "agents" not in recipe.resolve("mini")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"agents.environments": [{"name": "mynt"}]}, "no environment 'mynt' in config/environments.yaml; did you mean 'mint'?"),
        ({"agents.environments": [{"name": "mint", "settings": {"tirns": 3}}]}, "settings: 'mint' has no 'tirns'; did you mean 'turns'?"),
        ({"agents.environments": [{"name": "mint"}, {"name": "mint"}]}, "agents.environments.1: 'mint' stands twice"),
        ({"agents.models": ["chatt"]}, "agents.models: 'chatt'; did you mean 'chat'?"),
        ({"agents.environments": []}, "at least 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_before_any_job(changed, said):
    with pytest.raises(UserError) as raised:
        recipe.resolve("mini-agents", changed)
    assert said in str(raised.value) and "\n" not in str(raised.value)
