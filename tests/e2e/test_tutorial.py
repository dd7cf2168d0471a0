"""docs/tutorial.md as a new user would go through it: its commands in its order, in a checkout of one's own.

`make envs` is what every test here has behind it; what makes and plans a project is in
tests/dag/test_new_project.py, which `make test` runs.
"""

import json
import re
import subprocess

import pytest
from checkout import checkout
from commands import shown
from lemur.core.provenance import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]
PAGE = ROOT / "docs" / "tutorial.md"
ACTIVATE = "source .envs/workflow/bin/activate"


def bash(folder, command):
    given = ["bash", "-c", f"{ACTIVATE} && {command}"]
    return subprocess.run(given, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """{command: what it printed} of the whole page, and the project that they made."""
    folder = checkout(tmp_path_factory.mktemp("tutorial") / "lemur")
    commands = [command for command in shown(PAGE) if command not in ("make envs", ACTIVATE) and not command.startswith("make new")]  # fmt: skip
    found = {}
    for command in commands:
        found[command] = bash(folder, command)
        assert found[command].returncode == 0, f"{command}\n{found[command].stderr[-4000:]}"
    return folder, folder.parent / "mine", found


def test_a_model_of_ones_own_documents_comes_out_scored(done):
    _, mine, found = done
    assert (mine / "results" / "mine" / "report.html").is_file()
    assert (mine / "results" / "corpus" / "mine" / "datasheet.md").is_file()
    assert (mine / "results" / "mine" / "pretrain" / "model" / "model.safetensors").is_file()
    for kind in ("code", "text"):
        values = {
            model: json.loads((mine / f"results/mine/evaluate/{model}/bits_per_byte_{kind}/scores.json").read_text())["value"]
            for model in ("start", "pretrained")
        }  # fmt: skip
        assert values["pretrained"] < values["start"], kind
    (table,) = [said.stdout for command, said in found.items() if "snakemake --cores 2 evaluate" in command]  # fmt: skip
    assert "pretrained" in table and "HumanEval" in table.replace("humaneval", "HumanEval")


def test_the_page_shows_what_is_printed(done):
    folder, mine, found = done
    (corpus,) = [said.stdout for command, said in found.items() if "snakemake --cores 2 corpus" in command]  # fmt: skip
    head = re.search(r"^ *corpus mine, cleaned:\n *(source .*)$", PAGE.read_text(), re.M)
    assert head and re.sub(" +", " ", head[1]) in re.sub(" +", " ", corpus)
    note = sorted((mine / "documents" / "text").glob("*.md"))[0]
    note.write_text(note.read_text() + "\nA line more.\n")
    command = next(command for command in found if command.startswith("snakemake -n "))
    said = bash(folder, command)
    line = re.search(r"`(sources/my-text: [^`]*)`", PAGE.read_text())[1].replace(
        "notes.md", note.name
    )
    assert line in said.stderr, said.stderr[-2000:]
    rules = set(re.findall(r"^(?:local)?rule (\w+):$", said.stdout, re.M))
    assert {"download", "clean", "continue_pretraining"} <= rules and "prepare_model" not in rules
    assert not re.search(r"wildcards: .*source=my-code", said.stdout)
