"""A real vLLM, in its process and served, answers as the model does here: with the real tokenizers
of Llama 2 and of Llama 3."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

import pytest
from lemur.core import contracts
from lemur.evaluation.backends.server_backend import ServerBackend
from lemur.evaluation.backends.transformers_backend import TransformersBackend
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import Decoding
from lemur.inference.engine import Engine
from lm_eval.api.instance import Instance
from made_tokenizers import real
from real_vllm import RUN, answered
from tiny_benchmarks import model

PAIRS = [
    ("Question: which?\nA. one\nB. two\nAnswer:", " A"),
    ("Question: which?\nA. one\nB. two\nAnswer:", " B"),
    ("The cat", " sat on the mat"),
    ("a b ", "c d"),
    ("é", "你好 x"),
]
PROMPTS = ["SELECT", "def f(x):\n    return", "a", "Once upon a time"]
DECODING = Decoding(max_new_tokens=12, temperature=0.0)


@contextlib.contextmanager
def serving(folder, log):
    """The address of a vLLM that serves ``folder`` as ``tiny``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [RUN, "vllm", "python", "-m", "vllm.entrypoints.openai.api_server",
               "--model", str(folder), "--served-model-name", "tiny", "--host", "127.0.0.1",
               "--port", str(port), "--dtype", "float32", "--max-model-len", "512",
               "--enforce-eager", "--generation-config", "vllm"]  # fmt: skip
    given = {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1",
             "VLLM_CPU_CI_ENV": "1"}  # fmt: skip
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **given}, stdout=out, stderr=out, start_new_session=True
        )
        try:
            for _ in range(900):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                    break
                assert process.poll() is None, log.read_text()[-4000:]
                time.sleep(1)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", ["llama2", "llama3"])
def test_answers_and_likelihoods_are_those_of_the_model_here(name, tmp_path):
    built = subprocess.run([RUN, "vllm", "true"], capture_output=True, text=True)
    if built.returncode:
        pytest.skip(f"network: vLLM is not installed here ({built.stderr.strip()})")
    folder = tmp_path / "model"
    folder.mkdir()
    real(name, folder)
    vocabulary = {"llama2": 32_000, "llama3": 128_256}[name]
    model(folder, vocabulary, width=192)
    engine = Engine(folder, "fp32", "cpu")
    here = TransformersBackend(engine, DECODING, 2, 1, "t")
    scored = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(PAIRS)]
    asked = [
        Instance("generate_until", {}, (text, {"until": ["\n\n"]}), n, metadata=("t", n, 1))
        for n, text in enumerate(PROMPTS)
    ]
    likelihoods = dict(here.loglikelihood(scored, [0] * len(scored), 0))
    texts = dict(here.generate(asked, range(len(asked)), 0))

    def alike(found_likelihoods, found_texts):
        for number, entry in likelihoods.items():
            made = found_likelihoods[number]
            assert made.tokens == entry.tokens, PAIRS[number]
            assert made.response == pytest.approx(entry.response, rel=1e-3, abs=1e-3)
        for number, entry in texts.items():
            assert found_texts[number].response == entry.response, PROMPTS[number]

    with serving(folder, tmp_path / "vllm.log") as url:
        there = ServerBackend(url, "tiny", DECODING, 2, 1, "t")
        found = dict(there.loglikelihood(scored, [0] * len(scored), 0))
        alike(found, dict(there.generate(asked, range(len(asked)), 0)))
        long = Instance("generate_until", {}, ("x " * 2000, {"until": []}), 0, metadata=("t", 0, 1))
        (refused,) = dict(there.generate([long], [0], 0)).values()
        assert refused.finish == "refused"
    calls = [
        ("loglikelihood", "loglikelihood", PAIRS),
        ("generate", "generate_until", [(text, {"until": ["\n\n"]}) for text in PROMPTS]),
    ]
    given = {"folder": str(folder), "decoding": contracts.plain(DECODING), "calls": calls}
    alike(
        *(
            {number: contracts.read(Answer, entry, "vllm") for number, entry in made}
            for made in answered("vllm_backend.py", given, tmp_path)
        )
    )
