"""Every command that README.md, config/README.md and the pages of docs/ show, taken from the page.

Each is read by the program that it names, in `make test`; those that can be are run or dry-run in a
checkout of their own, in `make test-long`. A page with a command that nothing here knows fails.
"""

import json
import os
import re
import shlex
import subprocess

import pytest
from checkout import checkout
from commands import shown
from lemur.config import new_project
from lemur.core.provenance import ROOT

PAGES = (ROOT / "README.md", ROOT / "config" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
COMMANDS = list(dict.fromkeys(command for page in PAGES for command in shown(page)))
SNAKEMAKE = [command for command in COMMANDS if command.startswith("snakemake ")]
MAKE = [command for command in COMMANDS if command.startswith("make ")]
# Run as they stand: nothing is downloaded and nothing takes long.
RUN = [command for command in COMMANDS
       if re.match(r"workflow/env-run workflow python (-m lemur\.(config|report\.formats)|scripts/4_pretrain/plan\.py) ", command)]  # fmt: skip
# Too long or too far for a test of commands; where each is tried.
ELSEWHERE = {
    "nix develop": "tests/nix", "nix run": "tests/nix", "nix flake check": "tests/nix",
    "workflow/env-lock": "resolves every lock at the package index",
    "python tests/run.py": "make test", "python tests/run.py --long": "make test-long",
    "python tests/bare.py --suite bookworm trixie": "make test-long",
    "python tests/run.py --long --only slurm": "make test-slurm",
    "python tests/gpu/check.py": "tests/unit/training/test_gpu_check.py",
    "python tests/gpu/check.py --device cpu --tiny": "tests/unit/training/test_gpu_check.py",
    "scontrol release <job>": "SLURM's own",
    "workflow/env-run workflow": "the beginning of a command",
    "source .envs/workflow/bin/activate": "tests/unit/core/test_environments.py",
    "workflow/env-run workflow python -m lemur.report.formats docs/formats.md": "tests/unit/report/test_formats.py",
    "workflow/env-run workflow snakemake --lint --config quiet_plan=true": "make test, the group lint",
    "workflow/env-build": "make envs", "workflow/env-build ds1000": "make test-long",
    "workflow/env-build session robocodegen bfcl": "make test",
}  # fmt: skip
# Of their programs or scripts this much is asked: that they are there and take these options.
HELPED = {
    "workflow/env-run data python scripts/1_corpus/resolve.py --recipe lemur-70b --write":
        "workflow/env-run data python scripts/1_corpus/resolve.py --help",
    "workflow/env-run evaluate python scripts/7_agents/actions.py --spec @play.json --episodes episodes.jsonl --data manifest.json --out actions.jsonl":
        "workflow/env-run evaluate python scripts/7_agents/actions.py --help",
    "workflow/env-run train tensorboard --logdir results": "workflow/env-run train tensorboard --helpfull",
    "workflow/env-run export inspect view --log-dir results/mini-agents/agents":
        "workflow/env-build export && workflow/env-run export inspect view --help",
    "workflow/env-run formats inspect view --log-dir results/mini/export/inspect":
        "workflow/env-build formats && workflow/env-run formats inspect view --help",
    "workflow/env-run formats mlcroissant validate --jsonld results/corpus/mini/croissant.json":
        "workflow/env-build formats && workflow/env-run formats mlcroissant validate --help",
    "workflow/env-run formats trackio show --project lemur":
        "workflow/env-build formats && workflow/env-run formats trackio show --help",
    "workflow/env-run train wandb sync": "workflow/env-run train wandb sync --help",
}  # fmt: skip
# Needs finished files: tests/e2e/test_smoke.py makes it of a whole run.
FINISHED = ("snakemake --report report.html",)


def bash(folder, command):
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "SLURM_CONF": "/dev/null"},
    )  # fmt: skip


def test_every_command_is_one_that_is_tried():
    known = {*SNAKEMAKE, *MAKE, *RUN, *ELSEWHERE, *HELPED}
    assert [command for command in COMMANDS if command not in known] == []
    assert len(COMMANDS) > 50 and len(SNAKEMAKE) > 25 and len(MAKE) > 10


def test_nothing_is_known_that_no_page_shows():
    assert [
        command for command in (*ELSEWHERE, *HELPED, *FINISHED) if command not in COMMANDS
    ] == []


@pytest.fixture(scope="module")
def parser():
    os.environ.setdefault("SLURM_CONF", "/dev/null")
    from snakemake.cli import get_argument_parser

    return get_argument_parser()


@pytest.mark.parametrize("command", SNAKEMAKE)
def test_snakemake_takes_it_as_it_stands(command, parser):
    """With cores where jobs would run here, and with targets where a word is no NAME=VALUE."""
    from snakemake.cli import parse_config

    args = parser.parse_args(shlex.split(command)[1:])
    assert args.cores or args.dryrun or args.profile or args.report, "it lacks --cores"
    config = parse_config(args.config)
    known = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())["properties"]
    assert set(config) <= set(known)


def test_each_target_of_make_is_there():
    """With its settings: `make -n` reads the whole of each."""
    for command in MAKE:
        done = bash(ROOT, command.replace("make ", "make -n ", 1).replace("<stage>", "sft"))
        works = any(part in done.stdout for part in ("env-", "tests/bare.py", "tests/gpu/check.py"))
        assert done.returncode == 0 and works or command == "make help", command


CONFIG = {
    "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4,
    "intermediate_size": 48, "vocab_size": 61, "max_position_embeddings": 4096,
}  # fmt: skip


def model(folder):
    """A folder that holds what a model folder has to."""
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        (folder / name).write_text(json.dumps(CONFIG) if name == "config.json" else "{}")
    (folder / "model.safetensors").write_bytes(b"")


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A checkout with what some commands name."""
    folder = checkout(tmp_path_factory.mktemp("documented") / "lemur")
    model(folder / "path" / "to" / "folder")
    (folder / "path" / "to" / "mine.yaml").write_text("extends: smoke\n")
    new_project.make_project(folder.parent / "mine")
    model(folder.parent / "mine" / "results" / "mine" / "pretrain" / "model")
    drawn = folder / "results" / "figures" / "mini" / "loss.svg"
    drawn.parent.mkdir(parents=True)
    drawn.write_text("<svg/>")
    drawn.with_name("loss.svg.prov.json").write_text("{}")
    return folder


@pytest.mark.long
@pytest.mark.parametrize("command", [command for command in SNAKEMAKE if command not in FINISHED])
def test_it_plans_what_it_says(command, mine):
    done = bash(mine, f"workflow/env-run workflow {command} --dry-run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("command", RUN)
def test_it_runs(command, mine):
    done = bash(mine, command)
    assert done.returncode == 0 and done.stdout.strip() and not done.stderr, done.stderr


@pytest.mark.long
@pytest.mark.parametrize("command, asked", HELPED.items())
def test_its_program_takes_its_options(command, asked, mine):
    done = bash(mine, asked)
    options = re.findall(r" (--[\w-]+)", command)
    assert all(option in done.stdout + done.stderr for option in options), done.stderr[-2000:]
    assert "Usage" in done.stdout or "usage" in done.stdout + done.stderr
