"""Models that answer nothing, without end, or what is no text: counted, judged, never fatal."""

import json
import shutil

import pytest
from lemur.core.errors import UserError
from lemur.evaluation import generation, judging
from lemur.evaluation.response_journal import Answer
from lemur.inference import model_tokenizer
from lemur.inference.engine import Engine
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent
from tiny_benchmarks import listing

ODD = {
    "nothing": ("", "end"),
    "endless": ("x" * 4000, "length"),
    "half a pair": ("\ud800\udfff \ud800", "stop"),
    "replaced": ("\ufffd" * 50, "stop"),
    "a line of a megabyte": ("1" * (1 << 20), "length"),
    "control": ("\0\x1b[2J\r\n\u2028", "stop"),
    "deep": ("(" * 100_000, "length"),
}


class Odd:
    def __init__(self, text, finish):
        self.entry = Answer(response=text, tokens=1, finish=finish)

    def generate(self, requests, seeds, done):
        for number in range(len(requests)):
            yield number, self.entry


@pytest.mark.parametrize("kind", sorted(ODD))
@pytest.mark.parametrize("benchmark", ["humaneval", "gsm8k"])
def test_an_odd_answer_is_judged_and_counted(
    benchmark, kind, spec, folder, tmp_path, monkeypatch, request
):
    data = request.getfixturevalue(benchmark)
    if benchmark == "humaneval" and isinstance(found := probe(), Absent):
        pytest.skip(f"sandbox: {found.reason}")
    monkeypatch.setattr(generation, "backend_of", lambda *_: Odd(*ODD[kind]))
    made = spec(benchmark, limit=2, sandbox={"seconds": 2, "memory_mb": 512})
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(made, folder, data, out)
    judging.run(made, out, data, out.with_name("scores.json"))
    scores = json.loads(out.with_name("scores.json").read_text())
    assert scores["value"] == 0 and sum(scores["verdicts"].values()) == scores["n"] == 2
    assert scores["responses"]["finish"] == {ODD[kind][1]: 2}
    assert scores["responses"]["empty"] == (2 if kind == "nothing" else 0)
    assert len(out.with_name("verdicts.jsonl").read_text().splitlines()) == 2
    assert out.with_name("prompt.txt").read_text()


class Undefined:
    """The backend of a model whose weights are not numbers."""

    def rolling(self, requests, seeds, done):
        yield 0, Answer(response=float("nan"), tokens=1)

    def loglikelihood(self, requests, seeds, done):
        yield 0, Answer(response=(-1.0, True), tokens=1)
        yield 1, Answer(response=(float("nan"), False), tokens=1)


def test_likelihoods_that_are_no_numbers_are_one_line(spec, folder, tmp_path, monkeypatch):
    """They would count as wrong answers, or fall when scores are written."""
    from answered import parquet

    monkeypatch.setattr(generation, "backend_of", lambda *_: Undefined())
    held = tmp_path / "held.jsonl"
    held.write_text('{"id": "a", "text": "some text"}\n')
    row = {"question": "q", "subject": "anatomy", "choices": list("wxyz"), "answer": 1}
    for split in ("dev", "test"):
        (tmp_path / f"{split}-0.parquet").write_bytes(parquet([row]))
    listing(tmp_path, "dev-0.parquet", "test-0.parquet")
    for name, task, data in (
        ("bits_per_byte_text", "bits_per_byte", held),
        ("mmlu", "mmlu", tmp_path / "m.json"),
    ):
        out = tmp_path / name / "generations.jsonl"
        with pytest.raises(UserError, match="is not a number: its weights are damaged") as caught:
            generation.run(spec(name, task=task), folder, data, out)
        assert "\n" not in str(caught.value) and not out.exists()


def test_a_missing_or_damaged_tokenizer_is_one_line(folder, tmp_path):
    mine = tmp_path / "model"
    shutil.copytree(folder, mine)
    (mine / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match="its tokenizer cannot be read"):
        Engine(mine, "fp32", "cpu")
    (mine / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"no tokenizer \(neither"):
        Engine(mine, "fp32", "cpu")
    (mine / "tokenizer_config.json").unlink()
    with pytest.raises(UserError, match=r"not a model folder, tokenizer_config.json is missing"):
        model_tokenizer.load(mine)


def test_missing_or_damaged_weights_are_one_line(folder, tmp_path):
    mine = tmp_path / "model"
    shutil.copytree(folder, mine)
    for weights in mine.glob("*.safetensors"):
        weights.write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(UserError, match="transformers cannot load it"):
        Engine(mine, "fp32", "cpu")
    for weights in mine.glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(UserError, match="transformers cannot load it"):
        Engine(mine, "fp32", "cpu")
