"""Bits per byte of actions against success: what is compared, and when it is said to rank models."""

import csv
import itertools
import json

import numpy as np
import played_results
import pytest
import trial_run
import yaml
from drawn_svg import read
from lemur.agents.rates import Rate
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.figures import action_ranking, settings, svg
from lemur.figures.action_ranking import Ranked, rank, ranked, tau_b, verdict
from played_results import Outcome
from trial_run import PAPER

CONFIG = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())
OUTCOMES = PAPER / "mint_outcomes.tsv.gz"
RECORDED = {
    "lemur": "lemur-70b-chat-v1",
    "code": "CodeLlama-34b-Instruct-hf",
    "llama": "Llama-2-70b-chat-hf",
}


def model(bits, solved, total=100):
    return Ranked(f"{bits}", bits, (bits, bits), 4, 40, Rate(solved, total), "recorded")


def scored(folder, name, factor):
    """scores.json of two actions, of ``factor`` times 8 and 16 bits in 10 bytes each."""
    place = folder / "evaluate" / name
    place.mkdir(parents=True)
    lines = [
        {"task": "t", "document": f"mint/gsm8k/{k}/0", "bits": factor * bits, "bytes": 10, "verdict": "scored"}
        for k, bits in enumerate((8, 16))
    ]  # fmt: skip
    (place / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    score = trial_run.score(
        "bits_per_byte_recorded_actions", name, 1.0, metric="bits per byte", higher_is_better=False, n=2, of=2
    )  # fmt: skip
    return trial_run.write_file(place / "scores.json", score)


def spec(*names, recorded=RECORDED):
    listed = [{"name": name, "label": name.title()} for name in names]
    return {**settings.spec(CONFIG, "action_ranking"), "recipe": "r", "seed": 1, "models": listed,
            "players": listed + [{"name": "gold", "label": "gold"}], "recorded": recorded}  # fmt: skip


def test_success_is_the_records_or_what_was_played(tmp_path):
    names = ("lemur", "code", "small", "idle")
    scores = [
        scored(tmp_path, name, factor) for name, factor in zip(names, (1, 2, 3, 4), strict=True)
    ]
    tasks = [Outcome(f"mint/{k}", 1, int(k < 1)) for k in range(4)]
    played = [
        played_results.write_result(tmp_path, "mint", "mint", "small", tasks),
        played_results.write_result(tmp_path, "taught", "mint", "small", tasks, feedback=True),
        played_results.write_result(tmp_path, "sql", "intercode_sql", "small", tasks),
        played_results.write_result(tmp_path, "mint", "mint", "lemur", tasks),
    ]
    models, lacking = ranked(spec(*names), scores, played, OUTCOMES)
    assert [(one.label, one.bits, one.source) for one in models] == [
        ("Lemur", 1.2, "recorded"), ("Code", 2.4, "recorded"), ("Small", 3.6, "played")
    ]  # fmt: skip
    # Of 586 recorded episodes without feedback, as reports/paper/mint_outcomes.tsv.gz counts them.
    assert [one.rate.total for one in models] == [586, 586, 4] and models[2].rate.solved == 1
    assert models[0].rate.percent > models[1].rate.percent > 10
    assert lacking == ["Idle: nobody has played it"]
    out = tmp_path / "ranking.svg"
    action_ranking.write(spec(*names), scores, played, OUTCOMES, out)
    rows = list(csv.DictReader(out.with_suffix(".csv").open()))
    assert [(row["model"], row["bits_per_byte"], row["episodes"], row["source"]) for row in rows] == [
        ("Lemur", "1.2", "586", "recorded"), ("Code", "2.4", "586", "recorded"), ("Small", "3.6", "4", "played")
    ]  # fmt: skip
    said = out.with_suffix(".txt").read_text()
    assert said.startswith("Unproved: 3 models have both numbers, and at least 5 are needed")
    assert said.endswith("Left out:\n  Idle: nobody has played it\n")
    # What is drawn: each model's name, the cheapest actions leftmost and the most solved on top.
    places = [read(out).said(name) for name in ("Lemur", "Code", "Small")]
    assert places[0].x < places[1].x < places[2].x and places[0].y < places[1].y
    assert (
        "Small: 3.600 bits per byte, 25.0 percent of 4 episodes solved (played)"
        in svg.texts(out.read_text())[1]
    )


def test_a_recorded_model_that_is_not_scored_is_named(tmp_path):
    models, lacking = ranked(spec("lemur", "llama"), [scored(tmp_path, "lemur", 1)], [], OUTCOMES)
    assert len(models) == 1 and lacking == ["Llama: its actions are not scored"]
    with pytest.raises(
        UserError, match="scores.json of 'lemur', which --spec's models do not name"
    ):
        ranked(spec("llama"), [scored(tmp_path / "b", "lemur", 1)], [], OUTCOMES)


@pytest.mark.parametrize("seed", range(6))
def test_tau_counts_pairs(seed):
    """Kendall's own way: pairs in order less pairs out of order, by the pairs that no tie excludes."""
    draw = np.random.default_rng(seed)
    first, second = draw.integers(0, 6, (2, 12)).astype(float)
    pairs = list(itertools.combinations(range(12), 2))
    signs = [np.sign((first[a] - first[b]) * (second[a] - second[b])) for a, b in pairs]
    apart = [sum(each[a] != each[b] for a, b in pairs) for each in (first, second)]
    assert tau_b(first, second) == pytest.approx(sum(signs) / (apart[0] * apart[1]) ** 0.5)


def test_models_in_order_rank_alike():
    found = rank([model(0.5 + k / 10, 90 - 10 * k) for k in range(6)], 1)
    assert found.tau == pytest.approx(1) and found.p == pytest.approx(1 / 720)
    said = verdict([model(0, 0)] * 6, found)
    assert said.startswith(
        "Bits per byte of actions rank these models as their success does: Kendall's tau is 1.00"
    )
    # Of many models orders are drawn, the same ones in every run.
    many = [model(0.5 + k / 10, 90 - 5 * k) for k in range(10)]
    assert rank(many, 1) == rank(many, 1) and rank(many, 1).p < 0.001


def test_an_order_by_chance_proves_nothing():
    turned = [model(bits, solved) for bits, solved in ((1, 10), (2, 90), (3, 20), (4, 80), (5, 30))]
    found = rank(turned, 1)
    every = [tau_b(np.array([10, 90, 20, 80, 30.0]), -np.array(order, float))
             for order in itertools.permutations((1, 2, 3, 4, 5))]  # fmt: skip
    assert found.p == pytest.approx(sum(value >= found.tau - 1e-12 for value in every) / 120)
    assert verdict(turned, found).startswith("Unproved: Kendall's tau is ")
    same = [model(bits, 5) for bits in range(1, 7)]
    assert rank(same, 1).tau is None
    assert verdict(same, rank(same, 1)).startswith("Unproved: all models solve as much")


def test_the_recipe_names_the_hubs_models_as_the_records_do():
    from lemur.config import recipe

    made = settings.ranking(CONFIG, recipe.resolve("ranking"))
    assert len(made["models"]) == 10 and made["models"][0]["name"] == "start"
    assert {made["recorded"][name] for name in ("lemur-70b-chat-v1", "codellama-34b-instruct", "llama-2-70b-chat")} == set(RECORDED.values())  # fmt: skip
    played = {entry["name"] for entry in made["players"]}
    known = action_ranking.recorded_rates(action_ranking.outcomes.read(OUTCOMES))
    named = {name for name, recorded in made["recorded"].items() if recorded in known}
    # Every model has its success from one of both.
    assert {entry["name"] for entry in made["models"]} == played | named and not played & named
