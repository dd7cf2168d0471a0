import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from lemur.core.errors import UserError
from lemur.sft import chats, eg, instructions
from lemur.tokenization.packed import IGNORED, PackedDataset
from made_corpus import TOKENIZER, document, write_part
from tokenizers import Tokenizer


def manifest(folder, name, files):
    """An archive ``<name>-1.tar.gz`` with the given files, and its manifest."""
    (folder / "files").mkdir(parents=True)
    with tarfile.open(folder / "files" / f"{name}-1.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    path = folder / "manifest.json"
    path.write_text(json.dumps({"name": name, "files": [{"path": f"files/{name}-1.tar.gz"}]}))
    return path


EG = """# cut

split lines on ':' and show
the second column

    cut -d ':' -f2 input.txt


# Basic Usage

The following file is used in these examples:

    $ cat data.txt
    a b

Print the first field of every line of the file:

    $ cut -f 1 \\
        data.txt
    a
    $ cut -f 2 data.txt
    b


too short

    cut x
"""


def test_eg_gives_a_task_and_its_commands(tmp_path):
    made = list(eg.conversations(manifest(tmp_path, "eg", {"eg-1/eg/examples/cut.md": EG})))
    assert made == [
        [
            {
                "role": "user",
                "content": "With `cut`: split lines on ':' and show the second column.",
            },
            {"role": "assistant", "content": "```bash\ncut -d ':' -f2 input.txt\n```"},
        ],
        [
            {
                "role": "user",
                "content": "With `cut`: Print the first field of every line of the file.",
            },
            {
                "role": "assistant",
                "content": "```bash\ncut -f 1 \\\n    data.txt\ncut -f 2 data.txt\n```",
            },
        ],
    ]


def test_eg_has_markdowns_lines(tmp_path):
    """A form feed or U+2028 stands inside of a line of Markdown; three backticks in a command ask
    for a longer fence."""
    text = "print a page\u2028break between the files\n\n    cut '\x0c' '\x85' '```' a.txt\n"
    ((asked, answer),) = eg.conversations(
        manifest(tmp_path, "eg", {"eg-1/eg/examples/cut.md": text})
    )
    assert asked["content"] == "With `cut`: print a page break between the files."
    assert answer["content"] == "````bash\ncut '\x0c' '\x85' '```' a.txt\n````"


def test_chitchat_joins_a_senders_utterances_and_ends_with_the_assistant(tmp_path):
    def turn(sender, *texts):
        return [{"text": text, "sender": sender} for text in texts]

    table = {
        "b": {"messages": [turn("x", "Hi", "there"), turn("y", "Hello"), turn("x", "Bye")]},
        "a": {"messages": [turn("x", "mail me: me@example.org"), turn("y", "ok")]},
        "c": {"messages": [turn("x", "alone")]},
    }
    path = manifest(tmp_path, "chitchat", {"chitchat_dataset/dataset.json": json.dumps(table)})
    first, second, third = chats.chitchat(path)
    assert second == [
        {"role": "user", "content": "Hi there"},
        {"role": "assistant", "content": "Hello"},
    ]
    assert str(first) == "an address, a number or a link" and str(third) == instructions.NO_ANSWER
    wrong = manifest(tmp_path / "w", "chitchat", {"chitchat_dataset/dataset.json": "[1]"})
    with pytest.raises(UserError, match="is not chitchat-dataset's"):
        list(chats.chitchat(wrong))


def test_chatterbot_takes_the_first_answer_in_english(tmp_path):
    files = {
        "c/data/english/ai.yml": "conversations:\n- - What is AI?\n  - A field.\n  - Mine.\n- - Odd\n",
        "c/data/german/ai.yml": "conversations:\n- - Was?\n  - Das.\n",
    }
    path = manifest(tmp_path, "chatterbot", files)
    first, second = chats.chatterbot(path)
    assert first == [
        {"role": "user", "content": "What is AI?"},
        {"role": "assistant", "content": "A field."},
    ]
    assert str(second) == instructions.NO_ANSWER


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
            "qa",
        ),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, "qa"),
        ({"instruction": "q", "context": "c", "response": "a"}, "q\n\nca"),
        ({"instruction": "q", "input": "", "output": "a"}, "qa"),
        ({"system_prompt": "s", "question": "q", "response": "a"}, "sqa"),
        ({"input": "q", "output": "a"}, "qa"),
        (
            {"contents": 1, "messages": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "a"}]}]},
            "qa",
        ),
        (
            {"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "q"}, "r"]}, {"role": "assistant", "content": "a"}]},
            "sq\nra",
        ),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": "f()"}, {"from": "observation", "value": "o"}, {"from": "gpt", "value": "a"}]},
            "qf()oa",
        ),
        (
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": '{"x": "ü"}'}}]}, {"role": "tool", "content": "o"}, {"role": "assistant", "content": "a"}]},
            'q<tool_call>\n{"name": "f", "arguments": {"x": "ü"}}\n</tool_call>oa',
        ),
        ({"system": 5, "question": "q", "answer": "a"}, "qa"),
    ],
)  # fmt: skip
def test_shapes_of_instruction_sets(record, said):
    made = instructions.read_messages(record)
    assert "".join(message["content"] for message in made) == said
    assert made[-1]["role"] == "assistant"
    assert {message["role"] for message in made} <= {"system", "user", "assistant"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"instruction": "q", "response": " "}, instructions.EMPTY),
        ({"messages": [{"role": "user", "content": None}]}, instructions.EMPTY),
        ({"messages": [{"role": "user", "content": "q"}]}, instructions.NO_ANSWER),
        ({"messages": [{"role": "tool", "content": "q"}]}, instructions.NO_ANSWER),
        ({"messages": []}, instructions.NO_ANSWER),
        ({"messages": [{"role": "narrator", "content": "q"}]}, instructions.ROLE),
        ({"messages": [{"role": ["user"], "content": "q"}]}, instructions.ROLE),
        ({"messages": [{"content": "q"}]}, instructions.SHAPE),
        ({"messages": ["q", "a"]}, instructions.SHAPE),
        ({"messages": [["human", "q"], ["gpt", "a"]]}, instructions.SHAPE),
        ({"messages": [{"role": "user", "content": {"q": 1}}]}, instructions.PART),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            instructions.PART,
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": "f"}]}]},
            instructions.CALL,
        ),
        ({"messages": [{"role": "assistant", "tool_calls": 5}]}, instructions.CALL),
        (
            {"messages": [{"role": "assistant", "tool_calls": 5, "function_call": {"name": "f"}}]},
            instructions.CALL,
        ),
        ({"messages": [{"role": "assistant", "function_call": "f"}]}, instructions.CALL),
        ({"text": "q"}, instructions.FIELDS),
        ([{"role": "user", "content": "q"}], "not a record"),
    ],
)
def test_what_is_no_conversation_has_a_reason(record, reason):
    with pytest.raises(instructions.Skipped, match=f"^{reason}$"):
        instructions.read_messages(record)


def test_openassistant_follows_the_best_ranked_replies(tmp_path):
    def node(name, parent, role, rank=None, lang="en"):
        return {
            "message_id": name,
            "parent_id": parent,
            "role": role,
            "rank": rank,
            "lang": lang,
            "text": name,
        }

    records = [
        node("q", None, "prompter"),
        node("worse", "q", "assistant", 1),
        node("better", "q", "assistant", 0),
        node("more", "better", "prompter"),
        node("frage", None, "prompter", lang="de"),
        {"message_id": None, "role": "prompter"},  # no id
        5,
    ]
    lines = "\n".join(json.dumps(record) for record in records)
    path = manifest(tmp_path, "oasst", {"trees.jsonl": lines})
    (made,) = instructions.conversations(path)
    assert [one["content"] for one in made] == ["q", "better"]


def test_openassistant_in_a_circle_comes_to_an_end(tmp_path):
    records = [
        {"message_id": "q", "parent_id": parent, "role": role, "text": text}
        for parent, role, text in ((None, "prompter", "q"), ("q", "assistant", "a"))
    ]
    path = manifest(tmp_path, "oasst", {"trees.jsonl": "\n".join(map(json.dumps, records))})
    (made,) = instructions.conversations(path)
    assert [one["content"] for one in made] == ["q", "a"]


def test_a_set_of_no_known_shape_names_its_fields(tmp_path):
    path = manifest(tmp_path, "odd", {"x.jsonl": '{"body": "b", "author": "a"}\n'})
    with pytest.raises(UserError, match=r"none of 1 records .*author, body"):
        list(instructions.conversations(path))


YAML = """conversations:
- - Is the sky blue?
  - Yes
- - Which year did it open?
  - 1984-05-01
- - What time is it?
  - 12:30
- - Say nothing
  -
- - on
  - ~
- not a dialogue
- - What is it?
  - key: value
"""
FENCED = """def total_of_even(values):
    \'\'\'Return the sum of all the even numbers that stand in the list given here.\'\'\'
    fence = "```"
    return sum(value for value in values if value % 2 == 0)
"""


SCRIPTS = Path(__file__).parents[3] / "scripts" / "5_sft"


def test_what_a_tool_says_is_read_and_not_learned(tmp_path):
    """A download with calls of tools, through both scripts, to the tokens that the loss counts."""
    call = {"function": {"name": "add", "arguments": '{"a": 2, "b": 2}'}}
    messages = [
        {"role": "user", "content": "Two and two?"},
        {"role": "assistant", "content": "I add.", "tool_calls": [call]},
        {"role": "tool", "content": "four, says the tool"},
        {"role": "assistant", "content": "It is four."},
    ]
    path = manifest(tmp_path / "a", "set", {"rows.jsonl": json.dumps({"messages": messages})})
    spec = {"seed": 1, "sources": [{"name": "set", "format": "jsonl", "examples": 9}]}
    made, index = tmp_path / "conversations.jsonl", tmp_path / "data" / "index.json"
    command = [sys.executable, SCRIPTS / "conversations.py", "--spec", json.dumps(spec)]
    subprocess.run([*command, "--manifests", path, "--out", made], check=True)
    model = tmp_path / "base" / "model"
    shutil.copytree(TOKENIZER, model)
    (model.parent / "DONE.json").write_text("{}")
    spec = {"seed": 1, "context": 256, "template": "chatml", "max_examples": None}
    command = [sys.executable, SCRIPTS / "sft_tokens.py", "--spec", json.dumps(spec)]
    command += ["--conversations", made, "--tokenizer", model, "--out", index]
    subprocess.run(command, check=True)
    item = PackedDataset(index)[0]
    tokens = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    learned = tokens.decode(item["labels"][item["labels"] != IGNORED], skip_special_tokens=False)
    added = '<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 2}}\n</tool_call>'
    assert learned == f"I add.\n{added}<|im_end|>\nIt is four.<|im_end|>\n"
    read = tokens.decode(item["input_ids"], skip_special_tokens=False)
    assert "<|im_start|>user\nfour, says the tool<|im_end|>" in read


def test_the_script_reads_what_can_be_read_and_counts_the_rest(tmp_path):
    """What a download holds, odd as it may be, to conversations.jsonl and sources.json."""
    asked = [{"role": "user", "content": "Two and two?"}, {"role": "model", "content": "Four."}]
    call = {"function": {"name": "add", "arguments": {"a": 2}}}
    rows = [
        {"messages": asked},
        {
            "messages": [
                asked[0],
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "content": "4"},
                {"role": "assistant", "content": "It is four."},
            ]
        },
        {"messages": [asked[0], {"role": "assistant", "tool_calls": 5, "function_call": call}]},
        {"messages": ["hi", "hello"]},
        {"conversations": [["human", "hi"], ["gpt", "hello"]]},
        {"messages": [{"role": "user", "content": "\ud800"}, asked[1]]},
        7,
    ]
    lines = "\n".join(map(json.dumps, rows))
    manifests = [
        manifest(tmp_path / "a", "set", {"rows.jsonl": lines}),
        manifest(tmp_path / "b", "bot", {"c/data/english/t.yml": YAML}),
    ]
    part = write_part(tmp_path, "code", [document(FENCED, language="python")])
    sources = [
        {"name": "set", "format": "jsonl", "examples": 9},
        {"name": "bot", "format": "chatterbot", "examples": 9},
        {"name": "functions", "format": "docstring", "examples": 9},
    ]
    out = tmp_path / "out" / "conversations.jsonl"
    command = [sys.executable, SCRIPTS / "conversations.py", "--spec"]
    command += [json.dumps({"seed": 1, "sources": sources})]
    command += ["--manifests", *manifests, "--documents", part, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = {}
    for line in out.read_text(encoding="utf-8").split("\n")[:-1]:
        one = json.loads(line)
        found.setdefault(one["source"], []).append(one["messages"][-1]["content"])
    assert sorted(found["set"]) == ["Four.", "It is four."]
    assert sorted(found["bot"]) == ["12:30", "1984-05-01", "Yes", "~"]
    assert found["functions"] == [f"````python\n{FENCED.rstrip()}\n````"]
    counts = json.loads((out.parent / "sources.json").read_text())
    assert counts["set"] == {
        "found": 2,
        "taken": 2,
        "left_out": {
            "a tool's call that cannot be read": 1,
            "a lone surrogate": 1,
            "messages without role and text": 2,
            "not a record": 1,
        },
    }
    assert counts["bot"]["left_out"] == {
        "an empty message": 1,
        "messages without role and text": 2,
    }
    assert re.search(r"set: 2 of 2 conversations; 5 left out: 1 a lone surrogate", done.stderr)
