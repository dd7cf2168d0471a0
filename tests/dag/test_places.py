"""Homes, checkouts and readers that are not there, or may not be written: it works, or is one line."""

import re
import subprocess

import pytest
from checkout import checkout
from lemur.core.provenance import ROOT

FIGURE = "results/figures/paper/overview.svg"


def bash(folder, script):
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)


def test_a_home_that_cannot_be_made_and_a_reader_that_leaves(tmp_path):
    """`/dev/null/x` can be made by nobody, not even root."""
    folder = checkout(tmp_path / "lemur")
    run = "HOME=/dev/null/x workflow/env-run workflow snakemake"
    done = bash(folder, f"set -o pipefail; {run} -n -p --config quiet_plan=true | head -1")
    assert "Traceback" not in done.stderr and "Error" not in done.stderr, done.stderr
    assert len(done.stdout.splitlines()) == 1
    done = bash(folder, f"{run} --cores 1 {FIGURE}")
    assert done.returncode == 0 and "Matplotlib" not in done.stderr, done.stderr
    assert (folder / FIGURE).is_file()


def test_a_snakemake_that_does_not_find_this_projects_plugin(tmp_path):
    """One of the user's own, or of an environment that an earlier version built: no PYTHONPATH, and with
    -S no .pth file, leads to the package before the Snakefile does."""
    folder = checkout(tmp_path / "lemur")
    python = ROOT / ".envs" / "workflow" / "bin" / "python"
    (packages,) = python.parent.parent.glob("lib/python3.*/site-packages")
    program = (
        f"import sys; sys.path.append({str(packages)!r}); sys.argv[0] = 'snakemake'\n"
        "from snakemake.cli import main; main()"
    )

    def run(*words):
        return subprocess.run(
            [python, "-S", "-c", program, *words], cwd=folder, capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SLURM_CONF": "/dev/null"},
        )  # fmt: skip

    done = run("-n")
    assert done.returncode == 0 and "Job stats:" in done.stdout, done.stderr
    done = run("--cores", "1", FIGURE)
    assert done.returncode == 0 and (folder / FIGURE).is_file(), done.stderr
    assert re.search(r"^\[0/1 jobs, about \w+ left\] paper_figure overview.svg$", done.stderr, re.M)
    assert "rule paper_figure:" not in done.stderr
    assert "rule paper_figure:" in (folder / "logs" / "run.log").read_text()


@pytest.mark.parametrize("command", [
    "python -m lemur.config --recipe mini", "python -m lemur.config --recipe mini plan",
    "python scripts/4_pretrain/plan.py",
])  # fmt: skip
def test_what_is_printed_may_be_read_in_part(command):
    done = bash(
        ROOT, f"workflow/env-run workflow {command} | (read -r line; sleep 0.1; echo $line)"
    )
    assert done.stdout.strip() and not done.stderr, done.stderr


def test_a_read_only_checkout(tmp_path):
    """A run in it is refused; one with its results elsewhere works, and so does what only prints."""
    folder = checkout(tmp_path / "lemur")
    out = tmp_path / "out"
    locked = f"mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}' && cd '{folder}' && "
    unshared = ["unshare", "--mount", "bash", "-c"]
    if subprocess.run([*unshared, locked + "true"], capture_output=True).returncode:
        pytest.skip("root: unshare --mount is refused")

    def run(command):
        return subprocess.run([*unshared, locked + command], capture_output=True, text=True)

    snakemake = "workflow/env-run workflow snakemake --cores 1"
    for command in (f"{snakemake} -n", f"{snakemake} {FIGURE}"):  # fmt: skip
        done = run(command)
        assert done.returncode and "Traceback" not in done.stderr, done.stderr
        assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
    done = run(f"{snakemake} --directory '{out}' {FIGURE}")
    assert done.returncode == 0 and (out / FIGURE).is_file(), done.stderr
    done = run("workflow/env-run workflow python scripts/4_pretrain/plan.py")
    assert done.returncode == 0 and not done.stderr
