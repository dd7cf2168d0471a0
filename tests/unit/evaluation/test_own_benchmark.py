"""A benchmark is one folder, which may lie outside the package."""

import shutil
from pathlib import Path

import pytest
from answered import scored
from lemur.config.benchmarks import chosen_benchmarks
from lemur.core.errors import UserError
from lemur.evaluation import asked_together, benchmarks, samples
from lemur.evaluation.sample import read
from tiny_benchmarks import jsonl, listing

RIDDLES = Path(__file__).parent / "riddles"
ASKED = [{"question": f"Two and {number}?", "number": 2 + number} for number in range(3)]


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "riddles.jsonl").write_bytes(jsonl(ASKED))
    return listing(tmp_path, "riddles.jsonl")


def test_it_is_asked_and_judged_by_its_own_folder(spec, sandbox, manifest, tmp_path):
    answers = {2: " 1 + 1", 3: " 3", 4: " 5"}
    given = spec("riddles", path=str(RIDDLES))
    found, verdicts, asked = scored(
        given, manifest, tmp_path / "out", lambda one: answers[one["number"]]
    )
    assert asked[0][0] == "Two and 0? It is" and asked[0][1]["until"] == ["\n"]
    assert [line["verdict"] for line in verdicts] == ["passed", "passed", "failed"]
    assert [line["digits"] for line in verdicts] == ["failed", "passed", "failed"]
    assert found["value"] == pytest.approx(2 / 3)
    assert found["beside"]["digits"]["differs_on"] == 1
    files = [tmp_path / "out" / name for name in ("generations.jsonl", "verdicts.jsonl")]
    samples.run(given, *files, manifest, tmp_path / "samples.jsonl")
    joined = [(one.responses, one.verdict, one.score) for one in read(tmp_path / "samples.jsonl")]
    assert joined == [
        ((" 1 + 1",), "passed", 1.0), ((" 3",), "passed", 1.0), ((" 5",), "failed", 0.0)
    ]  # fmt: skip


def test_what_its_folder_says_decides_which_answers_are_ready(spec, tmp_path):
    folder = tmp_path / "riddles"
    shutil.copytree(RIDDLES, folder)
    given = spec("riddles", path=str(folder))
    before = asked_together.asks(given)
    asked_together._code.cache_clear()
    assert asked_together.asks(given) == before
    (folder / "riddles.yaml").write_text((folder / "riddles.yaml").read_text() + "begin: false\n")
    asked_together._code.cache_clear()
    assert asked_together.asks(given) != before


def test_mistakes_in_a_folder_are_one_line(tmp_path):
    entry = {"path": str(tmp_path), "task": "mine", "shots": 0, "decoding": {"temperature": 0}}
    steps = [
        (None, "riddles': path: .*: no __init__.py with the benchmark's class"),
        ("__init__.py", "riddles': path: .*: no mine.yaml, the task that is asked"),
        ("mine.yaml", None),
    ]
    for name, words in steps:
        if name:
            (tmp_path / name).write_text("")
        if words:
            with pytest.raises(UserError, match=words):
                chosen_benchmarks([{"name": "riddles"}], {"riddles": entry}, "r")
    (chosen,) = chosen_benchmarks([{"name": "riddles"}], {"riddles": entry}, "r")
    assert chosen["path"] == str(tmp_path)
    for code, words in (
        ("", "has no class BENCHMARK that derives from lemur.evaluation.benchmark.Benchmark"),
        ("import nothing_of_the_kind", "cannot be loaded"),
        ("def (", "cannot be loaded"),
    ):
        (tmp_path / "__init__.py").write_text(code)
        with pytest.raises(UserError, match=words):
            benchmarks.load("mine", tmp_path)
    shutil.copy(RIDDLES / "__init__.py", tmp_path)
    for text, words in (("a: [", "not valid YAML"), ("task: {}", "formats is missing"), ("formats: {}", "one of them")):  # fmt: skip
        (tmp_path / "mine.yaml").write_text(text)
        with pytest.raises(UserError, match=words):
            benchmarks.load("mine", tmp_path)


def test_the_nearest_name_of_a_task_is_said():
    with pytest.raises(UserError, match="'humanevl' is not defined; did you mean 'humaneval'"):
        benchmarks.load("humanevl")
    assert sorted(name for name in benchmarks.tasks() if name.startswith("gsm8k")) == [
        "gsm8k_cot",
        "gsm8k_paper",
    ]
