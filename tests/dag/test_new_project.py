"""What `snakemake init` makes is a project that plans as it stands; docs/tutorial.md shows how it goes on."""

import re
import shlex

import pytest
from checkout import call
from lemur.config import new_project, recipe
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT


def test_init_and_a_dry_run_of_what_it_made(tmp_path):
    folder = tmp_path / "mein räume projekt" / "mine"
    folder.parent.mkdir()
    done = call(ROOT, "--cores", "1", "init", "--config", f"name={folder}")
    assert done.returncode == 0, done.stderr
    assert "corpora/mine.yaml, mine.yaml, sources.yaml, and" in done.stdout
    (said,) = re.findall(r"^run it: (snakemake .*)$", done.stdout, re.M)
    before = sorted(folder.rglob("*"))
    done = call(ROOT, *shlex.split(said)[1:], "-n")
    assert done.returncode == 0, done.stderr
    assert "plan of recipe 'mine'" in done.stderr and "results/mine/report.html" in done.stdout
    assert not re.search("^(warning|error)", done.stderr, re.M)
    # A dry run keeps Snakemake's own records and nothing of ours.
    assert sorted(path for path in folder.rglob("*") if ".snakemake" not in path.parts) == before


def test_it_differs_from_mini_where_its_comments_say_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new_project.make_project(tmp_path / "mine")
    made = recipe.resolve(str(tmp_path / "mine" / "mine.yaml"))
    assert made["name"] == made["corpus"]["name"] == "mine" and "agents" not in made
    assert [source["from"] for source in made["corpus"]["sources"]] == [
        {"path": "mine/documents/text"},
        {"path": "mine/documents/code"},
    ]
    for template in new_project.TEMPLATES.rglob("*.yaml"):
        assert template.read_text().count("#") > 5, f"{template} explains nothing"


@pytest.mark.parametrize("name, line", [
    ("", "error: init needs the folder of the new project: --config name=../mine"),
    ("name={}/there", "error: name: {}/there is there already: choose another name"),
    ("name={}/none/mine", "error: name: {}/none/mine: there is no folder {}/none"),
    ("name={}/figures", "error: recipe 'figures': results/figures is taken: another name is needed"),
    ("name={}/a b", "error: recipe 'a b': its name becomes a folder's"),
    ("name={}/x:y/mine", "with ':' in it cannot be worked in"),
])  # fmt: skip
def test_a_name_that_cannot_be_is_one_line(tmp_path, name, line, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "x:y").mkdir()
    line = line.replace("{}", str(tmp_path))
    if name == "name={}/there":
        done = call(ROOT, "--cores", "1", "init", "--config", f"name={tmp_path}/there")
        said = [text for text in done.stderr.splitlines() if not text.startswith("Using ")]
        assert done.returncode and said == [line]
    if not name:
        done = call(ROOT, "--cores", "1", "init")
        assert done.returncode and line in done.stderr and "Traceback" not in done.stderr
        return
    _, _, path = name.replace("{}", str(tmp_path)).partition("=")
    monkeypatch.setattr("sys.argv", ["new_project", path])
    with pytest.raises(UserError) as caught:
        new_project.make_project(new_project.Path(path))
    assert line.removeprefix("error: ") in str(caught.value)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["there", "x:y"]


@pytest.mark.long
def test_make_new(tmp_path):
    import subprocess

    done = subprocess.run(
        ["make", "new", f"NAME={tmp_path}/mine"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and (tmp_path / "mine" / "mine.yaml").is_file(), done.stderr
