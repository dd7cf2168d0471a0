"""python -m lemur.config and scripts/4_pretrain/plan.py."""

import json
import subprocess
import sys

import pytest
from lemur.core.provenance import ROOT


def run(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "workflow"), "PATH": ""},
    )  # fmt: skip


def test_a_recipe_is_printed_resolved_and_a_stage_is_its_spec():
    made = json.loads(run("-m", "lemur.config", "--recipe", "smoke").stdout)
    assert made["name"] == "smoke" and made["base"]["architecture"]["layers"] >= 1
    done = run("-m", "lemur.config", "--recipe", "smoke", "--set", "seed=7", "train", "sft")
    assert json.loads(done.stdout)["seed"] == 7 and json.loads(done.stdout)["stage"] == "sft"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "smokey"), "error: no recipe 'smokey' in config/recipes; did you mean 'smoke'?"),
        (("--set", "seed"), "error: --set seed: write KEY=VALUE"),
        (("--set", "seed=[1"), "error: --set seed=[1: the value is not valid YAML"),
        (("tokenise",), "error: no stage 'tokenise'; did you mean 'tokenize'?"),
        (("clean",), "error: stage 'clean' takes SOURCE"),
        (("clean", "nosuch"), "error: stage 'clean': the recipe has no 'nosuch'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_a_code(arguments, message):
    done = run("-m", "lemur.config", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


def test_the_plan_as_lines_as_data_and_as_a_refusal():
    script = str(ROOT / "scripts" / "4_pretrain" / "plan.py")
    done = run(script, "--recipe", "lemur-70b")
    assert done.returncode == 0 and "68,976,648,192 parameters" in done.stdout
    made = json.loads(run(script, "--recipe", "lemur-70b", "--json").stdout)
    assert made["parameters"]["total"] == 68_976_648_192
    done = run(script, "--recipe", "lemur-70b", "--set", "pretrain.parallel.nodes=1")
    assert done.returncode == 2
    assert "the nearest that fits is pretrain.parallel.nodes: " in done.stderr
