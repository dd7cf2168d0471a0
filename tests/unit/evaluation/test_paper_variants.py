"""The paper's way of asking and reading, beside lm-eval's: prompts, answers, both scores."""

import hashlib
import json

import pytest
from answered import Fixed, catalogue, fetched, parquet, scored
from hypothesis import given
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.core.files import sha256_of, write_json
from lemur.evaluation import benchmarks, generation, judging, paper_filters, response_journal
from lemur.evaluation.backends.tokenized import Tokenised
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.score import read_score
from lemur.evaluation.spec import Decoding
from lemur.evaluation.tasks import Bench
from lemur.figures.paired import otherwise
from tiny_benchmarks import listing


def manifest(folder, files):
    """A manifest over files of the mirror."""
    for path in files:
        (folder / path.name).symlink_to(path)
    listed = [{"path": path.name, "sha256": sha256_of(path)} for path in files]
    write_json(folder / "manifest.json", {"name": "x", "files": listed})
    return folder / "manifest.json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" There are 21 - 15 = 6. So the answer is 6.", "6"),
        ("It costs $1,234,567.50 in all", "1234567.50"),
        ("minus -3", "3"),  # as released: a sign belongs to a decimal alone
        ("minus -3.5", "-3.5"),
        ("none", "none"),
        ("", ""),
    ],
)
def test_the_last_number(text, expected):
    assert paper_filters.last_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Let's think. So the answer is (B). More.", "(B)"),
        ("So the answer is (B) Paris.", "(B)"),
        ("So the answer is [ ( ) ].", "[ ( ) ]"),
        ("So the answer is valid", "So the answer is valid"),  # no full stop: all of it
        ("So the answer is no.\n\nQ: Next? So the answer is yes.", "no"),
        ("no idea\n\nmore", "no idea"),
        ("", ""),
    ],
)
def test_what_follows_so(text, expected):
    assert paper_filters.after_so(text) == expected


@given(st.text(), st.text())
def test_any_text_has_an_answer_and_compares(one, two):
    assert isinstance(paper_filters.last_number(one), str) and isinstance(
        paper_filters.after_so(one), str
    )
    assert paper_filters.loosely(one, one)
    assert paper_filters.loosely(one, two) == paper_filters.loosely(two, one)


def test_variants_change_the_stock_task_and_no_other():
    for paper, stock in (
        ("gsm8k_paper", "gsm8k_cot"),
        ("bbh_paper", "bbh_cot_fewshot"),
        ("mmlu_paper", "mmlu"),
    ):
        (reader, asked), (stock_reader, stock_asked) = map(benchmarks.load, (paper, stock))
        assert asked.stock == stock_asked.stock
        assert type(reader) is type(stock_reader)
    pairs = (
        ("gsm8k_paper", "gsm8k_full"),
        ("bbh_paper", "bbh_cot_fewshot"),
        ("mmlu_paper", "mmlu"),
    )
    for paper, stock in pairs:
        assert catalogue(paper)["data"] == catalogue(stock)["data"]
        assert catalogue(paper)["shots"] == catalogue(stock)["shots"]


SUMS = [
    {"question": " How many? ", "answer": f"Some.\n#### {number}"} for number in ("6", "1,200", "8")
]


@pytest.fixture
def gsm8k(tmp_path):
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(sum) + "\n" for sum in SUMS))
    listed = [{"path": "test.jsonl", "sha256": sha256_of(tmp_path / "test.jsonl")}]
    write_json(tmp_path / "m.json", {"files": listed})
    return tmp_path / "m.json"


def test_gsm8k_both_scores(spec, gsm8k, tmp_path):
    texts = [" So the answer is 6.", " It is 1,200", " 7. So the answer is 9"]

    def respond(document):
        return texts[int(document["_id"][-1])]

    made, items, asked = scored(spec("gsm8k_paper", shots=8), gsm8k, tmp_path / "out", respond)
    assert [item["verdict"] for item in items] == ["passed", "passed", "failed"]
    assert made["value"] == pytest.approx(2 / 3)
    assert made["beside"]["strict"] == {"value": pytest.approx(1 / 3), "differs_on": 1}
    prompt, options = asked[0]
    assert prompt.startswith("Answer the following questions.\n\nQuestion: There are 15 trees")
    assert prompt.endswith("\n\nQuestion: How many?\nAnswer:") and options["until"] == ["\n"]
    assert prompt.count("So the answer is ") == 8 and "The answer is" not in prompt
    # The released script's own examples (xchat/eval/gsm/examplars.py), joined as it joins them.
    examples = prompt[: -len("Question: How many?\nAnswer:")].encode()
    released = "bc98d2864d2c74ae324561ed4fa497c577cd251cc06aeae2c2a23bd5ef60c404"
    assert hashlib.sha256(examples).hexdigest() == released


def test_what_is_right_only_without_its_punctuation_is_counted(spec, gsm8k, tmp_path):
    """The paper's rule takes 0.8 and 08 apart and 12.00 for 1,200; the count stands beside the strict
    score, here and in the table of scores."""
    texts = [" So the answer is 6.", " So the answer is 12.00.", " So the answer is .8."]

    def respond(document):
        return texts[int(document["_id"][-1])]

    made, items, _ = scored(spec("gsm8k_paper", shots=8), gsm8k, tmp_path / "out", respond)
    assert made["value"] == 1.0 and made["otherwise_written"] == 2
    assert ["otherwise_written" in item for item in items] == [False, True, True]
    shown = otherwise(read_score(tmp_path / "out" / "scores.json"), [])
    assert shown == "strict 33.3: 2 differ; 2 right only without their punctuation"


def test_brackets_are_right_whatever_they_are_and_counted(spec, tmp_path):
    examples = [{"input": f"x{n}?", "target": target} for n, target in enumerate((") ]", "> )"))]
    (tmp_path / "dyck_languages.json").write_text(json.dumps({"examples": examples}))
    digest = sha256_of(tmp_path / "dyck_languages.json")
    listed = [{"path": "dyck_languages.json", "sha256": digest}]
    write_json(tmp_path / "m.json", {"files": listed})
    made, _, _ = scored(
        spec("bbh_paper"), tmp_path / "m.json", tmp_path / "out", lambda _: "So the answer is ) ]."
    )
    assert made["value"] == 1.0 and made["otherwise_written"] == 1


def test_gsm8k_asked_of_a_chat_model(spec, gsm8k, tmp_path):
    given_spec = spec("gsm8k_paper", shots=8, format="chatml")
    _, _, asked = scored(given_spec, gsm8k, tmp_path / "out", lambda one: "")
    chat, options = asked[0]
    assert chat.startswith("<|im_start|>user\nAnswer the following questions.\n\nQuestion: There")
    assert chat.endswith("Question: How many?<|im_end|>\n<|im_start|>assistant\nAnswer:")
    assert chat.count("<|im_start|>") == 2 and options["until"] == ["<|im_end|>"]


def test_bbh_prompts_are_its_authors_to_the_byte(spec, mirror, tmp_path):
    files = mirror("suzgunmirac/BIG-Bench-Hard/*/bbh/*.json")
    data = manifest(tmp_path, files)
    bench = Bench(spec("bbh_paper", shots=3), data)
    chat = Bench(spec("bbh_paper", shots=3, format="chatml", limit=60), data)
    assert len(bench.tasks) == 27 and bench.n == 6511
    heads = {}
    for task in bench.tasks.values():
        name = task.config.dataset_name
        (path,) = mirror(f"suzgunmirac/BIG-Bench-Hard/*/cot-prompts/{name}.txt")
        head = path.read_text().split("\n", 2)[2].strip()  # a canary and a rule before it
        document = task.eval_docs[0]
        assert task.fewshot_context(document, 3) == f"{head}\n\nQ: {document['input']}\nA: ", name
        heads[name] = head
    asked = Fixed(lambda one: "")
    for name, many in chat.evaluate(asked, metrics=False).items():
        for sample in many:
            question = (
                f"{heads[chat.tasks[name].config.dataset_name]}\n\nQ: {sample.document['input']}"
            )
            expected = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\nA:"
            assert sample.prompt == expected, name


def test_bbh_both_scores(spec, tmp_path):
    examples = [{"input": f"x{n}?", "target": t} for n, t in enumerate(["(A)", "no", "True", "5"])]
    (tmp_path / "navigate.json").write_text(json.dumps({"examples": examples}))
    listing(tmp_path, "navigate.json")
    texts = [
        "So the answer is (A).",
        "So the answer is No.",  # another case
        "So the answer is False.",
        "It must be that the answer is 5!",
    ]

    def respond(document):
        return texts[int(document["input"][1])]

    made, items, _ = scored(spec("bbh_paper"), tmp_path / "m.json", tmp_path / "out", respond)
    assert [item["verdict"] for item in items] == ["passed", "passed", "failed", "failed"]
    assert made["beside"]["strict"] == {"value": 0.5, "differs_on": 2}


class Words:
    """A tokenizer that begins every text with token 1, as Llama's does."""

    bos_token, bos_token_id, eos_token_id = "<s>", 1, 2

    def encode(self, text, add_special_tokens=True, split_special_tokens=False):
        return [1] * add_special_tokens + [len(word) + 10 for word in text.split()]


def test_prompts_of_the_paper_have_no_beginning_token(spec, gsm8k, tmp_path, monkeypatch):
    """As the released scripts tokenize them: add_special_tokens=False."""
    seen = {}

    class Reads(Tokenised):
        scored = None  # nothing is

        def generate(self, requests, seeds, done):
            seen[self.label] = self.prompts(requests)[0]
            for number in range(len(requests)):
                yield number, Answer(response="", finish="end")

    def made(given, *_):
        return Reads(Words(), Words().encode, 4096, given.decoding, 1, given.benchmark)

    monkeypatch.setattr(generation, "backend_of", made)
    monkeypatch.setattr(generation.identity, "model_digest", lambda _: "0")
    for name in ("gsm8k_paper", "gsm8k_full"):
        given = spec(name, task=name.replace("full", "cot"), shots=8)
        out = tmp_path / name / "generations.jsonl"
        generation.run(given, tmp_path, gsm8k, out)
        settings, _ = response_journal.read(out)
        assert settings.begin is (None if name == "gsm8k_full" else False)
    assert all(ids[0] == 1 for ids in seen["gsm8k_full"])
    assert all(1 not in ids for ids in seen["gsm8k_paper"])
    pair = Reads(Words(), Words().encode, 64, {}, 1, "x")
    pair.begin = False
    assert pair._pair("Answer:", " A") == ([17], [11])


def test_tasks_of_bbh_weigh_alike_as_in_the_papers_code(spec, tmp_path):
    """The released script takes the mean of the tasks' scores; lm-eval that of all problems."""
    for name, count in (("navigate", 8), ("snarks", 2)):
        examples = [{"input": f"{name} {n}?", "target": "Yes"} for n in range(count)]
        (tmp_path / f"{name}.json").write_text(json.dumps({"examples": examples}))
    listing(tmp_path, "navigate.json", "snarks.json")

    def respond(document):  # all of the small task, a quarter of the large one
        right = "snarks" in document["input"] or document["input"][-2] in "01"
        return "So the answer is Yes." if right else "So the answer is No."

    made, _, _ = scored(spec("bbh_paper"), tmp_path / "m.json", tmp_path / "paper", respond)
    assert made["value"] == pytest.approx((1 + 1 / 4) / 2)
    assert made["beside"]["strict"]["value"] == pytest.approx((1 + 1 / 4) / 2)
    low, high = made["interval"]
    assert low < made["value"] < high and "weighed alike" in made["interval_method"]
    made, _, _ = scored(spec("bbh_cot_fewshot"), tmp_path / "m.json", tmp_path / "stock", respond)
    assert made["value"] == pytest.approx(4 / 10) and made["interval_method"] == "Wilson 95%"


def questions(subject, count):
    return [
        {"question": f"q{n}? ", "subject": subject, "choices": list("wxyz"), "answer": n % 4}
        for n in range(count)
    ]


@pytest.mark.parametrize("name", ["mmlu", "mmlu_paper"])
def test_mmlu_from_a_hub(spec, tmp_path, name):
    """The catalogue's entry, fetched from a hub that holds tables of its form."""
    files = {
        f"all/{split}-00000-of-00001.parquet": parquet(
            questions("high_school_biology", count) + questions("anatomy", count)
        )
        for split, count in (("dev", 5), ("test", 4))
    }
    files["all/validation-00000-of-00001.parquet"] = parquet(questions("anatomy", 1))
    path = fetched(name, files, tmp_path)

    def respond(document):  # right where the answer is A or B
        best = document["answer"] if document["answer"] < 2 else 0
        return [0.0 if choice == best else -1.0 for choice in range(4)]

    made, items, asked = scored(spec(name, shots=5), path, tmp_path / "out", respond)
    assert made["n"] == made["of"] == 8 and made["value"] == 0.5 and made["metric"] == "accuracy"
    assert len(items) == 8 and len(asked) == 32
    about = "about  high school" if name == "mmlu_paper" else "about high school"
    assert sum(about in prompt for prompt, _ in asked) == 16
    assert asked[0][0].count("Answer: ") == 5 and asked[0][1] == " A"
    if name == "mmlu_paper":  # as the released script builds it: the question is not stripped
        shown = "\nA. w\nB. x\nC. y\nD. z\nAnswer:"
        solved = "".join(f"q{n}? {shown} {'ABCD'[n % 4]}\n\n" for n in range(5))
        about = "The following are multiple choice questions (with answers) about  anatomy.\n\n"
        assert asked[0][0] == f"{about}{solved}q0? {shown}"


def test_long_prompts_of_mmlu_lose_their_last_examples(spec, tmp_path, monkeypatch):
    """As in the released script: whole examples, until the prompt has 2,048 tokens or fewer."""
    long = [
        {**question, "question": f"{question['question']}{'word ' * 600}"}
        for question in questions("anatomy", 5)
    ]
    (tmp_path / "dev-0.parquet").write_bytes(parquet(long))
    (tmp_path / "test-0.parquet").write_bytes(parquet(questions("anatomy", 2)))
    listing(tmp_path, "dev-0.parquet", "test-0.parquet")
    asked = []

    class Reads(Tokenised):
        generate = scored = None  # nothing is

        def loglikelihood(self, requests, seeds, done):
            asked.extend(request.args[0] for request in requests)
            yield from ((number, Answer(response=(-1.0, True))) for number in range(len(requests)))

    monkeypatch.setattr(
        generation,
        "backend_of",
        lambda *_: Reads(Words(), Words().encode, 4096, Decoding(), 1, "mmlu_paper"),
    )
    monkeypatch.setattr(generation.identity, "model_digest", lambda _: "0")
    for name, left in (("mmlu_paper", 3), ("mmlu", 5)):
        asked.clear()
        out = tmp_path / name / "generations.jsonl"
        generation.run(spec(name, task=name, shots=5), tmp_path, tmp_path / "m.json", out)
        assert len(asked) == 8
        for text in asked:
            assert text.count("Answer: ") == left and text.endswith("D. z\nAnswer:")
            assert all(f"q{number}? " in text for number in range(left))  # the first ones
        _, entries = response_journal.read(out)
        assert {entry.shots or 5 for entry in entries.values()} == {left}
        judging.run(spec(name, task=name, shots=5), out, tmp_path / "m.json", out.with_name("s"))


def test_mmlu_of_another_shape_is_one_line(spec, tmp_path):
    rows = [{"question": "q", "subject": "anatomy", "choices": list("wxyz"), "answer": "A"}]
    (tmp_path / "test-0.parquet").write_bytes(parquet(rows))
    listing(tmp_path, "test-0.parquet")
    with pytest.raises(UserError, match="'answer' must be int, it is str"):
        Bench(spec("mmlu", shots=0), tmp_path / "m.json")


def test_the_questions_that_mint_asked(spec, mirror, tmp_path):
    entry = catalogue("mmlu_mint")
    (path,) = mirror(f"xingyaoww/mint-bench/*/{entry['data']['from']['path']}")
    made = manifest(tmp_path, [path])
    assert sha256_of(path) == entry["data"]["sha256"]

    def respond(document):
        return [0.0 if choice == document["answer"] else -1.0 for choice in range(4)]

    scores, _, asked = scored(spec("mmlu_mint"), made, tmp_path / "out", respond)
    assert scores["n"] == entry["problems"] == 76 and scores["value"] == 1.0
    assert asked[0][0].endswith("A. 6\nB. 121\nC. 18107\nD. 54,320\nAnswer:")
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "results.jsonl").write_text('{"task": {"prompt": "q", "reference": "a"}}\n')
    listing(wrong, "results.jsonl")
    with pytest.raises(UserError, match="line 1: task: no question with options A to D"):
        Bench(spec("mmlu_mint"), wrong / "m.json")
