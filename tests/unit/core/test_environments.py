"""The locks, and workflow/env-run's refusal of an environment that no lock describes."""

import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest
from lemur.core.provenance import ROOT
from packaging.requirements import Requirement

NAMES = ("workflow", "data", "train", "evaluate", "figures", "inspect")
# Those that are built when they are named.
MORE = ("vllm", "session", "bench-evaluate", "alfworld", "robocodegen", "bfcl", "web", "export")
LOCKED = (*NAMES, *MORE)
LOCKS = [ROOT / "envs" / name / f"{variant}.lock" for name in LOCKED for variant in ("cpu", "cuda")]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_package_is_pinned_and_hashed(lock):
    text = lock.read_text()
    assert "://" not in text, "a lock names no index's host"
    blocks = re.split(r"\n(?=\S)", text.strip())
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("name", LOCKED)
def test_locks_pin_what_is_asked_for(name):
    """Each requirement stands in both locks, so that a forgotten `make lock` is noticed."""
    lines = (ROOT / "envs" / name / "requirements.in").read_text().splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    for variant in ("cpu", "cuda"):
        text = (ROOT / "envs" / name / f"{variant}.lock").read_text()
        pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.M)
        for item in map(Requirement, wanted):
            found = [version.split("+")[0] for package, version in pinned if package == item.name]
            assert found, f"{item.name} is not in {name}/{variant}.lock: make lock"
            assert any(item.specifier.contains(version) for version in found), item


def pythons(text):
    """(oldest, too new) minor versions that pyproject.toml names."""
    found = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', text, re.M)
    return int(found.group(1)), int(found.group(2))


LOW, HIGH = pythons((ROOT / "pyproject.toml").read_text())
EVERY_LOCK = sorted((ROOT / "envs").rglob("*.lock"))


@pytest.mark.parametrize("lock", EVERY_LOCK, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_lock_is_for_the_pythons_that_are_claimed(lock):
    """Those of pyproject.toml, or of the folder's own where newer ones have no wheels."""
    project = lock.parent / "pyproject.toml"
    text = (project if project.exists() else ROOT / "pyproject.toml").read_text()
    claimed = re.search(r"^environments = .*python_full_version < '3\.(\d+)'", text, re.M).group(1)
    assert project.exists() or int(claimed) == HIGH
    ends = {
        int(minor) for minor in re.findall(r"python_full_version < '3\.(\d+)'", lock.read_text())
    }
    assert max(ends) == int(claimed)


def test_the_page_says_for_which_pythons():
    assert f"Python 3.{LOW} to 3.{HIGH - 1}" in (ROOT / "README.md").read_text()


@pytest.fixture
def found(tmp_path):
    """What find-python prints where only the given interpreters are on PATH."""

    def call(versions, *arguments):
        for name in ("bash", "sed", "seq", "readlink", "dirname"):
            (tmp_path / name).symlink_to(shutil.which(name))
        for name, minor in versions.items():
            program = tmp_path / name
            asked = f"import sys; sys.version_info = (3, {minor}, 0); "
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -IS -c "{asked}$2"\n')
            program.chmod(0o755)
        command = [str(ROOT / "workflow" / "find-python"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path)})

    return call


@pytest.mark.parametrize(("versions", "arguments", "chosen"), [
    ({"python3": LOW}, (), "python3"),
    ({"python3": HIGH - 1}, (), "python3"),
    ({"python3": HIGH, f"python3.{LOW}": LOW}, (), f"python3.{LOW}"),
    ({"python3": LOW - 1, "python3.13": 13}, (), "python3.13"),
    ({"python3": 13, "python3.12": 12}, ("3.13",), "python3.12"),
])  # fmt: skip
def test_the_interpreter_is_one_that_the_locks_are_for(found, versions, arguments, chosen):
    assert found(versions, *arguments).stdout == f"{chosen}\n"


@pytest.mark.parametrize("versions", [{}, {"python3": LOW - 1}, {"python3": HIGH}])
def test_no_interpreter_is_one_line(found, versions):
    done = found(versions)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: no Python 3.{LOW} to 3.{HIGH - 1} on PATH (")
    assert done.stderr.count("\n") == 1


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_every_package_of_every_environment_imports(name):
    command = [
        str(ROOT / "workflow" / "env-run"),
        name,
        "python",
        str(ROOT / "tests" / "import_all.py"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def copy(tmp_path):
    """A checkout with one environment, built from the lock that stands in it."""
    (tmp_path / "workflow").mkdir()
    shutil.copy(ROOT / "workflow" / "env-run", tmp_path / "workflow")
    (tmp_path / "envs" / "data").mkdir(parents=True)
    lock = tmp_path / "envs" / "data" / "cpu.lock"
    lock.write_text("x==1\n")
    built = tmp_path / ".envs" / "data"
    built.mkdir(parents=True)
    built.joinpath("lock.stamp").write_text(
        f"cpu {hashlib.sha256(b'x==1' + bytes([10])).hexdigest()} 3.11\n"
    )
    return tmp_path


def run(copy, *arguments):
    return subprocess.run(
        [str(copy / "workflow" / "env-run"), *arguments], capture_output=True, text=True
    )


def test_env_run_runs(copy):
    assert run(copy, "data", "echo", "hello").stdout == "hello\n"


def test_env_run_refuses_a_changed_lock(copy):
    (copy / "envs" / "data" / "cpu.lock").write_text("x==2\n")
    done = run(copy, "data", "echo", "hello")
    assert done.returncode == 2 and done.stdout == ""
    assert "built from another envs/data/cpu.lock: workflow/env-build data" in done.stderr


def test_env_run_refuses_what_is_not_there(copy):
    done = run(copy, "dat", "true")
    assert done.returncode == 2 and "no environment 'dat': allowed are data" in done.stderr
    shutil.rmtree(copy / ".envs" / "data")
    assert "'data' is not built: workflow/env-build data" in run(copy, "data", "true").stderr


@pytest.fixture
def clients(copy):
    """A checkout whose `snakemake` prints which configuration SLURM's clients would read."""
    program = copy / ".envs" / "data" / "bin" / "snakemake"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho conf=$SLURM_CONF\n")
    program.chmod(0o755)

    def call(*arguments, **variables):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SNAKEMAKE_"))}
        return subprocess.run(
            [str(copy / "workflow" / "env-run"), "data", "snakemake", *arguments],
            capture_output=True, text=True, env={**kept, **variables},
        ).stdout.strip()  # fmt: skip

    return call


def test_local_use_waits_for_no_slurm_controller(clients):
    assert clients("-n") == "conf=/dev/null"
    assert clients("--cores", "2", "--config", "recipe=smoke") == "conf=/dev/null"


@pytest.mark.parametrize("arguments", [
    ["--profile", "slurm"], ["--profile=slurm"], ["--workflow-profile", "site"],
    ["--executor", "slurm"], ["--cores", "2", "-e", "slurm"], ["--executor=slurm-jobstep"],
])  # fmt: skip
def test_what_may_be_a_cluster_run_reads_the_sites_configuration(clients, arguments):
    assert clients(*arguments) == "conf="


def test_a_named_configuration_and_an_allocation_stay_as_they_are(clients):
    assert clients("-n", SLURM_CONF="/site/slurm.conf") == "conf=/site/slurm.conf"
    assert clients("-n", SLURM_JOB_ID="7") == "conf="
    assert clients("-n", SNAKEMAKE_PROFILE="slurm") == "conf="


@pytest.mark.environments
@pytest.mark.parametrize("call", ["workflow/env-run workflow snakemake --help",
                                  "source .envs/workflow/bin/activate; snakemake --help"])  # fmt: skip
def test_the_real_snakemake_asks_no_controller(call, tmp_path):
    """Its plugin calls scontrol at every start where it finds SLURM's clients; with an empty
    configuration that returns at once. The clients are made here, whatever the machine has."""
    for name in ("scontrol", "sinfo", "sacct", "sacctmgr", "sbatch", "squeue", "srun", "scancel"):
        fake = tmp_path / name
        fake.write_text(f'#!/bin/sh\necho "conf=$SLURM_CONF" >>"{tmp_path}/asked"\nexit 1\n')
        fake.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SNAKEMAKE_"))}
    subprocess.run(
        ["bash", "-c", call], cwd=ROOT,
        check=True, capture_output=True, env={**kept, "PATH": f"{tmp_path}:{kept['PATH']}"},
    )  # fmt: skip
    assert set((tmp_path / "asked").read_text().split()) == {"conf=/dev/null"}


def test_the_environment_of_snakemake_finds_the_plugin_of_its_own_checkout(tmp_path):
    """Also one that lies in another checkout and is linked to: each finds its own."""
    loader = importlib.machinery.SourceFileLoader("env_build", str(ROOT / "workflow" / "env-build"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("env_build", loader))
    loader.exec_module(module)
    built, linked = tmp_path / "built", tmp_path / "linked"
    home = built / ".envs" / "workflow"
    (home / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "bin" / "snakemake").touch()
    module.with_this_checkout(home)
    linked.mkdir()
    (linked / ".envs").symlink_to(built / ".envs")
    for checkout in (built, linked):
        (checkout / "workflow").mkdir()
        packages = checkout / ".envs" / "workflow" / "lib" / "python3.11" / "site-packages"
        code = f"import site, sys; site.addsitedir({str(packages)!r}); print(sys.path[-1])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip() == str(checkout / "workflow")
