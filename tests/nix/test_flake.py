"""All of flake.nix that can be checked without nixpkgs: parse, lock, and outputs against a stub."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lemur.core.provenance import ROOT

pytestmark = pytest.mark.timeout(120)

SYSTEM = "x86_64-linux"
STUB = Path(__file__).parent / "nixpkgs"
ENVIRONMENTS = sorted(path.parent.name for path in (ROOT / "envs").glob("*/cpu.lock"))
# Verified where nixpkgs could be reached: nixos-26.05 of 14 August 2026.
PIN = {
    "lastModified": 1786711500,
    "narHash": "sha256-QvnceIGTBeDvDd9oCn+GvdsnkquliuwbVgpiRH68qaQ=",
    "owner": "NixOS",
    "repo": "nixpkgs",
    "rev": "02e08985a27c65ffd33d434eeb2e660a2e4dc84d",
    "type": "github",
}


# The sets of Python packages that nixpkgs 26.05 builds: NixOS/nixpkgs #354627 (3.13 for 3.11, for
# 25.05) and #462746 (3.14 for 3.12, for 26.05), both merged. Of another one numpy would be compiled.
BUILT = ("python313", "python314")


class Nix:
    """Nix with a store of its own and no network, on a copy of what the flake reads."""

    def __init__(self, folder: Path):
        if not shutil.which("nix"):
            pytest.skip("nix: not installed (Debian: nix-bin)")
        self.flake = folder / "flake"
        self.flake.mkdir()
        for name in ("flake.nix", "flake.lock", "Makefile"):
            shutil.copy(ROOT / name, self.flake)
        for name in ENVIRONMENTS:
            (self.flake / "envs" / name).mkdir(parents=True)
            shutil.copy(ROOT / "envs" / name / "cpu.lock", self.flake / "envs" / name)
        self.variables = {
            **os.environ,
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "NIX_STORE_DIR": str(folder / "store"),
            "NIX_STATE_DIR": str(folder / "state"),
            "NIX_LOG_DIR": str(folder / "log"),
            "NIX_CONF_DIR": str(folder / "conf"),
            "NIX_CONFIG": "experimental-features = nix-command flakes\nbuild-users-group =\n"
            "substituters =\nflake-registry =\nsandbox = false\n",
        }

    def run(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, cwd=self.flake, env=self.variables, capture_output=True, text=True
        )

    def check(self) -> subprocess.CompletedProcess:
        """`nix flake check` of everything but building, with the stub for nixpkgs."""
        return self.run("nix", "flake", "check", "--no-build", f"path:{self.flake}", *self.stub())

    def stub(self) -> list[str]:
        return ["--override-input", "nixpkgs", f"path:{STUB}"]

    def value(self, attribute: str, apply: str) -> object:
        """What ``apply``, a function, gives of an output."""
        done = self.run(
            "nix",
            "eval",
            "--json",
            f"path:{self.flake}#{attribute}",
            "--apply",
            apply,
            *self.stub(),
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def change(self, name: str, old: str, new: str) -> None:
        path = self.flake / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def nix(tmp_path):
    return Nix(tmp_path)


def test_it_parses_and_one_bracket_less_does_not(nix):
    assert nix.run("nix-instantiate", "--parse", "flake.nix").returncode == 0
    text = (nix.flake / "flake.nix").read_text()
    (nix.flake / "flake.nix").write_text(text.rstrip().removesuffix("}"))
    assert "syntax error" in nix.run("nix-instantiate", "--parse", "flake.nix").stderr


def test_the_lock_is_complete_and_pins_what_was_verified(nix):
    before = (nix.flake / "flake.lock").read_bytes()
    done = nix.run(
        "nix", "flake", "metadata", "--json", "--no-update-lock-file", f"path:{nix.flake}"
    )
    assert done.returncode == 0, done.stderr
    locks = json.loads(done.stdout)["locks"]
    assert locks["nodes"]["nixpkgs"]["locked"] == PIN
    assert set(locks["nodes"]) == {"root", "nixpkgs"}
    assert (nix.flake / "flake.lock").read_bytes() == before


@pytest.mark.parametrize("old, new", [
    ('"nixpkgs": "nixpkgs"', ""),
    ('"ref": "nixos-26.05"', '"ref": "nixos-25.11"'),
])  # fmt: skip
def test_an_input_that_the_lock_lacks_is_refused(nix, old, new):
    nix.change("flake.lock", old, new)
    done = nix.run("nix", "flake", "metadata", "--no-update-lock-file", f"path:{nix.flake}")
    assert done.returncode != 0
    assert re.search("requires lock file changes|unable to download|Could not resolve", done.stderr)


def test_a_malformed_hash_is_refused(nix):
    nix.change("flake.lock", PIN["narHash"], PIN["narHash"][:-9])
    done = nix.run("nix", "flake", "metadata", "--no-update-lock-file", f"path:{nix.flake}")
    assert done.returncode != 0 and "hash" in done.stderr


def test_every_output_evaluates(nix):
    done = nix.check()
    assert done.returncode == 0, done.stderr
    shown = nix.run("nix", "flake", "show", "--json", f"path:{nix.flake}", *nix.stub())
    outputs = json.loads(shown.stdout)
    assert set(outputs) == {"apps", "checks", "devShells", "packages"}
    assert set(outputs["packages"][SYSTEM]) == {"default", "image"}
    assert set(outputs["checks"][SYSTEM]) == {"offline", "tools"}


@pytest.mark.parametrize("old, new, said", [
    ("bubblewrap", "bublewrap", "undefined variable 'bublewrap'"),
    ("pkgs.makeFontsConf", "pkgs.makeFontConf", "attribute 'makeFontConf' missing"),
    ("runtimeInputs = tools", "runtimeInput = tools", "without required argument 'runtimeInputs'"),
    ("packages = tools", "package = tools", "without required argument 'packages'"),
])  # fmt: skip
def test_a_misspelt_name_is_seen(nix, old, new, said):
    nix.change("flake.nix", old, new)
    done = nix.check()
    assert done.returncode != 0 and said in done.stderr, done.stderr


def test_every_environment_is_exposed(nix):
    names = nix.value(f"apps.{SYSTEM}", "builtins.attrNames")
    assert sorted(names) == sorted(["default", *ENVIRONMENTS])
    for name in ENVIRONMENTS:
        program = nix.value(f"apps.{SYSTEM}.{name}", "app: app.program")
        assert program.endswith(f"/bin/lemur-{name}")


def test_the_shell_has_every_tool_and_a_font(nix):
    tools = nix.value(f"devShells.{SYSTEM}.default", "shell: map (one: one.name) shell.packages")
    assert {BUILT[0], "gcc", "slurm", "bubblewrap", "git"} <= set(tools)
    fonts = nix.value(f"devShells.{SYSTEM}.default", "shell: shell.FONTCONFIG_FILE.fonts")
    assert len(fonts) == 1 and fonts[0].endswith("dejavu_fonts")


def test_its_interpreter_is_one_that_nixpkgs_builds_and_the_locks_cover(nix):
    named = set(re.findall(r"\bpython3\d+", (nix.flake / "flake.nix").read_text()))
    assert len(named) == 1 and named <= set(BUILT)
    minor = int(named.pop().removeprefix("python3"))
    project = (ROOT / "pyproject.toml").read_text()
    low, high = map(int, re.search(r'python = ">=3\.(\d+),<3\.(\d+)"', project).groups())
    assert low <= minor < high
    script = nix.value(f"checks.{SYSTEM}.tools", "check: check.text")
    assert f"sys.version_info[:2] == (3, {minor})" in script
    for name in ENVIRONMENTS:  # what is exposed can be built with it, or says so by its own range
        lock = (ROOT / "envs" / name / "cpu.lock").read_text()
        limit = max(map(int, re.findall(r"python_full_version < '3\.(\d+)'", lock)))
        assert minor < limit or (ROOT / "envs" / name / "pyproject.toml").exists()


def test_run_is_make_mini_and_check_runs_the_offline_tests(nix):
    text = nix.value(f"packages.{SYSTEM}.default", "package: package.text")
    assert 'exec make "${@:-mini}"' in text
    text = nix.value(f"checks.{SYSTEM}.offline", "check: check.text")
    assert ".ci/offline" in text and (ROOT / ".ci" / "offline").exists()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_offline_tests_pass_without_network_and_environments(tmp_path):
    """As the flake's check runs them: a bare copy, an interpreter with pytest, no way out."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("root: unshare -n is refused")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0")[:-1]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name, follow_symlinks=False)
    done = subprocess.run(
        ["unshare", "-n", str(tmp_path / ".ci" / "offline")],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 150


def test_the_image_is_the_workflows_container():
    """Named once, by the file that `nix build .#image` leaves."""
    lines = [
        line
        for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk"))
        for line in path.read_text().splitlines()
        if line.strip().startswith("container:")
    ]
    assert lines == ['container: "docker-archive:result"']
