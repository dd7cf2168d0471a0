"""A server as backend: the answers of the same model here, and every way in which it goes away."""

import json

import pytest
from answered import parquet
from completion_server import CompletionServer
from lemur.core.errors import UserError
from lemur.evaluation import generation, judging, response_journal
from lemur.evaluation.backends.completions import TRIES
from lemur.evaluation.backends.server_backend import ServerBackend
from lemur.evaluation.backends.transformers_backend import TransformersBackend
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import Decoding
from lemur.inference.engine import Engine
from lm_eval.api.instance import Instance
from made_tokenizers import sentencepiece
from tiny_benchmarks import listing, model

DECODING = Decoding(max_new_tokens=8, temperature=0.0)


@pytest.fixture
def server(engine):
    with CompletionServer(engine) as made:
        yield made


def asked(texts, until=()):
    options = {"until": list(until)}
    return [Instance("generate_until", {}, (text, options), n) for n, text in enumerate(texts)]


def backend(server, waits, seconds=60.0, batch=3):
    return ServerBackend(
        server.url, "tiny", DECODING, batch, 1, "test", sleep=waits.append, seconds=seconds
    )


def responses(answers):
    return {number: entry.response for number, entry in answers}


def test_a_served_model_answers_as_it_does_here(server, engine):
    requests = asked([f"{'x' * n} and" for n in range(9)], ["a", "bc", "\n", "q", "never"])
    here = TransformersBackend(engine, DECODING, 4, 1, "test")
    there = dict(backend(server, []).generate(requests, range(9), 0))
    expected = dict(here.generate(requests, range(9), 0))
    for number, entry in expected.items():
        assert there[number].response == entry.response
        assert there[number].finish == entry.finish
    assert 1 < server.most <= 3
    assert all(len(body["stop"]) == 4 and body["model"] == "tiny" for body in server.bodies)


PAIRS = [("Is it so?", " Yes"), ("Is it so?", " No, never"), ("a b ", "c"), ("SELECT", " Name")]


def likelihoods(server, waits=()):
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(PAIRS)]
    return dict(backend(server, [*waits]).loglikelihood(requests, [0] * len(PAIRS), 0))


@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "as text"])
def test_likelihoods_are_those_of_the_model_here(server, engine, ids):
    server.ids = ids
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(PAIRS)]
    here = dict(
        TransformersBackend(engine, DECODING, 4, 1, "t").loglikelihood(requests, [0] * 4, 0)
    )
    there = likelihoods(server)
    for number, entry in here.items():
        assert there[number].response[0] == pytest.approx(entry.response[0], abs=1e-3)
        assert there[number].response[1] == entry.response[1]
        assert there[number].tokens == entry.tokens
    # A context that several continuations share is asked once.
    assert len(server.bodies) == (len(PAIRS) + 3 if ids else len(PAIRS))


def test_likelihoods_of_a_tokenizer_whose_pieces_lose_their_blanks(tmp_path):
    """vLLM's echo of a Llama-2-like model: ``<s>`` first, and pieces shorter than their text."""
    folder = tmp_path / "model"
    model(folder, len(sentencepiece(folder)), positions=256)
    made = Engine(folder, "fp32", "cpu")
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(PAIRS)]
    here = TransformersBackend(made, DECODING, 4, 1, "t")
    expected = dict(here.loglikelihood(requests, [0] * 4, 0))
    with CompletionServer(made) as served:
        served.ids = True
        there = likelihoods(served)
        for number, entry in expected.items():
            assert there[number].response[0] == pytest.approx(entry.response[0], abs=1e-3)
            assert there[number].tokens == entry.tokens
        served.ids = False
        with pytest.raises(UserError, match="tokens that are not the text of the prompt, and not"):
            likelihoods(served)


@pytest.mark.parametrize("ids", [True, False])
def test_a_server_that_passes_over_echo_is_one_line(server, ids):
    """Its answers would be likelihoods of nothing, all alike."""
    server.ids, server.echoes = ids, False
    with pytest.raises(UserError, match="needs a server that echoes a prompt") as caught:
        likelihoods(server)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    ["cut", "broken", "empty", "slow", (500, "oops"), (429, "busy", ("Retry-After", "7"))],
    ids=str,
)
def test_a_fault_is_waited_out(server, fault):
    waits = []
    server.faults = [fault, fault]
    patience = 0.5 if fault == "slow" else 60.0  # seconds; the slow answer takes one
    made = responses(
        backend(server, waits, seconds=patience, batch=1).generate(asked(["a", "b"]), [1, 2], 0)
    )
    server.faults = []
    assert made == responses(backend(server, []).generate(asked(["a", "b"]), [1, 2], 0))
    assert waits[:2] == ([7.0, 7.0] if fault[0] == 429 else [1.0, 2.0])
    assert len(waits) == 2 or fault == "slow"  # a busy machine is slow of itself


def test_a_server_that_stays_away_is_one_line_and_nothing_is_lost(
    server, spec, humaneval, tmp_path, monkeypatch
):
    monkeypatch.setattr("lemur.evaluation.backends.server_backend.time.sleep", lambda _: None)
    monkeypatch.setattr(ServerBackend.__init__, "__defaults__", (lambda _: None, 60.0))
    given = {"name": "server", "url": server.url, "served": "tiny"}
    made = spec(backend=given, batch=1)
    server.faults = [None, None, *[(503, "gone")] * TRIES]
    out = tmp_path / "out" / "generations.jsonl"
    with pytest.raises(UserError) as caught:
        generation.run(made, "none", humaneval, out)
    line = str(caught.value)
    assert "HTTP 503, 6 times" in line and "the same command continues" in line and "\n" not in line
    (journal,) = (out.parent / "responses").glob("*.jsonl")
    kept = journal.read_text().splitlines()
    assert len(kept) == 2 and not out.exists()
    asked_before = len(server.bodies)
    generation.run(made, "none", humaneval, out)
    settings, entries = response_journal.read(out)
    assert len(server.bodies) - asked_before == len(entries) - 2
    assert settings.model_sha256 == "served: tiny" and settings.backend == "server"
    assert {json.loads(line)["key"] for line in kept} <= set(entries)


def test_a_server_that_goes_away_is_waited_for(server):
    waits = []
    address = backend(server, waits)
    assert list(address.generate(asked(["a"]), [0], 0))
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(UserError, match="no answer .* 6 times"):
        list(address.generate(asked(["a"]), [0], 0))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    server.__enter__()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/v1", "http://nowhere.invalid/v1", "https://127.0.0.1:1/v1", "http://[::1/v1",
     "http://127.0.0.1:99999/v1", "ftp://127.0.0.1/v1"],
)  # fmt: skip
def test_an_address_where_no_server_is_fails_at_once(url):
    waits = []
    made = ServerBackend(url, "tiny", DECODING, 2, 1, "test", sleep=waits.append)
    with pytest.raises(UserError, match="no server answers there|no such address") as caught:
        list(made.generate(asked(["a", "b"]), [0, 1], 0))
    assert waits == [] and "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 413, 422, 404, 403, 418])
def test_a_prompt_that_is_refused_costs_its_own_answer(server, status, monkeypatch):
    """However the server words it: llama.cpp's words are not vLLM's."""
    server.refuses = ("long", status, "the request exceeds the available context size")
    made = dict(backend(server, [], batch=1).generate(asked(["a", "a long one", "b"]), range(3), 0))
    assert made[1] == Answer(response="", finish="refused")
    assert made[0].response and made[2].response
    pairs = [("a long one", " x"), ("ok", " x")]
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(pairs)]
    made = dict(backend(server, []).loglikelihood(requests, [0, 0], 0))
    assert made[0].finish == "refused" and made[0].response[0] < made[1].response[0]


@pytest.mark.parametrize("busy", [(429, "busy", ("Retry-After", "7")), (503, "restarts"), "cut"])
def test_a_server_that_is_busy_when_it_is_asked_a_short_prompt_is_waited_for(server, busy):
    """Its answer to that says whether the prompt is to blame, which a busy server does not say."""
    waits = []
    server.faults = [(400, "too long"), busy, busy]
    made = dict(backend(server, waits, batch=1).generate(asked(["a long one", "b"]), [0, 1], 0))
    assert made[0] == Answer(response="", finish="refused") and made[1].response
    assert waits == ([7.0, 7.0] if busy[0] == 429 else [1.0, 2.0])


def test_a_server_that_stays_busy_when_it_is_asked_a_short_prompt_is_one_line(server):
    waits = []
    server.faults = [(400, "too long"), *[(503, "gone")] * TRIES]
    with pytest.raises(UserError, match="HTTP 503, 6 times: what was generated is kept"):
        list(backend(server, waits, batch=1).generate(asked(["a long one"]), [0], 0))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0] and not server.faults


def test_a_refused_choice_is_a_wrong_answer(server, spec, tmp_path):
    """All four refused are equal; the first is not the model's answer."""
    rows = [{"question": f"q{n}?", "subject": "anatomy", "choices": list("wxyz"), "answer": 0}
            for n in range(3)]  # fmt: skip
    (tmp_path / "dev-0.parquet").write_bytes(parquet(rows))
    (tmp_path / "test-0.parquet").write_bytes(parquet(rows))
    data = listing(tmp_path, "dev-0.parquet", "test-0.parquet")
    server.refuses = ("q1?", 400, "too much")
    given = spec("mmlu", backend={"name": "server", "url": server.url, "served": "tiny"})
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(given, "none", data, out)
    judging.run(given, out, data, out.with_name("scores.json"))
    verdicts = [json.loads(x) for x in out.with_name("verdicts.jsonl").read_text().splitlines()]
    assert verdicts[1]["verdict"] == "failed"
    scores = json.loads(out.with_name("scores.json").read_text())
    assert scores["responses"]["finish"] == {"refused": 4}


def test_what_a_server_refuses(server, monkeypatch):
    server.faults = [(401, "no key")]
    with pytest.raises(UserError, match="refuses 'tiny' with HTTP 401: set OPENAI_API_KEY"):
        list(backend(server, []).generate(asked(["a"]), [0], 0))
    server.refuses = ("", 404, "The model `tiny` does not exist")  # every prompt
    with pytest.raises(UserError, match="refuses 'tiny' with HTTP 404: .*does not exist"):
        list(backend(server, []).generate(asked(["a"]), [0], 0))
    server.refuses = None
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert dict(backend(server, [], batch=1).generate(asked(["b"]), [0], 0))[0].response
    assert server.bodies[-1]["_authorization"] == "Bearer k"
    with pytest.raises(UserError, match="bits per byte needs the model's tokens"):
        list(backend(server, []).rolling([], [], 0))


def test_a_key_is_never_shown(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " sk-secret\n")
    made = dict(backend(server, [], batch=1).generate(asked(["a"]), [0], 0))
    assert made[0].response and server.bodies[-1]["_authorization"] == "Bearer sk-secret"
    for wrong in ("sk-se\ncret", "sk-secr\u00e9t"):
        monkeypatch.setenv("OPENAI_API_KEY", wrong)
        with pytest.raises(UserError, match="OPENAI_API_KEY holds what no header can") as caught:
            backend(server, [])
        assert "sk-" not in str(caught.value)


def test_odd_texts_survive_to_the_file(server, spec, humaneval, tmp_path):
    given = {"name": "server", "url": server.url, "served": "tiny"}
    for number, text in enumerate(["\ud800 half a pair", "x" * (1 << 20), "\0\x1b[2J", "\r\n" * 9]):
        server.text = text
        out = tmp_path / str(number) / "generations.jsonl"
        generation.run(spec(backend=given, limit=1), "none", humaneval, out)
        _, entries = response_journal.read(out)
        (entry,) = entries.values()
        assert text.startswith(entry.response)
