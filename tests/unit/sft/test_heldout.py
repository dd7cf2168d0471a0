"""Conversations held out of fine-tuning: others than those trained on, the same in every run."""

import json

import pytest
from lemur.core.contracts import plain, read
from lemur.core.errors import UserError
from lemur.sft import heldout
from lemur.sft.conversation import HeldoutConversationsSpec
from lemur.sft.conversations import Counts, gather, write
from lemur.sft.tokens import read_conversations
from unit.sft.test_sources import manifest

SPEC = {"seed": 1, "documents": 3, "max_bytes": 200}


def source(tmp_path, name, answers):
    """A source of conversations ``question k`` -> ``answers[k]`` as the format jsonl has them."""
    lines = [
        {"messages": [{"role": "user", "content": f"{name} question {number}"},
                      {"role": "assistant", "content": answer}]}
        for number, answer in enumerate(answers)
    ]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return manifest(tmp_path / name, name, {f"{name}/data.jsonl": text})


def held(tmp_path, sources, examples, **spec):
    """(held-out conversations, those that are trained on) of ``examples`` of each source."""
    entries = [{"name": name, "format": "jsonl", "examples": examples} for name in sources]
    manifests = [source(tmp_path, name, answers) for name, answers in sources.items()]
    whole = read(HeldoutConversationsSpec, {**SPEC, **spec, "sources": entries}, "--spec")
    trained = tmp_path / "conversations.jsonl"
    write(gather(whole, manifests, [], {}, None, {name: Counts() for name in sources}), trained)
    chosen = heldout.held_out(whole, trained, manifests, [], {}, None)
    return chosen, list(map(plain, read_conversations(trained)))


def test_sources_take_turns_with_what_is_not_trained_on(tmp_path):
    sources = {name: [f"{name} answers {k}" for k in range(9)] for name in ("one", "two")}
    found, trained = held(tmp_path, sources, 5)
    assert [conversation.source for conversation in found] == ["one", "two", "one"]
    assert not {conversation.id for conversation in found} & {line["id"] for line in trained}
    heldout.write(found, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [conversation.id for conversation in found]
    assert {line["messages"][-1]["role"] for line in lines} == {"assistant"}


def test_an_answer_that_is_trained_on_or_too_long_is_not_held_out(tmp_path):
    long, short = [f"{k}" + "x" * 200 for k in range(10)], [f"answer {k}" for k in range(10)]
    found, trained = held(
        tmp_path, {"one": ["the same words"] * 20 + long + short}, 12, documents=9
    )
    said = {line["messages"][-1]["content"] for line in trained}
    assert "the same words" in said
    assert {c.messages[-1]["content"] for c in found} == set(short) - said != set()


def test_where_everything_is_trained_on_it_is_one_line(tmp_path):
    with pytest.raises(UserError, match="every conversation of sft.sources is trained on"):
        held(tmp_path, {"one": ["a few words", "other words"]}, 2)
