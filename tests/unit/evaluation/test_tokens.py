"""Prompts and documents as ids, and answers as they follow their prompts, for tokenizers of every kind."""

import json

import pytest
from completion_server import CompletionServer
from lemur.core import contracts
from lemur.evaluation import generation
from lemur.evaluation.backends.server_backend import ServerBackend
from lemur.evaluation.backends.transformers_backend import TransformersBackend
from lemur.evaluation.lm import ReplayLM
from lemur.evaluation.spec import Decoding
from lemur.inference import model_tokenizer
from lemur.inference.engine import Engine
from lemur.tokenization.encoder import HARD, Encoder
from lm_eval.api.instance import Instance
from made_tokenizers import chain, real, sentencepiece
from test_spider import DUMP
from tiny_benchmarks import listing, model, tokenizer

STEPS = {"SELECT": "▁Name", "▁Name": "▁FROM", "▁FROM": "▁item", "▁item": "</s>"}
DECODING = Decoding(max_new_tokens=16, temperature=0.0)


@pytest.fixture(scope="module")
def spaced(tmp_path_factory):
    """A model with a tokenizer of Llama 2's kind that goes on from SELECT with a query."""
    folder = tmp_path_factory.mktemp("spaced") / "model"
    chain(folder, sentencepiece(folder), STEPS)
    return folder


@pytest.fixture(scope="module")
def bytewise(tmp_path_factory):
    """A model whose tokens are bytes."""
    folder = tmp_path_factory.mktemp("bytewise") / "model"
    model(folder, tokenizer(folder))
    return folder


def test_an_answer_keeps_the_blank_that_it_begins_with(spaced, spec, tmp_path):
    """Decoded alone the answer would be "Name FROM item": the query would read SELECTName."""
    questions = [{"db": "shop", "query": "All names?", "gold": "SELECT 1", "hardness": "easy"}]
    (tmp_path / "ic_spider_dbs.sql").write_text(DUMP)
    (tmp_path / "ic_spider_dev.json").write_text(json.dumps(questions))
    data = listing(tmp_path, "ic_spider_dbs.sql", "ic_spider_dev.json")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec("spider", decoding=contracts.plain(DECODING)), spaced, data, out)
    (entry,) = map(json.loads, out.read_text().splitlines()[1:])
    assert entry["response"] == " Name FROM item" and entry["finish"] == "end"


@pytest.mark.parametrize("until", [[" FROM"], [" Name"], ["e F"], [" N", "item"]])
def test_stop_strings_are_found_as_the_answer_follows_its_prompt(spaced, until):
    engine = Engine(spaced, "fp32", "cpu")
    here = TransformersBackend(engine, DECODING, 2, 1, "t")
    requests = [
        Instance("generate_until", {}, (text, {"until": until}), n, metadata=("t", n, 1))
        for n, text in enumerate(["x SELECT", "SELECT", "y y y y y y y y y y y SELECT"])
    ]
    whole = " Name FROM item"
    expected = whole[: min(whole.find(stop) for stop in until if stop in whole)]
    made = dict(here.generate(requests, range(3), 0))
    assert {entry.response for entry in made.values()} == {expected}
    assert {entry.finish for entry in made.values()} == {"stop"}
    with CompletionServer(engine) as server:
        there = ServerBackend(server.url, "tiny", DECODING, 2, 1, "t")
        served = dict(there.generate(requests, range(3), 0))
    assert {n: entry.response for n, entry in served.items()} == dict.fromkeys(range(3), expected)


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_decoding_gives_back_what_follows_a_prompt(kind, request):
    made = model_tokenizer.load(request.getfixturevalue(kind))
    text = "é  x\n\n    return 1 . , n't  <s> 你好"
    ids = made.encode(text, add_special_tokens=False, split_special_tokens=True)
    whole = model_tokenizer.decode(made, ids)
    for cut in range(1, len(ids)):
        before = model_tokenizer.decode(made, ids[:cut])
        if "\ufffd" not in before:
            assert before + model_tokenizer.Decoding(made, ids[:cut])(ids[cut:]) == whole
    assert model_tokenizer.Decoding(made, ids)([]) == ""


NAMED = "a <s> b </s> <|endoftext|> <|im_end|>\n<|im_start|>user\n<|end|> c"


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_documents_have_the_ids_that_training_gives_them(kind, request):
    folder = request.getfixturevalue(kind)
    ids = model_tokenizer.document_encoder(folder, model_tokenizer.load(folder))
    reference = Encoder(folder).slow
    for text in (*HARD, NAMED):
        assert ids(text) == reference.encode(text, add_special_tokens=False).ids
    controls = {
        number
        for token, number in reference.get_vocab(with_added_tokens=True).items()
        if token in model_tokenizer.load(folder).all_special_tokens and token != "<unk>"
    }
    assert not controls & set(ids(NAMED))


def test_bits_per_byte_read_the_names_of_control_tokens_as_text(bytewise, spec, tmp_path):
    """136 bytes are 136 tokens of this tokenizer, whatever they spell."""
    text = "<|im_end|> x <|end|>\n" * 6 + "0123456789"
    assert len(text) == 136
    data = tmp_path / "text.jsonl"
    data.write_text(json.dumps({"id": "a", "text": text}) + "\n")
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec("bits_per_byte_text", task="bits_per_byte"), bytewise, data, out)
    (entry,) = map(json.loads, out.read_text().splitlines()[1:])
    assert entry["tokens"] == 136


def prompt_of(backend, messages, reply, answer=""):
    """Ids of a ChatML prompt as a backend reads it."""
    lm = ReplayLM({}, "none")
    text = lm.apply_chat_template(messages, add_generation_prompt=reply)
    backend.chat, backend.dialogues = True, lm.dialogues
    return backend.encode(text, answer)


DIALOGUES = (
    ([{"role": "user", "content": "What is 1 + 1?\n"}], True),
    ([{"role": "system", "content": "Be kind."}, {"role": "user", "content": " a  b"}], True),
    ([{"role": "user", "content": "Go on"}, {"role": "assistant", "content": "def f("}], False),
)


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_only_the_markers_of_the_template_are_control_tokens(kind, request):
    engine = Engine(request.getfixturevalue(kind), "fp32", "cpu")
    backend = TransformersBackend(engine, DECODING, 2, 1, "t")
    start, end = engine.tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    for messages, reply in DIALOGUES:
        plain = prompt_of(backend, messages, reply, " x")
        named = [{**message, "content": f"{message['content']}{NAMED}"} for message in messages]
        ids = prompt_of(backend, named, reply, " x")
        assert ids.count(start) == plain.count(start) == len(messages) + reply
        assert ids.count(end) == plain.count(end) == len(messages) - 1 + reply
        assert ids[:3] == plain[:3] and ids[-1] == plain[-1]
    backend.chat = False
    whole = backend.encode(NAMED)
    assert start not in whole and end not in whole
    assert model_tokenizer.decode(engine.tokenizer, whole) == NAMED


@pytest.mark.parametrize("kind", ["spaced", "bytewise"])
def test_a_dialogue_in_pieces_is_the_prompt_as_it_is_read_whole(kind, request, monkeypatch):
    engine = Engine(request.getfixturevalue(kind), "fp32", "cpu")
    backend = TransformersBackend(engine, DECODING, 2, 1, "t")
    for messages, reply in DIALOGUES:
        whole = prompt_of(backend, messages, reply, " x")
        with monkeypatch.context() as patched:
            patched.setattr(TransformersBackend, "_names_controls", lambda *_: True)
            assert prompt_of(backend, messages, reply, " x") == whole


@pytest.mark.long
@pytest.mark.parametrize("name", ["llama2", "llama3"])
def test_real_tokenizers(name, tmp_path):
    folder = real(name, tmp_path)
    (folder / "config.json").write_text("{}")
    made, reference = model_tokenizer.load(folder), Encoder(folder).slow
    ids = model_tokenizer.document_encoder(folder, made)
    for text in (*HARD, NAMED):
        assert ids(text) == reference.encode(text, add_special_tokens=False).ids
    query = made.encode("x SELECT", add_special_tokens=False)
    rest = made.encode("x SELECT Name", add_special_tokens=False)[len(query) :]
    assert model_tokenizer.Decoding(made, query)(rest) == " Name"
