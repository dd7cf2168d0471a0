"""Models that play from elsewhere: the episodes of a server and of vLLM are those of the engine here,
and a server that goes away loses nothing."""

import json
import sys
from pathlib import Path

import pytest
from completion_server import CompletionServer
from lemur.agents import environments, playing
from lemur.agents.driver import Driver
from lemur.agents.players.server import ServerPlayer
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal
from lemur.evaluation.backends.completions import TRIES, CompletionsClient
from lemur.inference.engine import Engine
from real_vllm import answered
from tiny_benchmarks import model, tokenizer

GUESSING = ROOT / "tests" / "unit" / "agents" / "guessing"
NOWHERE = Path("none")
GIVEN = {
    "environment": "guessing", "path": str(GUESSING), "settings": {"turns": 3, "count": 4},
    "model": "chat", "precision": "fp32", "seed": 1, "batch": 3,
}  # fmt: skip


@pytest.fixture(scope="session")
def engine(folder):
    return Engine(folder, "fp32", "cpu")


@pytest.fixture
def server(engine):
    with CompletionServer(engine) as made:
        made.chat = True
        yield made


@pytest.fixture
def waits(monkeypatch):
    """Pauses of the client, which are not waited for here."""
    made = []
    monkeypatch.setattr(CompletionsClient.__init__, "__defaults__", (made.append, 60.0))
    return made


@pytest.fixture
def spec():
    return lambda **changes: GIVEN | changes


@pytest.fixture(scope="module")
def here(folder, tmp_path_factory):
    """Episodes of the engine here, with the settings that ``spec`` gives."""
    out = tmp_path_factory.mktemp("here") / "e"
    playing.run(GIVEN, folder, NOWHERE, out)
    return episodes(out)


def by(server):
    return {"backend": {"name": "server", "url": server.url, "served": "tiny"}}


def episodes(path):
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def test_a_served_model_plays_as_the_engine_here(server, spec, here, tmp_path):
    for batch in (1, 3):
        out = tmp_path / str(batch) / "e"
        playing.run(spec(batch=batch, **by(server)), NOWHERE, NOWHERE, out)
        assert episodes(out) == here
    assert server.most == 3 and all(body["stop"] == ["\n"] for body in server.bodies)
    assert server.bodies[0]["prompt"].endswith("<|im_end|>\n<|im_start|>assistant\n")
    head = json.loads(out.read_text().splitlines()[0])
    assert head["settings"]["model_sha256"] == "served: tiny"
    assert head["settings"]["backend"] == "server"


def test_mint_is_played_alike_to_a_full_context(server, mint_data, spec, folder, tmp_path, sandbox):
    """Prompts grow until they leave no room: the server refuses where the engine does."""
    given = {"environment": "mint", "path": None, "settings": {"sets": ["gsm8k"], "turns": 4},
             "sampling": {"max_new_tokens": 20}}  # fmt: skip
    playing.run(spec(**given), folder, mint_data, tmp_path / "here" / "e")
    playing.run(spec(**given, **by(server)), NOWHERE, mint_data, tmp_path / "there" / "e")
    made = episodes(tmp_path / "there" / "e")
    assert made == episodes(tmp_path / "here" / "e")
    assert {one["end"] for one in made} == {"context full"} and all(one["turns"] for one in made)


def test_a_server_that_goes_away_loses_nothing(server, spec, here, tmp_path, waits):
    out = tmp_path / "there" / "e"
    server.faults = [None] * 5 + [(503, "gone")] * (3 * TRIES)
    with pytest.raises(UserError) as caught:
        playing.run(spec(**by(server)), NOWHERE, NOWHERE, out)
    line = str(caught.value)
    assert line.startswith("guessing chat: ") and "HTTP 503, 6 times" in line and "\n" not in line
    assert "the same command continues" in line and not out.exists()
    (journal,) = (out.parent / "episodes").glob("*.jsonl")
    kept = sum(json.loads(line)["kind"] == "answer" for line in journal.read_text().splitlines())
    assert kept == 5
    server.faults, server.bodies = [], []
    playing.run(spec(**by(server)), NOWHERE, NOWHERE, out)
    assert episodes(out) == here
    assert len(server.bodies) == sum(len(episode["turns"]) for episode in episodes(out)) - kept


def test_a_server_that_is_busy_is_waited_for(server, spec, here, tmp_path, waits):
    server.faults = [(429, "busy", ("Retry-After", "7")), "cut", "broken"]
    playing.run(spec(batch=1, **by(server)), NOWHERE, NOWHERE, tmp_path / "there" / "e")
    assert episodes(tmp_path / "there" / "e") == here
    assert waits == [7.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("status", "words", "end"),
    [
        (400, "the request exceeds the available context size", "context full"),
        (422, "`inputs` must have less than 99 tokens", "context full"),
        (413, "no", "context full"),
        (400, "this is against our policy", "refused by the server"),
    ],
)
def test_a_refused_prompt_ends_its_own_episode(server, spec, tmp_path, status, words, end):
    """What a model said before can be to blame, so that the others go on."""
    suite = environments.load("guessing", {"turns": 2, "count": 3}, GUESSING)
    server.text, server.refuses = "a long one", ("a long one", status, words)
    client = CompletionsClient(server.url, "tiny", "t")
    player = ServerPlayer(client, 2)
    with Journal(tmp_path / "j") as journal:
        made = Driver(suite, player, journal, 2, 1).play(suite.tasks(), "t")
    player.close()
    assert [(one.end, len(one.turns)) for one in made] == [(end, 1)] * 3


def test_what_no_server_can_serve_is_one_line(server, spec, tmp_path, monkeypatch):
    server.refuses = ("", 404, "The model `tiny` does not exist")
    with pytest.raises(UserError, match="refuses 'tiny' with HTTP 404: .*does not exist"):
        playing.run(spec(**by(server)), NOWHERE, NOWHERE, tmp_path / "e")
    given = {"name": "server", "url": "http://127.0.0.1:1/v1", "served": "tiny"}
    with pytest.raises(UserError, match="no server answers there"):
        playing.run(spec(backend=given), NOWHERE, NOWHERE, tmp_path / "e")


def test_sampling_is_seeded_by_episode_and_turn(server, spec, tmp_path):
    few = {"settings": {"turns": 2, "count": 2}, "sampling": {"temperature": 0.5, "top_p": 0.9}}
    changes = few | by(server)
    playing.run(spec(**changes), NOWHERE, NOWHERE, tmp_path / "a" / "e")
    seeds = sorted(body["seed"] for body in server.bodies)
    assert len(set(seeds)) == len(seeds) == 4 and all(0 <= seed < 2**31 for seed in seeds)
    assert {(body["temperature"], body["top_p"]) for body in server.bodies} == {(0.5, 0.9)}
    server.bodies = []
    playing.run(spec(seed=2, **changes), NOWHERE, NOWHERE, tmp_path / "b" / "e")
    assert not set(seeds) & {body["seed"] for body in server.bodies}


def taught(**changes):
    settings = {**GIVEN["settings"], "feedback": True, "with_solution": True}
    return {"settings": settings, "teacher": {"model": "start", **changes}}


def test_feedback_is_part_of_the_record_and_of_what_is_read(server, spec, folder, tmp_path):
    """The player may teach itself; by a server it says the same."""
    playing.run(spec(**taught()), folder, NOWHERE, tmp_path / "here" / "e", folder)
    made = episodes(tmp_path / "here" / "e")
    said = [[turn["info"].get("feedback") for turn in one["turns"]] for one in made]
    assert all(one[0] and one[1] and one[2] is None for one in said)
    playing.run(
        spec(**taught(**by(server)), **by(server)), NOWHERE, NOWHERE, tmp_path / "there" / "e"
    )
    assert episodes(tmp_path / "there" / "e") == made
    prompts = [body["prompt"] for body in server.bodies]
    assert sum("the number is" in prompt for prompt in prompts) == 8
    assert any(f"no number{said[0][0]}<|im_end|>" in prompt for prompt in prompts)
    heads = [
        json.loads((tmp_path / place / "e").read_text().splitlines()[0])
        for place in ("here", "there")
    ]
    assert [head["settings"]["teacher"]["backend"] for head in heads] == ["transformers", "server"]
    assert len(heads[0]["settings"]["teacher"]["sha256"]) == 64


def test_a_killed_run_asks_neither_twice(server, spec, folder, tmp_path, waits):
    """The teacher's server goes away: the journal has what was answered and what was taught."""
    whole, out = tmp_path / "whole" / "e", tmp_path / "cut" / "e"
    playing.run(spec(**taught()), folder, NOWHERE, whole, folder)
    given = spec(**taught(**by(server)))
    for count in (1, 3):
        server.faults = [None] * count + [(503, "gone")] * (3 * TRIES)
        with pytest.raises(UserError, match="HTTP 503, 6 times"):
            playing.run(given, folder, NOWHERE, out)
    server.faults, server.bodies = [], []
    playing.run(given, folder, NOWHERE, out)
    assert len(server.bodies) == 8 - 1 - 3
    assert episodes(out) == episodes(whole)
    (journal,) = (out.parent / "episodes").glob("*.jsonl")
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds.count("feedback") == 8 and kinds.count("answer") == 12


def test_another_teacher_begins_anew(server, spec, folder, tmp_path):
    out = tmp_path / "e"
    playing.run(spec(**taught()), folder, NOWHERE, out, folder)
    playing.run(spec(**taught(**by(server))), folder, NOWHERE, out)
    assert len(list((tmp_path / "episodes").glob("*.jsonl"))) == 2
    playing.run(spec(), folder, NOWHERE, out)
    assert len(list((tmp_path / "episodes").glob("*.jsonl"))) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backend": {"name": "vlm"}}, "backend 'vlm'; did you mean 'vllm'?"),
        ({"backend": {"name": "server", "url": "nowhere", "served": "a"}}, "'nowhere' is not an address"),
        ({"backend": {"name": "server", "url": "http://a/v1"}}, "backend.served"),
        ({"backend": "server"}, "backend: 'server' is not a mapping"),
        ({"backend": {"url": "http://a/v1", "served": "a"}}, "backend: url and served go with name: server"),
        ({"teacher": {"modl": "chat"}}, "teacher: unknown key 'modl'; did you mean 'model'?"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_line(spec, tmp_path, changes, said):
    with pytest.raises(UserError) as caught:
        playing.run(spec(**changes), NOWHERE, NOWHERE, tmp_path / "e")
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_without_vllm_it_says_how_to_have_it(spec, folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match="workflow/env-build vllm"):
        playing.run(spec(backend={"name": "vllm"}), folder, NOWHERE, tmp_path / "e")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_real_vllm_plays_as_the_engine_here(spec, tmp_path):
    """By the script that the rule runs; heads of 32 numbers, the fewest that it has on CPUs."""
    folder = tmp_path / "model"
    model(folder, tokenizer(folder), width=192)
    playing.run(spec(), folder, NOWHERE, tmp_path / "here" / "e")
    given = spec(backend={"name": "vllm"})
    asked = {"spec": given, "model": str(folder), "out": str(tmp_path / "there" / "e")}
    answered("vllm_player.py", asked, tmp_path)
    assert episodes(tmp_path / "there" / "e") == episodes(tmp_path / "here" / "e")
