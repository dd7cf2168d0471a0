"""A cluster for the tests of this folder, started once and stopped with them."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from lemur.files import sha256_of
from lemur.provenance import ROOT
from snake import snakemake
from training_job import DONE, RECIPE, WEIGHTS, Training

SCRIPT = Path(__file__).parent / "cluster"
# Snakemake asks for a job's state after this many seconds, then ten later, and so on.
FIRST_LOOK = 4


class Cluster:
    """The running test cluster, and Snakemake on it."""

    def __init__(self, home: Path):
        self.home = home
        port = 20_000 + os.getpid() % 20_000  # daemons of another test run may be there
        self.variables = {
            **os.environ,
            "LEMUR_SLURM_HOME": str(home),
            "LEMUR_SLURM_PORT": str(port),
            "SLURM_CONF": str(home / "etc" / "slurm.conf"),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        }

    def control(self, what: str, *arguments: str) -> subprocess.CompletedProcess:
        # Files, not pipes: the daemons keep what they are given open.
        with open(self.home / f"{what}.err", "w+") as said:
            done = subprocess.run(
                [str(SCRIPT), what, *arguments],
                env=self.variables,
                stdout=said,
                stderr=said,
                check=False,
            )
            said.seek(0)
            done.stderr = said.read()
        return done

    def client(self, *command: str) -> str:
        """What a SLURM client prints; it must succeed."""
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def start(self, folder: Path, *arguments: str) -> subprocess.Popen:
        """``snakemake --profile slurm`` in ``folder``; its output goes to folder/run.log."""
        command = [
            str(ROOT / "workflow" / "env-run"), "workflow", "snakemake",
            "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder),
            "--profile", str(ROOT / "workflow" / "profiles" / "slurm"),
            "--slurm-status-command", "squeue",
            "--slurm-init-seconds-before-status-checks", str(FIRST_LOOK),
            "--latency-wait", "5", *arguments,
        ]  # fmt: skip
        with open(folder / "run.log", "a") as log:
            return subprocess.Popen(
                command, cwd=folder, env=self.variables, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def snakemake(self, folder: Path, *arguments: str, seconds: float = 900) -> None:
        """Run it to its end; it must succeed."""
        process = self.start(folder, *arguments)
        try:
            code = process.wait(timeout=seconds)
        finally:
            if process.poll() is None:
                process.kill()
        assert code == 0, (folder / "run.log").read_text()[-6000:]

    def jobs(self, states: str = "RUNNING") -> list[tuple[str, str]]:
        """(job id, node list) of the jobs in the given states."""
        shown = self.client("squeue", "-h", "-t", states, "-o", "%A %N").splitlines()
        return [tuple((line + " ").split(" ")[:2]) for line in shown]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if os.geteuid() or not Path("/etc/debian_version").exists():
        pytest.skip("root: a test cluster needs root on Debian")
    made = Cluster(tmp_path_factory.mktemp("slurm"))
    # A test run that is told to end must not leave daemons behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = made.control("start")
    if done.returncode == 3:
        pytest.skip(f"root: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    yield made
    stopped = made.control("stop")
    end_orphans(made.home.parent)
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A folder in which everything up to training is done, and the weights of a quiet run."""
    folder = tmp_path_factory.mktemp("prepared")
    done = snakemake(folder, "--cores", "2", DONE, *RECIPE)
    assert done.returncode == 0, done.stderr[-4000:]
    weights = sha256_of(folder / WEIGHTS)
    shutil.rmtree(folder / "results" / "smoke" / "pretrain")
    return folder, weights


@pytest.fixture
def training(cluster, prepared, tmp_path):
    """The training of a copy of that folder, not yet started."""
    folder = tmp_path / "work"
    shutil.copytree(prepared[0], folder, symlinks=True)
    made = Training(cluster, folder)
    yield made
    made.clear()


def end_orphans(folder: Path) -> None:
    """Kill what still works in this session's folders: a job that SLURM took for dead may live."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").resolve().is_relative_to(folder):
                os.kill(int(process.name), signal.SIGKILL)
