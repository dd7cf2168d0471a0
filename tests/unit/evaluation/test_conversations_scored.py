"""Bits per byte of an assistant's words: those of the tokens that fine-tuning trains, and no others."""

import json
import math

import pytest
import torch
from lemur.chat.chatml import ChatML
from lemur.core.errors import UserError
from lemur.evaluation import generation, judging
from lemur.inference import model_tokenizer
from tokenizers import Tokenizer

CONVERSATIONS = [
    [("user", "What is 1 + 1?"), ("assistant", "It is 2, <|im_end|> or so.")],
    [("system", "Be kind."), ("user", "Hello"), ("assistant", "Hi"), ("user", "And?"), ("assistant", "Bye.")],
]  # fmt: skip


def lines(conversations):
    return [
        {"id": f"c{number}", "messages": [{"role": role, "content": text} for role, text in turns]}
        for number, turns in enumerate(conversations)
    ]


def bits(folder, reference, messages):
    """Bits of the trained tokens of the last turn, without the marker and line that end it."""
    tokenizer = model_tokenizer.load(folder)
    chat = ChatML(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()))
    *before, last = chat.turns(messages)
    said = sum(last.mask) - 1 - (len(chat.line) if chat.line_trained else 0)
    start = tokenizer.encode("", add_special_tokens=True)
    ids = [*start, *(token for turn in before for token in turn.ids), *last.ids]
    first = len(ids) - len(last.ids) + last.mask.index(1)
    with torch.no_grad():
        logits = reference(torch.tensor([ids])).logits.double().log_softmax(-1)[0]
    return -sum(float(logits[k - 1, ids[k]]) for k in range(first, first + said)) / math.log(2)


def test_the_words_that_are_trained_on_are_counted(folder, reference, spec, tmp_path):
    data, out = tmp_path / "conversations.jsonl", tmp_path / "out" / "generations.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines(CONVERSATIONS)))
    asked = spec("bits_per_byte_conversations", format="chatml", judge="none")
    generation.run(asked, folder, data, out)
    judging.run(asked, out, data, out.with_name("scores.json"))
    verdicts = [json.loads(line) for line in out.with_name("verdicts.jsonl").read_text().splitlines()]  # fmt: skip
    for verdict, line in zip(verdicts, lines(CONVERSATIONS), strict=True):
        assert verdict["bytes"] == len(line["messages"][-1]["content"].encode())
        assert verdict["bits"] == pytest.approx(bits(folder, reference, line["messages"]), rel=1e-4)


@pytest.mark.parametrize(
    "turns", [[], [("assistant", "alone")], [("user", "x"), ("assistant", "")]]
)
def test_what_is_no_conversation_is_one_line(turns, folder, spec, tmp_path):
    data = tmp_path / "conversations.jsonl"
    data.write_text("".join(json.dumps(line) + "\n" for line in lines([turns])))
    with pytest.raises(
        UserError, match="line 1: 'messages' does not end with an assistant's answer"
    ):
        generation.run(spec("bits_per_byte_conversations", format="chatml"), folder, data, tmp_path / "g.jsonl")  # fmt: skip
