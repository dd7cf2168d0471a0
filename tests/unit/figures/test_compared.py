"""Our scores beside the paper's: differences, averages, explanations, pairs, and the files behind."""

import dataclasses
import json

import pytest
from lemur.config import load
from lemur.config import recipe as recipes
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.download import hub_lock
from lemur.evaluation.score import Score
from lemur.figures import compared, paired, reported, settings, tables
from lemur.figures.foundation import BENCHMARKS

NUMBERS = reported.table(ROOT / "reports/paper/reported.csv", "foundation")
OWN = {"name": "llama", "label": "Llama-2-70B", "paper": "Llama-2-70B", "own": True}
ANOTHER = "another model than the paper's Lemur-70B-Chat: no difference is taken"
SMALL = {"name": "chat", "label": "chat", "paper": "Lemur-70B-Chat", "own": False}


def score(folder, model, benchmark, right, n=100, of=None, judged=True, beside=None):
    made = folder / "results" / "r" / "evaluate" / model / benchmark
    made.mkdir(parents=True)
    verdicts = [
        {"task": "t", "document": str(k), "verdict": "passed" if k < right else "failed"}
        for k in range(n)
    ]
    (made / "verdicts.jsonl").write_text("".join(json.dumps(v) + "\n" for v in verdicts))
    value = right / n if judged else None
    given = {"benchmark": benchmark, "model": model, "metric": "m", "value": value,
             "interval": [value - 0.08, value + 0.08] if judged else None, "n": n, "of": of or n,
             "judged": judged, "reason": None if judged else "no sandbox"}  # fmt: skip
    given |= {"beside": beside} if beside else {}
    (made / "scores.json").write_text(json.dumps(given))
    return made / "scores.json"


def spec(models=(OWN,), **more):
    return {"recipe": "r", "models": list(models), "benchmarks": {}, "explanations": {}, **more}


def rows(table):
    return {(heading, row[0]): row for heading, many in table.groups for row in many}


def made(folder, paths, given=None, dropped=None):
    out = folder / "results" / "figures" / "r" / "foundation.html"
    return compared.compared(given or spec(), paths, NUMBERS, dropped, out)


def test_names_of_benchmarks_lead_to_columns():
    assert compared.column_of("gsm8k_full") == compared.column_of("gsm8k") == "GSM8K"
    assert compared.column_of("bbh_cot_fewshot") == "BBH"
    assert compared.column_of("multipl_e_lua") == "MultiPL-E"
    assert compared.column_of("bits_per_byte_code") is None
    assert set(compared.COLUMNS.values()) == set(BENCHMARKS)


def test_a_cell_stands_beside_the_papers_with_its_interval(tmp_path):
    table = made(tmp_path, [score(tmp_path, "llama", "humaneval", 30)])
    row = rows(table)["Llama-2-70B, the paper's Llama-2-70B", "humaneval"]
    assert row[1:6] == [30.5, 30.0, "22.0 to 38.0", pytest.approx(-0.5), "-8.5 to +7.5"]
    assert row[10] == "within the interval" and row[11] is None
    targets = [link.target for link in row[12]]
    assert targets[0] == "../../r/evaluate/llama/humaneval/prompt.txt" and len(targets) == 4
    assert "matches its published score on 1 of 1" in table.notes[0]


def test_no_difference_is_taken_of_a_small_model_to_the_papers(tmp_path):
    """Not for a benchmark nor for their mean; to the start on the same problems there is one."""
    paths = [score(tmp_path, name, "gsm8k", 6) for name in ("chat", "start")]
    models = [{**SMALL, "name": "start", "paper": None}, SMALL]
    table = made(tmp_path, paths, spec(models))
    for name in ("gsm8k", "Mean of the 1 above"):
        row = rows(table)["chat, the paper's Lemur-70B-Chat", name]
        assert row[1:3] == [66.3, pytest.approx(6)] and row[4:6] == [None, None]
        assert row[10] == ANOTHER
    assert rows(table)["chat, the paper's Lemur-70B-Chat", "gsm8k"][9].startswith("+0.0 (")
    same = {**SMALL, "papers_size": True}
    row = rows(made(tmp_path, paths, spec([same])))["chat, the paper's Lemur-70B-Chat", "gsm8k"]
    assert row[4] == pytest.approx(-60.3) and row[5] == "-68.3 to -52.3"
    assert row[10] == "trained here, as the paper's Lemur-70B-Chat was"


@pytest.mark.parametrize("base, tokens, same", [
    ("llama-2-70b", 90_000_000_000, True), ("llama-2-70b", 89_999_999_999, False),
    ("smollm2-135m", 90_000_000_000, False),
])  # fmt: skip
def test_a_run_has_the_papers_size_by_its_base_and_its_tokens(config, base, tokens, same):
    recipe = {"base": {"name": base}, "pretrain": {"tokens": tokens}}
    assert settings.as_the_paper(config, recipe) is same


def test_a_gap_is_explained_or_unexplained(tmp_path):
    paths = [score(tmp_path, "llama", name, 90, of=of) for name, of in
             (("humaneval", 100), ("mbpp", 500), ("gsm8k", 100))]  # fmt: skip
    paths += [score(tmp_path, "chat", "humaneval", 1)]
    given = spec(
        (OWN, SMALL),
        benchmarks={"humaneval": ["decoded greedily"]},
        explanations={"llama/gsm8k": "we asked its author"},
    )
    told = {key[1] + key[0][:4]: row[10] for key, row in rows(made(tmp_path, paths, given)).items()}
    assert told["humanevalLlam"] == "decoded greedily"
    assert told["mbppLlam"] == "100 of 500 problems"
    assert told["gsm8kLlam"] == "we asked its author"
    assert told["humanevalchat"] == ANOTHER
    plain = made(tmp_path, paths[:1])
    assert rows(plain)["Llama-2-70B, the paper's Llama-2-70B", "humaneval"][10] == "unexplained"
    assert "matches its published score on 0 of 1" in plain.notes[0]


def test_the_average_is_the_papers_where_all_eight_are_there(tmp_path):
    names = ["mmlu", "bbh_cot_fewshot", "gsm8k_full", "humaneval", "mbpp", "spider", "multipl_e",
             "ds1000"]  # fmt: skip
    paths = [score(tmp_path, "llama", name, 40) for name in names]
    whole = rows(made(tmp_path, paths))["Llama-2-70B, the paper's Llama-2-70B", "Average"]
    assert whole[1:3] == [43.6, pytest.approx(40)] and whole[4] == pytest.approx(-3.6)
    half = 8 / 8**0.5  # eight independent intervals of +-8
    assert whole[3] == f"{40 - half:.1f} to {40 + half:.1f}"
    part = rows(made(tmp_path, paths[3:5]))[
        "Llama-2-70B, the paper's Llama-2-70B", "Mean of the 2 above"
    ]
    assert part[1] == pytest.approx((30.5 + 45.4) / 2)


def test_the_interval_of_an_average_is_as_lopsided_as_its_parts(tmp_path):
    paths = [score(tmp_path, "llama", name, 0) for name in ("humaneval", "mbpp")]
    for path in paths:
        path.write_text(json.dumps({**json.loads(path.read_text()), "interval": [0.0, 0.6]}))
    row = rows(made(tmp_path, paths))["Llama-2-70B, the paper's Llama-2-70B", "Mean of the 2 above"]
    assert row[3] == f"0.0 to {60 / 2**0.5:.1f}"


def test_a_column_counts_once_in_the_average(tmp_path):
    paths = [score(tmp_path, "llama", "mmlu", 60), score(tmp_path, "llama", "mmlu_mint", 9, n=76)]
    named = "Llama-2-70B, the paper's Llama-2-70B", "Mean of the 1 above"
    assert rows(made(tmp_path, paths))[named][2] == 60  # 76 problems of it are not MMLU
    paths.append(score(tmp_path, "llama", "mmlu_paper", 50, n=90, of=100))
    assert rows(made(tmp_path, paths))[named][2] == pytest.approx(100 * 50 / 90)


def test_the_gap_of_an_average_is_explained_by_its_rows(tmp_path):
    names = {"humaneval": 90, "mbpp": 46}
    paths = [score(tmp_path, "llama", name, right) for name, right in names.items()]
    paths += [score(tmp_path, "chat", name, right) for name, right in names.items()]

    def told(given):
        table = rows(made(tmp_path, paths, given))
        return [row[10] for key, row in table.items() if key[1].startswith("Mean")]

    assert told(spec((OWN,))) == ["unexplained"]
    explained = spec((OWN, SMALL), benchmarks={"humaneval": ["decoded greedily"]})
    assert told(explained) == ["the gaps above", ANOTHER]
    near = [score(tmp_path, "near", "gsm8k", 56)]
    found = rows(made(tmp_path, near, spec(({**OWN, "name": "near"},))))
    assert {row[10] for row in found.values()} == {"within the interval"}


def test_problems_that_could_not_be_judged_are_named_and_count_for_nobody(tmp_path):
    paths = [score(tmp_path, name, "multipl_e", 10) for name in ("llama", "chat")]
    made_here = json.loads(paths[1].read_text())
    missed = {"toolchain: Go lacks go": 20, "the judge fell: OSError: x": 1}
    paths[1].write_text(json.dumps({**made_here, "n_judged": 79, "not_judged": missed}))
    lines = [json.loads(line) for line in (paths[1].with_name("verdicts.jsonl")).open()]
    for line in lines[10:31]:
        line["verdict"] = "not judged"
    paths[1].with_name("verdicts.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    own = {**SMALL, "own": True}
    table = made(tmp_path, paths, spec((OWN, own)))
    row = rows(table)["chat, the paper's Lemur-70B-Chat", "multipl_e"]
    assert row[6] == (
        "100 of 100, 79 judged (20 x toolchain: Go lacks go; 1 x the judge fell: OSError: x)"
    )
    assert row[9] == "+0.0 (-4.2 to +4.2, McNemar p = 1, Holm p = 1) on 79"  # not 21 failures more
    assert row[10] == "79 of 100 judged"
    assert "(chat), but on no benchmark whole" in table.notes[0]


def test_several_answers_to_a_problem_are_paired_by_the_share_that_passed(tmp_path):
    paths = [score(tmp_path, name, "humaneval", 0, n=2) for name in ("llama", "chat")]
    lines = [
        {"task": "t", "document": str(k), "verdict": "failed", "samples": ["failed", *many]}
        for k, many in enumerate((["passed", "passed", "failed"], ["failed", "not judged"]))
    ]
    paths[1].with_name("verdicts.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    table = made(tmp_path, paths, spec((OWN, SMALL)))
    told = rows(table)["chat, the paper's Lemur-70B-Chat", "humaneval"][9]
    assert (
        told == "+25.0 (+0.0 to +50.0, Holm p = 0.05)"
    )  # half of one problem and none of the other


def test_models_are_paired_on_the_same_problems(tmp_path):
    paths = [score(tmp_path, "llama", "humaneval", 10), score(tmp_path, "chat", "humaneval", 30)]
    table = made(tmp_path, paths, spec((OWN, SMALL)))
    found = rows(table)
    assert found["Llama-2-70B, the paper's Llama-2-70B", "humaneval"][9] is None
    text = found["chat, the paper's Lemur-70B-Chat", "humaneval"][9]
    assert text.startswith("+20.0* (+1") and "McNemar p = 1.9e-06, Holm p = 1.9e-06" in text
    other = [paths[0], score(tmp_path, "chat", "mbpp", 30)]
    assert all(row[9] is None for row in rows(made(tmp_path, other, spec((OWN, SMALL)))).values())


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        (None, None),
        ({"strict": {"value": 0.28, "differs_on": 2}}, "strict 28.0: 2 differ"),
        ({"strict": {"value": 0.3, "differs_on": 0}}, "strict: none differs"),
        (
            {"strict": {"value": 0.25, "differs_on": 5, "not_checked": 3}},
            "strict 25.0: 5 differ, 3 not checked",
        ),
        ({"strict": {"value": None, "n": 0, "not_checked": 9}}, "strict: not checked"),
        (
            {
                "exact_set_match": {"value": 0.1, "differs_on": 20},
                "with_rows": {"value": 1, "n": 9},
            },
            "exact set match 10.0: 20 differ",
        ),
    ],
)
def test_another_rule_for_the_same_answers_is_shown_with_what_it_changes(tmp_path, beside, told):
    table = made(tmp_path, [score(tmp_path, "llama", "multipl_e", 30, beside=beside)])
    row = rows(table)["Llama-2-70B, the paper's Llama-2-70B", "multipl_e"]
    assert row[8] == told and table.columns[8].name == "Judged otherwise"


def test_the_papers_way_of_asking_stands_beside_the_other(tmp_path):
    paths = [score(tmp_path, "llama", name, right) for name, right in
             (("gsm8k_paper", 30), ("gsm8k_full", 27), ("humaneval", 20))]  # fmt: skip
    found = {key[1]: row[8] for key, row in rows(made(tmp_path, paths)).items()}
    assert found["gsm8k_paper"] == "gsm8k_full 27.0: 3 of 100 differ"
    assert found["gsm8k_full"] is None and found["humaneval"] is None


def test_documents_that_overlap_are_counted_once(tmp_path):
    dropped = tmp_path / "dropped.tsv"
    lines = ["source\tpart\trow\tid\tbenchmark\titem\tmatched"]
    lines += [
        "a\t0\t1\tx\thumaneval\tone\tw",
        "a\t0\t1\tx\thumaneval\ttwo\tw",
        "b\t0\t1\tx\tmbpp\to\tw",
    ]
    dropped.write_text("\n".join(lines) + "\n")
    paths = [score(tmp_path, "llama", name, 30) for name in ("humaneval", "gsm8k")]
    found = rows(made(tmp_path, paths, dropped=dropped))
    assert [row[11] for row in found.values()] == [0, 1, None]  # in the order of the columns


def test_what_was_not_judged_is_said(tmp_path):
    row = next(
        iter(rows(made(tmp_path, [score(tmp_path, "llama", "mbpp", 3, judged=False)])).values())
    )
    assert row[1:6] == [45.4, None, "not judged: no sandbox", None, None]
    table = made(tmp_path, [score(tmp_path, "chat", "mbpp", 3)], spec((SMALL,)))
    assert "nothing yet vouches" in table.notes[0]


def test_data_that_no_test_has_seen_is_said(tmp_path, monkeypatch):
    """Of the catalogue as it is; what the hub was asked for is not said any more."""
    catalogue, recipe = load.catalogue("benchmarks"), recipes.resolve("mini")
    monkeypatch.setattr(hub_lock, "PATH", tmp_path / "hub.lock.json")
    given = settings.foundation(load.figures(), recipe, catalogue)
    assert given["hub_only"] == dict.fromkeys(["ds1000", "mmlu", "mmlu_paper", "multipl_e"], False)
    (told,) = compared._unseen(given["hub_only"])
    assert told.startswith("The data of DS-1000, MMLU, MultiPL-E is on the hub alone")
    assert "none is asked in this recipe" in told
    (told,) = compared._unseen({"mmlu": True, "ds1000": False})
    assert "asked in this recipe: mmlu" in told
    pin = {"hub": "a/b", "repo_type": "dataset", "revision": "0" * 40, "files": ["c"]}
    seen = {"ds1000": {"data": {"from": pin}}}
    assert settings.hub_only(seen, {"ds1000"}) == {"ds1000": True}
    locked = hub_lock.Locked("a/b", "dataset", "0" * 40, "0" * 40, ("c",), 0, ())
    hub_lock.write(hub_lock.PATH, {"benchmarks/ds1000": locked})
    assert settings.hub_only(seen, {"ds1000"}) == {} and compared._unseen({}) == []


def test_the_note_is_in_the_table(tmp_path):
    table = made(tmp_path, [], spec(hub_only={"multipl_e": True}))
    assert any("MultiPL-E is on the hub alone" in note for note in table.notes)


def test_four_formats_lead_to_the_files(tmp_path):
    out = tmp_path / "results" / "figures" / "r" / "foundation.html"
    paths = [score(tmp_path, "llama", "humaneval", 30)]
    compared.write(spec(), paths, ROOT / "reports/paper/reported.csv", None, out)
    assert (
        '<a href="../../r/evaluate/llama/humaneval/verdicts.jsonl">verdicts</a>' in out.read_text()
    )
    assert (
        "[settings](../../r/evaluate/llama/humaneval/scores.json)"
        in out.with_suffix(".md").read_text()
    )
    assert (
        "../../r/evaluate/llama/humaneval/generations.jsonl" in out.with_suffix(".csv").read_text()
    )
    tex = out.with_suffix(".tex").read_text()
    assert tex.count(r"\\") > 2
    assert r"\href{../../r/evaluate/llama/humaneval/scores.json}{settings}" in tex
    for link in compared.FILES[2:]:
        assert (out.parent / f"../../r/evaluate/llama/humaneval/{link[1]}").resolve().is_file()


@pytest.mark.parametrize("text", ["{", '{"task": 1}\n'])
def test_damaged_verdicts_are_one_line(tmp_path, text):
    paths = [score(tmp_path, "llama", "humaneval", 10), score(tmp_path, "chat", "humaneval", 30)]
    paths[0].with_name("verdicts.jsonl").write_text(text)
    with pytest.raises(UserError, match=r"verdicts.jsonl: line 1: "):
        made(tmp_path, paths, spec((OWN, SMALL)))


def test_no_score_is_an_empty_table_with_its_notes(tmp_path):
    assert made(tmp_path, []).groups == [] and tables.html(made(tmp_path, []))


def test_what_to_know_of_the_answers_stands_beside_the_score(tmp_path):
    """Empty answers, and how many programs could forge a pass, in every format of the table."""
    paths = [
        score(tmp_path, "llama", name, 0, n=24) for name in ("humaneval", "multipl_e", "ds1000")
    ]
    more = {
        "humaneval": {"responses": {"empty": 19, "finish": {"stop": 24}}},
        "ds1000": {"one_process": {"ds1000/5": "a figure", "ds1000/7": "no data"}},
    }
    for path in paths:
        text = json.loads(path.read_text())
        path.write_text(json.dumps({**text, **more.get(text["benchmark"], {})}))
    out = tmp_path / "results" / "figures" / "r" / "foundation.html"
    compared.write(spec(), paths, ROOT / "reports/paper/reported.csv", None, out)
    told = {key[1]: row[7] for key, row in rows(made(tmp_path, paths)).items()}
    assert told == {
        "humaneval": "19 of 24 answers are empty",
        "multipl_e": "24 of 24 programs share a process with their test and could forge a pass",
        "ds1000": "2 of 24 programs share a process with their test and could forge a pass",
        "Mean of the 3 above": None,
    }
    for suffix in tables.FORMATS:
        text = out.with_suffix(suffix).read_text()
        assert all(words in text for words in told.values() if words)


def test_bits_of_two_models_are_compared_on_the_same_documents(tmp_path):
    """Documents differ far more than models do: only the pairs tell the models apart."""
    scores = []
    for model, less in (("start", 0.0), ("pretrained", 0.05)):
        folder = tmp_path / model
        folder.mkdir()
        lines = [
            {"task": "t", "document": str(k), "bytes": 1000 + k, "bits": (1000 + k) * (0.2 + 0.2 * k - less), "verdict": "scored"}
            for k in range(10)
        ]  # fmt: skip
        if model == "pretrained":
            lines.append({**lines[0], "document": "of this one alone"})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "verdicts.jsonl").write_text(text)
        scores.append(
            Score(
                benchmark="bits_per_byte_code", model=model, metric="bits per byte", value=1.0,
                interval=None, n=10, of=10, judged=True, path=folder / "scores.json",
            )
        )  # fmt: skip
    found = paired.difference(scores[1], scores[0])
    assert (found.mean, found.low, found.high) == pytest.approx((-0.05, -0.05, -0.05))
    assert (found.n, found.whole, found.p) == (10, False, None)
    assert paired.against(scores[1], scores[0]) == "-0.050 (-0.050 to -0.050) on 10"
    assert paired.difference(dataclasses.replace(scores[1], value=None), scores[0]) is None
    (tmp_path / "start" / "verdicts.jsonl").write_text('{"task": "t", "document": "1"}\n')
    with pytest.raises(UserError, match="verdicts.jsonl: line 1: verdict is missing"):
        paired.difference(scores[1], scores[0])
