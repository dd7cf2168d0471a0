"""A server as backend: the answers of the same model here, and every way in which it goes away."""

import json

import pytest
from completion_server import CompletionServer
from lemur.errors import UserError
from lemur.evaluate import generation, store
from lemur.evaluate.backend import TransformersBackend
from lemur.evaluate.served import TRIES, ServerBackend
from lm_eval.api.instance import Instance

DECODING = {"max_new_tokens": 8, "temperature": 0.0}


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
    return {number: entry["response"] for number, entry in answers}


def test_a_served_model_answers_as_it_does_here(server, engine):
    requests = asked([f"{'x' * n} and" for n in range(9)], ["a", "bc", "\n", "q", "never"])
    here = TransformersBackend(engine, DECODING, 4, 1, "test")
    there = dict(backend(server, []).generate(requests, range(9), 0))
    expected = dict(here.generate(requests, range(9), 0))
    for number, entry in expected.items():
        assert there[number]["response"] == entry["response"]
        assert there[number]["finish"] == entry["finish"]
    assert 1 < server.most <= 3
    assert all(len(body["stop"]) == 4 and body["model"] == "tiny" for body in server.bodies)


def test_likelihoods_are_those_of_the_model_here(server, engine):
    pairs = [("Is it so?", " Yes"), ("Is it so?", " No, never"), ("a b ", "c")]
    requests = [Instance("loglikelihood", {}, pair, n) for n, pair in enumerate(pairs)]
    here = dict(
        TransformersBackend(engine, DECODING, 4, 1, "t").loglikelihood(requests, [0] * 3, 0)
    )
    there = dict(backend(server, []).loglikelihood(requests, [0] * 3, 0))
    for number, entry in here.items():
        assert there[number]["response"][0] == pytest.approx(entry["response"][0], abs=1e-3)
        assert there[number]["response"][1] == entry["response"][1]
        assert there[number]["tokens"] == entry["tokens"]


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
    monkeypatch.setattr("lemur.evaluate.served.time.sleep", lambda _: None)
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
    settings, entries = store.read(out)
    assert len(server.bodies) - asked_before == len(entries) - 2
    assert settings["model_sha256"] == "served: tiny" and settings["backend"] == "server"
    assert {json.loads(line)["key"] for line in kept} <= set(entries)


def test_a_server_that_is_not_there_is_one_line(server):
    waits = []
    address = backend(server, waits)
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(UserError, match="no answer .* 6 times"):
        list(address.generate(asked(["a"]), [0], 0))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    server.__enter__()


def test_what_a_server_refuses(server, monkeypatch):
    server.faults = [(401, "no key")]
    with pytest.raises(UserError, match="refuses 'tiny' with HTTP 401: set OPENAI_API_KEY"):
        list(backend(server, []).generate(asked(["a"]), [0], 0))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    server.faults = [(400, "This model's maximum context length is 512 tokens")]
    made = dict(backend(server, [], batch=1).generate(asked(["a", "b"]), [0, 0], 0))
    assert made[0] == {"response": "", "tokens": 0, "finish": "refused"} and made[1]["response"]
    assert server.bodies[-1]["_authorization"] == "Bearer k"
    with pytest.raises(UserError, match="bits per byte needs the model's tokens"):
        list(backend(server, []).rolling([], [], 0))


def test_a_key_is_never_shown(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " sk-secret\n")
    made = dict(backend(server, [], batch=1).generate(asked(["a"]), [0], 0))
    assert made[0]["response"] and server.bodies[-1]["_authorization"] == "Bearer sk-secret"
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
        _, entries = store.read(out)
        (entry,) = entries.values()
        assert text.startswith(entry["response"])
