"""A checkout in a folder with blanks, an umlaut, quotes and more in its path: what rules hand to shells."""

import re
import shlex
import subprocess

import pytest
from checkout import call, checkout
from lemur.core.provenance import ROOT
from snake import values

# What a shell, a format string, a glob or a URL would read otherwise, and a plain blank.
NAME = "it's my räume $dir %s*[0]"


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    return checkout(tmp_path_factory.mktemp("odd") / NAME)


def test_every_rules_shell_text_keeps_the_path_whole(odd):
    """The whole of every rule, on one node and on several, as words of a shell."""
    layout = "{device: cuda, nodes: 2, processes_per_node: 2, zero_stage: 1}"
    several = values(
        pretrain__engine="deepspeed", pretrain__micro_batch_sequences=1, pretrain__parallel=layout,
        agents={
            "models": ["gold", "start"], "batch": 1, "precision": "bf16",
            "environments": [{"name": "mint", "feedback": {"model": "start"}}, {"name": "bfcl"}],
        },
    )  # fmt: skip
    targets = ("all", "corpus", "datasheet", "mixture_table", "evaluate", "ro_crate", "provenance")
    targets += ("agents", "export_agents", "replay", "init", "diff", "export", "publish", "adopt")
    targets += ("action_ranking", "results/h200/heldout/conversations.jsonl")
    # What the index leads to beside reports: an earlier mixture of a study, and a model's scores.
    alone = ("results/figures/models/m/foundation.html", "results/ratio-3/mix/table.txt")
    for path in alone:
        (odd / path).parent.mkdir(parents=True)
        (odd / path).touch()
    asked = (
        "recipe=h200",
        "from_records=true",
        "quiet_plan=true",
        "records=my records",
        "name=my own",
        several,
        "before=mini",
        "after=my runs/of mine",
        "of=their model",
        "as=pretrain",
        "to=hub",
        "repository=me/mine",
    )
    done = call(odd, "-n", "-p", *targets, "--config", *asked)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    smallest = odd / "config" / "studies" / "smallest.yaml"
    early = "checkpoints: {shares: [1/2], measures: [actions]}\n"
    smallest.with_name("early.yaml").write_text(smallest.read_text() + early)
    study = call(
        odd, "-n", "-p", "study", "study_so_far", "--config", "study=early", "quiet_plan=true"
    )
    assert study.returncode == 0, study.stderr[-3000:]
    printed = done.stdout + study.stdout
    shown = {line.rstrip(":").split()[-1] for line in printed.splitlines()
             if re.match(r"(local)?rule \w+:$", line)}  # fmt: skip
    with_shell = {
        block.split(":")[0]
        for path in (odd / "rules").glob("*.smk")
        for block in re.split(r"^rule ", path.read_text(), flags=re.M)[1:]
        if "\n    shell:" in block
    }
    assert with_shell <= shown, with_shell - shown
    commands = re.findall(r"^Shell command: (.*)$", printed, re.M)
    assert len(commands) > 100
    assert f" --tables {' '.join(alone)} --out results/index.html" in done.stdout
    for command in commands:
        for word in shlex.split(command.replace("2> >(", "").removesuffix(" >&2)")):
            if any(piece in word for piece in ("räume", "$dir", "it's", "%s")):
                assert str(odd) in word, f"{word!r} of {command}"


def test_a_rule_runs_there(odd):
    """The real Snakemake, bash, env-run and script; the report of a rule's log too."""
    figure = "results/figures/paper/foundation_table.html"
    done = call(odd, "--cores", "1", figure)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (odd / figure).is_file() and (odd / f"{figure}.prov.json").is_file()


def test_make_finds_a_python_there(odd):
    """A copy has what `make` reads before anything is built: which Pythons pyproject.toml admits."""
    done = subprocess.run(["workflow/find-python"], cwd=odd, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("python3"), done.stderr


@pytest.mark.parametrize("character, reason", [
    ("{", "wildcard"), ("}", "wildcard"), (":", "between colons"), ("\n", "one name a line"),
])  # fmt: skip
def test_what_cannot_be_quoted_is_refused_in_one_line(tmp_path, character, reason):
    folder = tmp_path / f"a{character}b"
    folder.mkdir()
    for name in ("workflow", "Snakefile", "rules", "envs", ".envs", "config", "scripts", "reports"):
        (folder / name).symlink_to(ROOT / name)
    # A linked checkout is found where it lies; the folder of the run is the odd one.
    done = call(folder, "--cores", "1", "paper_figures")
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode and len(said) == 1 and reason in said[0], done.stderr
    assert "Traceback" not in done.stderr and not (folder / "results").exists()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_smoke_runs_whole_in_a_folder_with_a_blank_and_an_umlaut(tmp_path):
    folder = checkout(tmp_path / "my räume dir")
    done = subprocess.run(["make", "smoke"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert (folder / "results" / "smoke" / "sft" / "DONE.json").is_file()
