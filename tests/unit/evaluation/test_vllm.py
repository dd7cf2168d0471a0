"""vLLM's backend against a module of the same shape that answers with the tiny model."""

import sys
import types

import pytest
import torch
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.evaluation import generation
from lemur.evaluation.backends.transformers_backend import TransformersBackend
from lemur.evaluation.backends.vllm_backend import VllmBackend
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import Decoding
from lemur.inference.engine import Engine, Wanted
from lemur.inference.stopping import cut
from lm_eval.api.instance import Instance
from real_vllm import answered
from tiny_benchmarks import model, tokenizer

DECODING = Decoding(max_new_tokens=8, temperature=0.0)


@pytest.fixture
def fake(engine, monkeypatch):
    """The parts of vLLM that are used: LLM(...).llm_engine with add_request and step."""
    module = types.ModuleType("vllm")
    module.seen = []

    class SamplingParams:
        def __init__(self, **given):
            known = {"temperature", "top_p", "max_tokens", "stop", "stop_token_ids", "seed",
                     "skip_special_tokens", "prompt_logprobs"}  # fmt: skip
            assert set(given) <= known
            self.__dict__.update(given)

    class Core:
        def __init__(self):
            self.waiting = []

        def add_request(self, request_id, prompt, params):
            assert prompt["type"] == "token"
            assert len(prompt["prompt_token_ids"]) + params.max_tokens <= engine.context
            self.waiting.append((request_id, prompt["prompt_token_ids"], params))

        def has_unfinished_requests(self):
            return bool(self.waiting)

        def step(self):
            name, ids, params = self.waiting.pop()  # in another order than they came
            unfinished = types.SimpleNamespace(finished=False, request_id=name)
            stops = tuple(getattr(params, "stop", None) or ())
            wanted = Wanted(tuple(ids), params.max_tokens, stops)
            ((_, made),) = engine.generate([wanted], 1)
            text = cut(engine.tokenizer.decode(made.ids, skip_special_tokens=True), stops)
            reason = {"stop": ("stop", "text"), "end": ("stop", 2), "length": ("length", None)}
            finish, why = reason[made.finish]
            given = [*made.ids, 2] if made.finish == "end" else list(made.ids)  # the end is kept
            first = types.SimpleNamespace(
                text=text.rstrip("\ufffd"), token_ids=given, finish_reason=finish, stop_reason=why
            )
            shown = None
            if getattr(params, "prompt_logprobs", None) is not None:
                with torch.inference_mode():
                    scores = engine.logits(engine.hidden([ids])[0]).log_softmax(-1)
                shown = [None]
                for at in range(1, len(ids)):
                    value = float(scores[at - 1, ids[at]])
                    rank = int((scores[at - 1] >= value).sum())  # as vLLM counts
                    shown.append({ids[at]: types.SimpleNamespace(logprob=value, rank=rank)})
            done = types.SimpleNamespace(
                finished=True, request_id=name, outputs=[first], prompt_logprobs=shown
            )
            return [unfinished, done]

    class LLM:
        def __init__(self, **given):
            module.seen.append(given)
            self.llm_engine = Core()

    module.LLM, module.SamplingParams = LLM, SamplingParams
    monkeypatch.setitem(sys.modules, "vllm", module)
    return module


def test_answers_are_those_of_the_model_here(fake, engine, folder):
    texts = ["a", "x" * 700, "Is it?", "b c"]
    requests = [
        Instance("generate_until", {}, (text, {"until": ["\n", "e"]}), n, metadata=("t", n, 1))
        for n, text in enumerate(texts)
    ]
    here = dict(TransformersBackend(engine, DECODING, 2, 1, "t").generate(requests, range(4), 0))
    there = dict(VllmBackend(folder, "fp32", DECODING, 1, "t").generate(requests, range(4), 0))
    assert there == here and there[1].truncated > 0
    (given,) = fake.seen
    assert given["dtype"] == "float32" and given["trust_remote_code"] is False
    assert given["model"] == str(folder) and given["max_model_len"] == engine.context


def test_likelihoods_are_those_of_the_model_here(fake, engine, folder):
    pairs = [("Is it so?", " Yes"), ("x" * 600, " No"), ("a b ", "c"), ("", "z")]
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(pairs)]
    here = TransformersBackend(engine, DECODING, 2, 1, "t")
    here.scored_context -= 2  # as much as vLLM has room for
    there = VllmBackend(folder, "fp32", DECODING, 1, "t")
    for name, asked in (
        ("loglikelihood", requests),
        (
            "rolling",
            [Instance("loglikelihood_rolling", {}, (t,), 0) for t in ("one", "é" * 900, "")],
        ),
    ):
        expected = dict(getattr(here, name)(asked, [0] * 4, 0))
        made = dict(getattr(there, name)(asked, [0] * 4, 0))
        for number, entry in expected.items():
            assert made[number].tokens == entry.tokens
            assert made[number].response == pytest.approx(entry.response, rel=1e-4, abs=1e-3)


def test_a_recipe_chooses_it(fake, spec, folder, humaneval, tmp_path):
    out = tmp_path / "generations.jsonl"
    generation.run(spec(backend={"name": "vllm"}), folder, humaneval, out)
    assert '"backend": "vllm"' in out.read_text().splitlines()[0]
    with pytest.raises(UserError, match="backend 'vlm'; did you mean 'vllm'"):
        generation.backend_of(spec(backend={"name": "vlm"}), folder, False)


def test_without_vllm_it_says_how_to_have_it(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match="workflow/env-build vllm"):
        VllmBackend(folder, "fp32", DECODING, 1, "t")


def test_an_engine_that_does_not_start_is_one_line(fake, folder, monkeypatch):
    def fails(**_):
        raise RuntimeError("Engine core initialization failed.\nSee above")

    monkeypatch.setattr(fake, "LLM", fails)
    with pytest.raises(UserError, match="^t: vLLM did not start with .*initialization failed.$"):
        VllmBackend(folder, "fp32", DECODING, 1, "t")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_real_vllm_answers_as_the_model_here(tmp_path):
    """Texts, ends, counts and likelihoods; heads of 32 numbers, the fewest that it has on CPUs."""
    folder = tmp_path / "model"
    model(folder, tokenizer(folder), width=192)
    texts = ["a", "x" * 700, "Is it?", "b c", "def f(x):", "é"]
    calls = [
        ("generate", "generate_until", [(text, {"until": ["\n", "e"]}) for text in texts]),
        ("loglikelihood", "loglikelihood", [("Is it so?", " Yes"), ("x" * 600, " No"), ("", "z")]),
        ("rolling", "loglikelihood_rolling", [("one",), ("é" * 900,), ("",)]),
    ]
    decoding = Decoding(max_new_tokens=24, temperature=0.0)
    asked = {"folder": str(folder), "decoding": contracts.plain(decoding), "calls": calls}
    found = [
        {number: contracts.read(Answer, entry, "vllm") for number, entry in made}
        for made in answered("vllm_backend.py", asked, tmp_path)
    ]
    here = TransformersBackend(Engine(folder, "fp32", "cpu"), decoding, 2, 1, "t")
    here.scored_context -= 2  # as much as vLLM has room for
    expected = []
    for method, kind, given in calls:
        requests = [Instance(kind, {}, one, n, metadata=("t", n, 1)) for n, one in enumerate(given)]
        expected.append(dict(getattr(here, method)(requests, range(len(given)), 0)))
    assert found[0] == expected[0] and found[0][1]["truncated"] > 0
    for made, wanted in zip(found[1:], expected[1:], strict=True):
        assert made.keys() == wanted.keys()
        for number, entry in wanted.items():
            assert made[number].tokens == entry.tokens
            assert made[number].response == pytest.approx(entry.response, rel=1e-4, abs=1e-3)
