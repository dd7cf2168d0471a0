"""Conversations read by a folder of the user's own."""

import pytest
from as_json import gather
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.sft.conversations import Counts

READER = """
from lemur.data.manifest import read_manifest
from lemur.sft.instructions import Skipped
from lemur.sft.reader import Reader


class READER(Reader):
    def conversations(self, manifest):
        for file in read_manifest(manifest):
            for line in file.path.read_text().splitlines():
                asked, tab, answered = line.partition("|")
                roles = (("user", asked), ("assistant", answered))
                said = [{"role": role, "content": text} for role, text in roles]
                yield said if tab else Skipped("no answer")
"""


def taken(folder, **entry):
    (folder / "said.txt").write_text("hello|good day\nno answer\nand you?|well, thanks\n")
    write_json(folder / "manifest.json", {"name": "mine", "files": [{"path": "said.txt"}]})
    counts: dict[str, Counts] = {}
    spec = {"seed": 1, "sources": [{"name": "mine", "format": "own", "examples": 9, **entry}]}
    lines = list(gather(spec, [folder / "manifest.json"], [], {}, None, counts))
    return lines, counts["mine"]


def test_they_are_taken_and_what_is_left_out_is_counted(tmp_path):
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / "__init__.py").write_text(READER)
    lines, counts = taken(tmp_path, path=str(tmp_path / "reader"))
    assert sorted(line["messages"][0]["content"] for line in lines) == ["and you?", "hello"]
    assert (counts.found, counts.taken, dict(counts.left_out)) == (2, 2, {"no answer": 1})


def test_a_folder_without_a_reader_is_one_line(tmp_path):
    with pytest.raises(UserError, match="sft.sources.mine: format own: its entry names no path"):
        taken(tmp_path)
    with pytest.raises(UserError, match=r"__init__.py: no such file"):
        taken(tmp_path, path=str(tmp_path))
