"""The test cluster of tests/slurm/cluster, and Snakemake on it as its user types it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from snake import as_checkout

SCRIPT = Path(__file__).parent / "slurm" / "cluster"


class NoClusterError(Exception):
    """Why there can be no cluster here."""


class Cluster:
    """The running test cluster, and Snakemake on it.

    ``settings``: what the script reads as LEMUR_SLURM_<name>, as in ``CPUS="64"``.
    """

    def __init__(self, home: Path, accounting: str = "no", **settings: str):
        self.home = home
        # Daemons of another test run may be there, and the other cluster of this one.
        port = 20_000 + os.getpid() % 20_000 + 100 * (accounting == "yes")
        self.variables = {
            **os.environ,
            "LEMUR_SLURM_HOME": str(home),
            "LEMUR_SLURM_PORT": str(port),
            "LEMUR_SLURM_ACCOUNTING": accounting,
            **{f"LEMUR_SLURM_{name}": value for name, value in settings.items()},
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

    def stop_controller(self) -> None:
        """slurmctld alone: jobs go on, and ``control("start")`` brings it back."""
        pid = int((self.home / "run" / "slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while (self.home / "run" / "slurmctld.pid").exists() and Path(f"/proc/{pid}").exists():
            time.sleep(0.1)

    def client(self, *command: str) -> str:
        """What a SLURM client prints; it must succeed."""
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def start(self, folder: Path, *arguments: str) -> subprocess.Popen:
        """``snakemake --profile slurm`` as documented, in ``folder`` as in a checkout.

        Its output goes to folder/run.log.
        """
        as_checkout(folder)
        command = ["workflow/env-run", "workflow", "snakemake", "--profile", "slurm", *arguments]
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


@contextlib.contextmanager
def running(home: Path, accounting: str = "no", **settings: str) -> Iterator[Cluster]:
    """A cluster in ``home``, stopped with all that works in the folder above it; or NoClusterError."""
    if os.geteuid() or not Path("/etc/debian_version").exists():
        raise NoClusterError("a test cluster needs root on Debian")
    home.mkdir(exist_ok=True)
    made = Cluster(home, accounting, **settings)
    # Who is told to end must not leave daemons behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        done = made.control("start")
        if done.returncode == 3:
            raise NoClusterError(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        stopped = made.control("stop")
        end_orphans(made.home.parent)
    assert stopped.returncode == 0, stopped.stderr


def end_orphans(folder: Path) -> None:
    """Kill what still works in this session's folders: a job that SLURM took for dead may live."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").resolve().is_relative_to(folder):
                os.kill(int(process.name), signal.SIGKILL)
