import ast
import io
import json
import tarfile

import pytest
from lemur.errors import UserError
from lemur.mix.documents import shards
from lemur.sft import chats, docstrings, eg, instructions
from made_corpus import document, write_part

FUNCTION = '''import math

def area(radius: float, *, scale=1) -> float:
    """Area of a circle of the given radius, times a scale.

    >>> area(0)
    0.0
    """
    square = radius ** 2
    return math.pi * square * scale


def _private(x):
    """A docstring that is long enough to be taken as an instruction."""
    y = x
    return y


def nothing(x):
    """A docstring that is long enough to be taken as an instruction."""
    raise NotImplementedError


@property
def decorated(x):
    """A docstring that is long enough to be taken as an instruction."""
    y = x
    return y


def one_line(x): "A docstring that is long enough to be taken as an instruction."; return x
'''


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


def test_a_docstring_gives_its_whole_function():
    ((docstring, signature, function),) = docstrings.functions(FUNCTION)
    assert docstring.startswith("Area of a circle") and docstring.endswith("0.0")
    assert signature == "def area(radius: float, *, scale=1) -> float:"
    assert function.startswith(signature + '\n    """Area of a circle')
    assert "square = radius ** 2" in function
    (node,) = ast.parse(function).body
    assert ast.get_docstring(node).startswith("Area of a circle") and len(node.body) == 3


@pytest.mark.parametrize("text", ["def f(:", "x = '\x00'", "(" * 5000, ""])
def test_text_that_does_not_parse_gives_nothing(text):
    assert list(docstrings.functions(text)) == []


def test_no_heldout_and_no_dropped_document_becomes_an_instruction(tmp_path):
    rows = [
        document(FUNCTION.replace("area", f"area{k}"), heldout=k == 1, language=language)
        for k, language in enumerate(["python", "python", "python", "Python", "sql"])
    ]
    write_part(tmp_path, "s", rows)
    found = shards(tmp_path.glob("*/*.parquet"))

    def names(dropped, enough=100):
        made = docstrings.conversations(found, dropped, 1, enough)
        return sorted(one[1]["content"].split("def ")[1].split("(")[0] for one in made)

    assert names({}) == ["area0", "area2", "area3"]
    assert names({"s": {(0, 2)}, "t": {(0, 0)}}) == ["area0", "area3"]
    assert len(names({}, 1)) < 3  # enough is enough


def test_chitchat_joins_a_senders_utterances_and_ends_with_the_assistant(tmp_path):
    def turn(sender, *texts):
        return [{"text": text, "sender": sender} for text in texts]

    table = {
        "b": {"messages": [turn("x", "Hi", "there"), turn("y", "Hello"), turn("x", "Bye")]},
        "a": {"messages": [turn("x", "mail me: me@example.org"), turn("y", "ok")]},
        "c": {"messages": [turn("x", "alone")]},
    }
    path = manifest(tmp_path, "chitchat", {"chitchat_dataset/dataset.json": json.dumps(table)})
    assert list(chats.chitchat(path)) == [
        [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Hello"}]
    ]
    wrong = manifest(tmp_path / "w", "chitchat", {"chitchat_dataset/dataset.json": "[1]"})
    with pytest.raises(UserError, match="is not chitchat-dataset's"):
        list(chats.chitchat(wrong))


def test_chatterbot_takes_the_first_answer_in_english(tmp_path):
    files = {
        "c/data/english/ai.yml": "conversations:\n- - What is AI?\n  - A field.\n  - Mine.\n- - Odd\n",
        "c/data/german/ai.yml": "conversations:\n- - Was?\n  - Das.\n",
    }
    path = manifest(tmp_path, "chatterbot", files)
    assert list(chats.chatterbot(path)) == [
        [{"role": "user", "content": "What is AI?"}, {"role": "assistant", "content": "A field."}]
    ]


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
        ({"instruction": "q", "response": " "}, None),
        ({"messages": [{"role": "user", "content": "q"}]}, None),
        ({"messages": [{"role": "tool", "content": "q"}]}, None),
        ({"text": "q"}, None),
    ],
)
def test_shapes_of_instruction_sets(record, said):
    made = instructions.messages_of(record)
    assert (None if made is None else "".join(one["content"] for one in made)) == said
    if made:
        assert made[-1]["role"] == "assistant"


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
    ]
    lines = "\n".join(json.dumps(one) for one in records)
    path = manifest(tmp_path, "oasst", {"trees.jsonl": lines})
    (made,) = instructions.conversations(path)
    assert [one["content"] for one in made] == ["q", "better"]


def test_a_set_of_no_known_shape_names_its_fields(tmp_path):
    path = manifest(tmp_path, "odd", {"x.jsonl": '{"body": "b", "author": "a"}\n'})
    with pytest.raises(UserError, match=r"none of 1 records .*author, body"):
        list(instructions.conversations(path))
