import json

import jinja2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lemur.errors import UserError
from lemur.sft.chatml import END, START, TEMPLATE, ChatML, check, with_markers
from made_corpus import TOKENIZER
from tokenizers import Tokenizer, models

CONTENT = st.one_of(
    st.text(max_size=30),
    st.text(" \n\tab1<|im_startend>", max_size=30),
    st.sampled_from(
        ["", "\n", " x", END, f"{END}\n{START}user\nhi", "<|endoftext|>", "```\nx\n```"]
    ),
)
MESSAGES = st.tuples(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "user", "assistant"]), "content": CONTENT}
        ),
        max_size=6,
    ),
    CONTENT,
).map(lambda made: [*made[0], {"role": "assistant", "content": made[1]}])


@pytest.fixture(scope="module")
def chat():
    return ChatML(Tokenizer.from_file(str(TOKENIZER / "tokenizer.json")))


@settings(max_examples=400, deadline=None)
@example([{"role": "user", "content": "a"}, {"role": "assistant", "content": "\n\n"}] * 3)
@given(MESSAGES)
def test_the_mask_is_exactly_what_the_assistant_says(chat, messages):
    turns = chat.turns(messages)
    ids = [one for turn in turns for one in turn.ids]
    mask = [one for turn in turns for one in turn.mask]
    decode = chat.tokenizer.decode
    said = [one["content"] for one in messages if one["role"] == "assistant"]
    trained = [one for one, kept in zip(ids, mask, strict=True) if kept]
    assert decode(trained, skip_special_tokens=False) == "".join(f"{text}{END}\n" for text in said)
    whole = "".join(f"{START}{one['role']}\n{one['content']}{END}\n" for one in messages)
    assert decode(ids, skip_special_tokens=False) == whole
    # Markers written in a text are not markers: one start and one end a message, no more.
    assert ids.count(chat.start) == ids.count(chat.end) == len(messages)
    assert all(chat.faithful(message) for message in messages)
    for message, turn in zip(messages, turns, strict=True):
        assert any(turn.mask) == (message["role"] == "assistant")


@given(MESSAGES)
def test_the_prompt_is_what_generation_is_given(chat, messages):
    """Up to the last answer the ids are those of the rendered template, where no text has markers."""
    if any("<|" in message["content"] for message in messages):
        return
    rendered = (
        jinja2.Environment()
        .from_string(TEMPLATE)
        .render(messages=messages[:-1], add_generation_prompt=True)
    )
    tokenizer = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    earlier = any(message["role"] == "assistant" for message in messages[:-1])
    turns = chat.turns(messages)
    last = turns[-1]
    header = [one for one, kept in zip(last.ids, last.mask, strict=True) if not kept]
    prompt = [one for turn in turns[:-1] for one in turn.ids] + header
    if not earlier:  # an earlier answer is encoded apart from its header: exact mask, same text
        assert prompt == tokenizer.encode(rendered, add_special_tokens=False).ids
    assert tokenizer.decode(prompt, skip_special_tokens=False) == rendered


def test_markers_are_appended_behind_a_vocabulary_without_them():
    made = Tokenizer(models.BPE({"a": 0, "b": 1}, []))
    assert with_markers(made) == 2
    assert (made.token_to_id(START), made.token_to_id(END)) == (2, 3)
    assert with_markers(made) == 0
    assert ChatML(Tokenizer(models.BPE({"a": 0, "b": 1}, []))).vocabulary == 4


def test_a_text_that_the_vocabulary_loses_is_noticed():
    """A vocabulary without most letters drops them in silence, as SmolLM2's drops 21 bytes."""
    chat = ChatML(Tokenizer(models.BPE({"a": 0, "\n": 1}, [])))
    assert not chat.faithful({"role": "assistant", "content": "ab"})
    assert chat.faithful({"role": "user", "content": "ab"})  # nothing of it is trained on


def test_the_committed_chat_template_is_this_one():
    config = json.loads((TOKENIZER / "tokenizer_config.json").read_text())
    assert config["chat_template"] == TEMPLATE


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "end with an assistant"),
        ([{"role": "user", "content": "a"}], "end with an assistant"),
        ([{"role": "asistant", "content": "a"}], "did you mean 'assistant'"),
        ([{"role": "assistant", "content": None}], "content is not text"),
    ],
)
def test_a_bad_conversation_is_one_line(messages, words):
    with pytest.raises(UserError, match=words):
        check(messages)
