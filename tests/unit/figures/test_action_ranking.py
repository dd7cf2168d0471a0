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


BITS = {"mint/gsm8k/1/0": 800, "alfworld/1/0": 8, "alfworld/1/1": 16, "robocodegen/1/0": 30}


def model(bits, solved, total=100):
    return Ranked(f"{bits}", bits, (bits, bits), 4, Rate(solved, total), "recorded")


def scored(folder, name, factor, bits=BITS):
    """scores.json of actions of ``factor`` times so many bits in 10 bytes each."""
    place = folder / "evaluate" / name
    place.mkdir(parents=True)
    lines = [
        {"task": "t", "document": key, "bits": factor * value, "bytes": 10, "verdict": "scored"}
        for key, value in bits.items()
    ]
    (place / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    score = trial_run.score(
        "bits_per_byte_recorded_actions", name, 1.0, metric="bits per byte", higher_is_better=False, n=4, of=4
    )  # fmt: skip
    return trial_run.write_file(place / "scores.json", score)


def played(folder, name, environment="mint", tasks=586, solved=146, **settings):
    outcomes = [Outcome(f"mint/{k}", 1, int(k < solved)) for k in range(tasks)]
    return played_results.write_result(folder, environment, environment, name, outcomes, **settings)


def spec(*names, recorded=RECORDED):
    listed = [{"name": name, "label": name.title()} for name in names]
    return {**settings.spec(CONFIG, "action_ranking"), "recipe": "r", "seed": 1, "models": listed,
            "players": listed + [{"name": "gold", "label": "gold"}], "recorded": recorded}  # fmt: skip


def test_success_is_the_records_or_what_was_played_of_the_same_tasks(tmp_path):
    names = ("lemur", "code", "small", "idle", "few", "hurried", "twice")
    scores = [scored(tmp_path, name, 1 + k) for k, name in enumerate(names)]
    results = [
        played(tmp_path, "small"),
        played(tmp_path / "taught", "small", solved=586, feedback=True),
        played(tmp_path, "small", "intercode_sql"),
        played(tmp_path, "lemur"),
        played(tmp_path, "few", tasks=4),
        played(tmp_path, "hurried", turns=3),
        played(tmp_path, "twice"),
        played(tmp_path / "again", "twice"),
    ]
    models, lacking = ranked(spec(*names), scores, results, OUTCOMES)
    # The mean of 1.2 (ALFWorld) and 3.0 (RoboCodeGen): what Lemur itself said in MINT counts for nobody.
    assert [(one.label, one.bits, one.actions, one.source) for one in models] == [
        ("Lemur", pytest.approx(2.1), 3, "recorded"), ("Code", pytest.approx(4.2), 3, "recorded"),
        ("Small", pytest.approx(6.3), 3, "played"),
    ]  # fmt: skip
    assert [one.rate.total for one in models] == [586] * 3 and models[2].rate.solved == 146
    assert models[0].rate.percent > models[1].rate.percent > 10
    assert lacking == [
        "Idle: nobody has played it",
        "Few: it has played 4 of the records' 586 tasks",
        "Hurried: it has played 3 turns, the records have 5",
        "Twice: it has played MINT without feedback in 2 entries",
    ]
    out = tmp_path / "ranking.svg"
    action_ranking.write(spec(*names), scores, results, OUTCOMES, out)
    rows = list(csv.DictReader(out.with_suffix(".csv").open()))
    assert [(row["model"], row["bits_per_byte"], row["source"]) for row in rows] == [
        ("Lemur", "2.1", "recorded"), ("Code", "4.2", "recorded"), ("Small", "6.3", "played")
    ]  # fmt: skip
    said = out.with_suffix(".txt").read_text()
    assert said.startswith("Unproved: 3 models have both numbers, and at least 5 are needed")
    assert "Left out:\n  Idle: nobody has played it\n" in said
    # What is drawn: each model's name, the cheapest actions leftmost and the most solved on top.
    places = [read(out).said(name) for name in ("Lemur", "Code", "Small")]
    assert places[0].x < places[1].x < places[2].x and places[0].y < places[1].y
    described = svg.texts(out.read_text())[1]
    assert "Small: 6.300 bits per byte, 24.9 percent of 586 episodes solved (played)" in described


def test_scores_that_do_not_compare_are_refused(tmp_path):
    models, lacking = ranked(spec("lemur", "llama"), [scored(tmp_path, "lemur", 1)], [], OUTCOMES)
    assert len(models) == 1 and lacking == ["Llama: its actions are not scored"]
    mine = scored(tmp_path / "b", "lemur", 1)
    others = scored(tmp_path / "b", "code", 1, {**BITS, "alfworld/2/0": 1})
    for given, line in (
        ([mine, mine], "a second scores.json of 'lemur'"),
        ([mine, others], "the models were asked other actions than each other"),
        ([scored(tmp_path / "c", "nobody", 1)], "of 'nobody', which --spec's models do not name"),
        ([scored(tmp_path / "d", "lemur", 1, {"mint/gsm8k/1/0": 8})], "no actions of an environment other than MINT"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=line):
            ranked(spec("lemur", "code"), given, [], OUTCOMES)


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
    ordered = [model(0.5 + k / 10, 90 - 10 * k) for k in range(6)]
    found = rank(ordered, 1)
    assert found.tau == pytest.approx(1) and found.p == pytest.approx(
        2 / 720
    )  # it, and its reverse
    said = verdict(ordered, found)
    assert said.startswith(
        "Who needs fewer bits for actions solves more, beyond chance: 15 of 15 pairs of"
    )
    turned = [model(one.bits, 100 - one.rate.solved) for one in ordered]
    assert verdict(turned, rank(turned, 1)).startswith(
        "Refuted: who needs fewer bits for actions solves less: 0 of 15"
    )
    # Of many models orders are drawn, the same ones in every run.
    many = [model(0.5 + k / 10, 90 - 5 * k) for k in range(10)]
    assert rank(many, 1) == rank(many, 1) and rank(many, 1).p < 0.001


def test_an_order_by_chance_proves_nothing():
    mixed = [model(bits, solved) for bits, solved in ((1, 10), (2, 90), (3, 20), (4, 80), (5, 30))]
    found = rank(mixed, 1)
    every = [tau_b(np.array([10, 90, 20, 80, 30.0]), -np.array(order, float))
             for order in itertools.permutations((1, 2, 3, 4, 5))]  # fmt: skip
    assert found.p == pytest.approx(sum(abs(x) >= abs(found.tau) - 1e-12 for x in every) / 120)
    assert verdict(mixed, found).startswith("Unproved: ") and "an order by chance" in verdict(
        mixed, found
    )
    same = [model(bits, 5) for bits in range(1, 7)]
    assert rank(same, 1).tau is None
    assert verdict(same, rank(same, 1)).startswith("Unproved: all models solve as much as")
    flat = [model(1, solved) for solved in range(1, 7)]
    assert verdict(flat, rank(flat, 1)).startswith("Unproved: all models need as many bits as")


def test_the_recipe_names_the_hubs_models_as_the_records_do():
    from lemur.config import recipe

    made = settings.ranking(CONFIG, recipe.resolve("ranking"))
    assert len(made["models"]) == 10 and made["models"][0]["name"] == "smollm2-135m"
    assert {made["recorded"][name] for name in ("lemur-70b-chat-v1", "codellama-34b-instruct", "llama-2-70b-chat")} == set(RECORDED.values())  # fmt: skip
    played = {entry["name"] for entry in made["players"]}
    known = action_ranking.recorded_rates(action_ranking.outcomes.read(OUTCOMES))
    named = {name for name, recorded in made["recorded"].items() if recorded in known}
    # Every model has its success from one of both.
    assert {entry["name"] for entry in made["models"]} == played | named and not played & named
