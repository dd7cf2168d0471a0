"""lemur.core.command: one line for a user's mistake, provenance beside every output."""

import errno
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from lemur.core import command
from lemur.core.errors import Interrupted, UserError, nearest
from lemur.core.provenance import ROOT

SCRIPT = """
import sys
from lemur.core import command
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.log import logger
from lemur.core.progress import Progress
parser = command.parser("doc")
parser.reads("--input", "copied")
parser.writes("--out", "the copy")
def run(args, spec):
    if spec.get("bad"):
        raise UserError("spec.bad: true is not\\n allowed")
    with Progress("copy", 1, "files") as progress:
        write_text(args.out, args.input.read_text())
        progress.add()
    logger.warning("warning: copied")
command.main(parser, run)
"""


def call(tmp_path, *arguments):
    script = tmp_path / "stage.py"
    script.write_text(SCRIPT)
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "workflow"), "PATH": "/usr/bin:/bin"},
    )


def test_provenance_beside_the_output(tmp_path):
    (tmp_path / "in").write_text("x")
    done = call(tmp_path, "--spec", '{"a": 1}', "--recipe-digest", "d" * 64,
                "--input", tmp_path / "in", "--out", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "out.prov.json").read_text())
    assert made["spec"] == {"a": 1}
    assert made["recipe_digest"] == "d" * 64
    (sha256,) = made["inputs"].values()
    assert sha256 == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert made["output"]["sha256"] == sha256
    assert made["seconds"] >= 0


def test_a_users_mistake_is_one_line(tmp_path):
    (tmp_path / "in").write_text("x")
    done = call(
        tmp_path, "--spec", '{"bad": true}', "--input", tmp_path / "in", "--out", tmp_path / "out"
    )
    assert done.returncode == 2
    assert done.stderr == "error: spec.bad: true is not allowed\n"
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.prov.json").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ([], [r"copy: 1/1 files \(100%\) in 0s", "warning: copied"]),
        (["--quiet"], ["warning: copied"]),
        (
            ["--verbose"],
            [
                r"\d\d:\d\d:\d\d command: --spec {}",
                r"\d\d:\d\d:\d\d progress: copy: 1/1 .*",
                r"\d\d:\d\d:\d\d stage: warning: copied",
                r"\d\d:\d\d:\d\d command: read .*/in",
                r"\d\d:\d\d:\d\d command: wrote .*/out",
            ],
        ),
    ],
)
def test_how_much_is_said(option, said, tmp_path):
    (tmp_path / "in").write_text("x")
    done = call(
        tmp_path, *option, "--spec", "{}", "--input", tmp_path / "in", "--out", tmp_path / "out"
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 0 and len(lines) == len(said), lines
    assert all(map(re.fullmatch, said, lines)), lines


def test_the_package_tells_its_user_things_through_its_logger_alone():
    """The logger plugin of Snakemake is a logger's handler, and writes for it."""
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "workflow" / "lemur").rglob("*.py")
        if "file=sys.stderr" in path.read_text()
    ]
    assert found == ["workflow/lemur/dag/screen.py"]


def test_a_missing_input_is_one_line(tmp_path):
    done = call(tmp_path, "--spec", "{}", "--input", tmp_path / "none", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert "none" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UserError("a: b"), 2, "error: a: b"),
        (Interrupted("saved at step 3"), 75, "error: saved at step 3"),
        (OSError(errno.ENOSPC, "No space", "results/x"), 2, "the disk is full at results/x"),
        (KeyboardInterrupt(), 130, "continues"),
    ],
)
def test_guarded(error, code, text, capsys):
    def fails():
        raise error

    with pytest.raises(SystemExit) as left:
        command.guarded(fails)
    assert left.value.code == code
    shown = capsys.readouterr().err
    assert text in shown and shown.count("\n") == 1


def test_guarded_does_not_hide_a_bug():
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command.guarded(fails)


def test_what_is_read_and_written_is_what_the_options_say(tmp_path, monkeypatch):
    """Of lists each path, of a model its DONE.json, of an output what lies beside it; nothing twice."""
    parser = command.parser("doc")
    group = parser.add_mutually_exclusive_group(required=True)
    parser.reads("--documents", "", nargs="+")
    parser.reads("--benchmarks", "", nargs="*")
    parser.reads("--model", "", files=command.done_of)
    parser.reads("--dropped", "", required=False)
    parser.reads("--episodes", "", group=group)
    parser.writes("--out", "", files=command.and_beside("b.json", "model"))
    parser.writes("--table", "", files=command.and_suffixes(".csv"), required=False)
    parser.writes("--rank", "", files=command.by_first_rank(command.itself), default=Path("r"))
    given = shlex.split("--spec {} --documents d e d --model m/model --out x/a.json")
    args = parser.parse_args([*given, "--episodes", "p", "--table", "t.html"])
    assert list(map(str, parser.inputs(args))) == ["d", "e", "m/DONE.json", "p"]
    written = ["x/a.json", "x/b.json", "x/model", "t.html", "t.csv"]
    assert list(map(str, parser.outputs(args))) == [*written, "r"]
    monkeypatch.setenv("RANK", "1")
    assert list(map(str, parser.outputs(args))) == written
    for missing in ("--documents", "--model", "--out"):
        at = given.index(missing)
        with pytest.raises(SystemExit):
            parser.parse_args([*given[:at], *given[at + 2 :], "--episodes", "p"])


def test_nearest_names_what_is_meant_and_allowed():
    assert nearest("lerning_rate", ["learning_rate", "clip"]) == (
        "; did you mean 'learning_rate'? (allowed: clip, learning_rate)"
    )
    assert "did you mean" not in nearest("zzz", ["learning_rate"])
