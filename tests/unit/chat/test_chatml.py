import json

import jinja2
import pytest
from as_json import write_sft
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lemur.chat.chatml import END, START, TEMPLATE, ChatML, check, with_markers
from lemur.core.errors import UserError
from made_corpus import TOKENIZER
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

CONTENT = st.one_of(
    st.text(max_size=30),
    st.text(" \n\tab1<|im_startend>", max_size=30),
    st.text(" \n\t", max_size=6).flatmap(lambda s: st.just(f"{s}if x:{s}hi{s}")),
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


def sentencepiece(kind):
    """A small vocabulary as Llama 2's: it puts a space before each text or before the first."""
    letters = ["\u2581", *map(chr, range(33, 127))]
    merges = [("\u2581", "a"), ("h", "i"), ("\u2581", "hi"), ("\u2581", "\u2581"), ("i", "f")]
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *map("".join, merges)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    if kind == "each":
        put, space = normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")
        made.normalizer = normalizers.Sequence([put, space])
    else:
        made.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", "first", split=False)
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return made


def tokenizer_of(kind):
    if kind == "bytes":
        return Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    return sentencepiece(kind)


KINDS = ("bytes", "each", "first")


@pytest.fixture(scope="module", params=KINDS)
def chat(request):
    made = ChatML(tokenizer_of(request.param))
    made.kind = request.param
    return made


@settings(max_examples=300, deadline=None)
@example([{"role": "user", "content": "a"}, {"role": "assistant", "content": "\n\n"}] * 3)
@example([{"role": "user", "content": " a "}, {"role": "assistant", "content": " hi "}] * 2)
@given(MESSAGES)
def test_the_mask_is_exactly_what_the_assistant_says(chat, messages):
    if chat.kind != "bytes" and any("\u2581" in one["content"] for one in messages):
        return  # what such a vocabulary writes for a space: not to be spelled, so left out
    turns = chat.turns(messages)
    ids = [one for turn in turns for one in turn.ids]
    mask = [one for turn in turns for one in turn.mask]
    line = "" if chat.kind == "each" else "\n"
    said = [one["content"] for one in messages if one["role"] == "assistant"]
    trained = [one for one, kept in zip(ids, mask, strict=True) if kept]
    assert decoded(chat, trained) == "".join(f"{text}{END}{line}" for text in said)
    space = " " if chat.kind == "each" else ""
    whole = ""
    for one in messages:
        whole += f"{START}{space}{one['role']}\n{one['content']}{END}{space}\n"
    assert decoded(chat, ids) == whole
    # Markers written in a text are not markers: one start and one end a message, no more.
    assert ids.count(chat.start) == ids.count(chat.end) == len(messages)
    assert all(chat.faithful(message) for message in messages)
    for message, turn in zip(messages, turns, strict=True):
        assert any(turn.mask) == (message["role"] == "assistant")


def decoded(chat, ids):
    """After a marker: some decoders take a space away from where a text begins."""
    return chat.tokenizer.decode([chat.end, *ids], skip_special_tokens=False).removeprefix(END)


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
    tokenizer = tokenizer_of(chat.kind)
    with_markers(tokenizer)
    earlier = any(message["role"] == "assistant" for message in messages[:-1])
    turns = chat.turns(messages)
    last = turns[-1]
    header = last.ids[: last.mask.index(1)]
    prompt = [one for turn in turns[:-1] for one in turn.ids] + header
    wanted = tokenizer.encode(rendered, add_special_tokens=False).ids
    if not earlier or chat.kind != "bytes":
        assert prompt == wanted
    # Else an earlier answer is encoded apart from its header: exact mask, same text.
    assert decoded(chat, prompt) == decoded(chat, wanted)


@pytest.mark.parametrize("change", ["  {content}  ", "{content|trim}", "llama-2"])
def test_no_other_template_is_taken(change, tmp_path):
    """One that pads or strips what is said, as Llama 2's own does, would break the mask's exactness."""
    spec = {"template": change, "context": 64, "seed": 1}
    with pytest.raises(UserError, match=r"^sft\.template: unknown '.*chatml") as caught:
        write_sft(spec, tmp_path / "none.jsonl", TOKENIZER, tmp_path / "index.json")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


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


def test_a_sentencepiece_vocabulary_is_used_and_what_it_cannot_spell_is_left_out(tmp_path):
    """Before, the space that it puts in front made every conversation of such a base unusable."""
    folder = tmp_path / "model"
    folder.mkdir()
    sentencepiece("each").save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"eos_token": "<unk>"}')
    talks = [[{"role": "user", "content": "a"}, {"role": "assistant", "content": "hi"}]]
    spelled = {"id": "1", "source": "s", "kind": "text", "messages": talks[0]}
    lost = {**spelled, "messages": [talks[0][0], {"role": "assistant", "content": "a\u2581b"}]}
    spec = {"template": "chatml", "context": 64, "seed": 1}
    conversations = tmp_path / "conversations.jsonl"
    conversations.write_text(f"{json.dumps(spelled)}\n{json.dumps(lost)}\n")
    realised = write_sft(spec, conversations, folder, tmp_path / "index.json")
    assert realised["conversations"] == 1 and realised["left_out"]["not_spellable"] == 1
    assert realised["trained_tokens"] == 2  # hi and the marker
    conversations.write_text(f"{json.dumps(lost)}\n")
    with pytest.raises(UserError, match="cannot spell the answers of any of 1 conversations"):
        write_sft(spec, conversations, folder, tmp_path / "index.json")


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
