"""From verdicts of simulated cells to verdict, table and CSV, through the script's own function."""

import csv
import json

import numpy as np
import pytest
from lemur.core.errors import UserError
from lemur.study import analysis

SHARES = [0, 0.25, 0.5, 0.75, 10 / 11, 20 / 21, 1]
BASES = {"1m": 1.1, "3m": 3.5}
MEASURES = {"actions": "bits_per_byte_actions", "text": "bits_per_byte_text"}


def bits(measure, base, share):
    """Actions are cheapest at a share of 0.5; text is forgotten as code grows."""
    if share is None:
        return {"actions": 1.7, "text": 1.2}[measure]
    if measure == "actions":
        return 1.5 + 0.4 * (np.exp(-3 * share) + np.exp(3 * (share - 1)))
    return 1.15 + 0.2 * share**2


def simulate(folder, seeds=(1, 2, 3), documents=12):
    """A spec and scores.json paths, with verdicts.jsonl beside each."""
    random = np.random.default_rng(0)
    sizes = random.integers(300, 900, documents)
    hard = random.normal(0, 0.2, documents)
    cells, paths = [], []
    for base in BASES:
        for seed in seeds:
            for share in (None, *SHARES):
                recipe = f"s-{base}-{seed}-{share}"
                cells.append({"recipe": recipe, "base": base, "seed": seed, "arm": "main",
                              "share": share, "tokens": 0 if share is None else 1000,
                              "model": "pretrained", "steps": []})  # fmt: skip
                for measure, benchmark in MEASURES.items():
                    path = folder / recipe / "evaluate" / "pretrained" / benchmark / "scores.json"
                    path.parent.mkdir(parents=True)
                    noise = random.normal(0, 0.003)
                    lines = [
                        {"task": benchmark, "document": f"d{n}", "verdict": "scored", "bytes": int(size),
                         "bits": float((bits(measure, base, share) + hard[n] + noise) * size)}
                        for n, size in enumerate(sizes)
                    ]  # fmt: skip
                    text = "".join(f"{json.dumps(line)}\n" for line in lines)
                    path.with_name("verdicts.jsonl").write_text(text)
                    paths.append(path)
    claims = [("H1", "best-share-below", "actions", 0.0), ("H2", "worse-than-base", "text", 0.01),
              ("H3", "same-ranking", "actions", 0.0)]  # fmt: skip
    spec = {
        "study": "s", "description": "Which share?", "cells": cells, "seeds": list(seeds),
        "bases": [{"name": name, "millions": size, "seeds": list(seeds)} for name, size in BASES.items()],
        "millions": BASES, "checkpoint_measures": [], "batch": 100,
        "shares": SHARES, "reference": 10 / 11, "arms": [], "primary": "actions",
        "measures": MEASURES, "order": ["text", "actions"], "missing": {"fresh set": "not pinned"}, "limits": ["simulated"],
        "published": {"Lemur": [0.909]}, "cut": ["bases 13m"],
        "statistics": {"confidence": 0.95, "resamples": 200, "equal": 0.005, "seed": 0, "seeds": 3},
        "hypotheses": [
            {"name": name, "claim": f"claim {name}", "test": test, "measure": measure,
             "share": 10 / 11, "by": by}
            for name, test, measure, by in claims
        ],
    }  # fmt: skip
    return spec, paths


def test_a_known_optimum_is_found_and_decided(tmp_path):
    spec, paths = simulate(tmp_path)
    out = tmp_path / "study" / "analysis.json"
    analysis.run(spec, paths, [], out)
    found = json.loads(out.read_text())
    best = found["bases"]["3m"]["measures"]["actions"]["law"]["best"]
    assert best["low"] <= 0.53 and best["high"] >= 0.47 and best["edge"] is None
    outcomes = {hypothesis["name"]: hypothesis["outcome"] for hypothesis in found["hypotheses"]}
    assert outcomes == {"H1": "supported", "H2": "supported", "H3": "supported"}
    assert found["verdict"].startswith("Study s, base 3m, by actions (1 measure or control is missing): best share")  # fmt: skip
    said = (out.parent / "verdict.txt").read_text()
    for words in ("missing: fresh set: not pinned", "cut for the hours given: bases 13m", "- simulated"):  # fmt: skip
        assert words in said
    rows = list(csv.DictReader((out.parent / "cells.csv").open()))
    assert len(rows) == 2 * 3 * 8 * 2 == len(paths)
    values = found["bases"]["1m"]["measures"]["text"]["of_seeds"]
    mine = [
        row for row in rows if row["cell"] == f"s-1m-2-{SHARES[4]}" and row["measure"] == "text"
    ]
    assert float(mine[0]["bits_per_byte"]) == pytest.approx(values[1][4], abs=1e-6)
    table = (out.parent / "table.md").read_text()
    assert table.count("\n| 0.909 | ") == 4 and "the primary measure" in table
    heads = [line.split(" (")[0] for line in table.splitlines() if line.startswith("## ")]
    assert heads == [
        f"## {base}: {m}" for base in BASES for m in ("text", "actions, the primary measure")
    ]
    assert (found["sizes"], found["measures"]) == (["1m", "3m"], ["text", "actions"])


def test_one_seed_decides_nothing_and_says_why(tmp_path):
    spec, paths = simulate(tmp_path, seeds=(1,))
    analysis.run(spec, paths, [], tmp_path / "study" / "analysis.json")
    found = json.loads((tmp_path / "study" / "analysis.json").read_text())
    assert {hypothesis["outcome"] for hypothesis in found["hypotheses"]} == {"not decided"}
    assert "1 of the 3 seeds" in found["hypotheses"][0]["why"]


def test_cells_scored_on_other_documents_are_refused(tmp_path):
    spec, paths = simulate(tmp_path, seeds=(1,), documents=3)
    beside = paths[-1].with_name("verdicts.jsonl")
    beside.write_text(beside.read_text().replace('"d0"', '"d9"'))
    with pytest.raises(UserError, match="other documents than other cells have"):
        analysis.run(spec, paths, [], tmp_path / "study" / "analysis.json")
    with pytest.raises(UserError, match="none of cell"):
        analysis.run(spec, paths[:-1], [], tmp_path / "study" / "analysis.json")
    assert not (tmp_path / "study").exists()


def test_a_study_that_still_runs_says_of_how_many_cells(tmp_path):
    """The last base lacks one score: it is left out; its other cells stand in the CSV alone."""
    spec, paths = simulate(tmp_path, seeds=(1,), documents=4)
    out = tmp_path / "study" / "analysis.json"
    analysis.run(spec, paths[:-1], [], out, so_far=True)
    assert list(json.loads(out.read_text())["bases"]) == ["1m"]
    said = (out.parent / "verdict.txt").read_text()
    assert said.startswith("15 of 16 cells are finished.\nStudy s, base 1m")
    assert len(list(csv.DictReader((out.parent / "cells.csv").open()))) == 15 * 2
    analysis.run(spec, paths[:4], [], tmp_path / "early" / "analysis.json", so_far=True)
    assert "nothing is compared yet" in (tmp_path / "early" / "verdict.txt").read_text()
    assert not (tmp_path / "early" / "analysis.json").exists()
    with pytest.raises(UserError, match="none of its 16 cells is finished"):
        analysis.run(spec, [], [], tmp_path / "none" / "analysis.json", so_far=True)


def test_a_law_over_tokens_needs_cells_scored_before_their_end(tmp_path):
    spec, paths = simulate(tmp_path, seeds=(1,), documents=4)
    spec["checkpoint_measures"] = ["actions"]
    more = []
    for cell in spec["cells"]:
        if cell["share"] is None:
            continue
        cell["steps"] = [2, 5]
        for step in cell["steps"]:
            own = tmp_path / cell["recipe"] / "evaluate"
            end = own / "pretrained" / MEASURES["actions"] / "verdicts.jsonl"
            path = own / f"pretrained-step-{step}" / MEASURES["actions"] / "scores.json"
            path.parent.mkdir(parents=True)
            lines = [json.loads(line) for line in end.read_text().splitlines()]
            for line in lines:
                line["bits"] += line["bytes"] / step
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            path.with_name("verdicts.jsonl").write_text(text)
            more.append(path)
    out = tmp_path / "study" / "analysis.json"
    analysis.run(spec, [*paths, *more], [], out)
    over = json.loads(out.read_text())["bases"]["1m"]["measures"]["actions"]["over_tokens"]
    assert over["tokens"] == [200, 500, 1000]
    assert over["values"][0][0] - over["values"][2][0] == pytest.approx(1 / 2)
    assert "scored after 200, 500, 1,000 tokens" in (out.parent / "table.md").read_text()
    early = [
        row for row in csv.DictReader((out.parent / "cells.csv").open()) if row["tokens"] == "500"
    ]
    assert len(early) == 2 * len(SHARES)
