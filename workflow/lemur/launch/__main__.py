"""Start a training script: one process, several on a node, or several on each of several nodes.

    python -m lemur.launch --nodes N --processes P --out DONE.json [--grace S] -- SCRIPT ARGUMENT...

Runs SCRIPT with this interpreter, P times on this node, with RANK, WORLD_SIZE and MASTER_ADDR as
torchrun sets them; for several nodes it is started once on each by srun. SIGTERM and SIGUSR1 go on
to the ranks, which save a checkpoint and leave with code 75. Inside a SLURM job it does that by
itself --grace seconds before the time limit, and has the job requeued: the job continues where it
was, as often as needed, as long as each of three restarts brings a new checkpoint.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from lemur.core.command import guarded
from lemur.core.errors import UserError
from lemur.launch import ranks
from lemur.launch.allocation import Allocation
from lemur.launch.restarts import Restarts

# A requeued job is killed by SLURM; this long it is waited for.
UNTIL_KILLED = 300.0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--nodes", type=int, default=1)
    made.add_argument("--processes", type=int, default=1, help="ranks on each node")
    made.add_argument("--out", type=Path, required=True, help="the stage's DONE.json")
    made.add_argument("--grace", type=float, default=120, help="seconds that a checkpoint needs")
    made.add_argument("command", nargs="+", metavar="SCRIPT")
    return made


def rendezvous(nodes: int, allocation: Allocation | None) -> tuple[str, int]:
    """Address and port of rank 0, the same on every node."""
    if nodes == 1:
        return "127.0.0.1", ranks.free_port()
    address = os.environ.get("SLURM_LAUNCH_NODE_IPADDR")
    if allocation is None or address is None or "SLURM_NODEID" not in os.environ:
        raise UserError(
            f"{nodes} nodes: start one launcher a node with srun (snakemake --profile slurm does)"
        )
    return address, 20_000 + int(allocation.job) % 20_000


def launch(args: argparse.Namespace) -> int:
    """The exit code of the stage."""
    allocation = Allocation.current()
    address, port = rendezvous(args.nodes, allocation)
    node = allocation.node if allocation and args.nodes > 1 else 0
    leads = allocation if allocation and node == 0 else None
    restarts = Restarts(args.out.parent) if leads else None
    if restarts:
        restarts.begin()
    group = ranks.Group(
        [sys.executable, *args.command],
        ranks.environments(args.nodes, args.processes, node, address, port),
        args.grace,
        leads.seconds_left if leads else None,
    )
    code = group.run()
    if restarts and code == 0:
        restarts.finish()
    elif restarts and code == UserError.exit_code:
        restarts.forget()
    # SIGTERM is somebody's wish to end the job (scancel), or SLURM requeues it itself (preemption).
    warned = signal.SIGUSR1 in group.sent and signal.SIGTERM not in group.sent
    if code == ranks.STOPPED and allocation and (warned or (args.nodes > 1 and not leads)):
        if leads and not leads.requeue():
            return code
        # Leaving first would have the other nodes, or Snakemake, take this for a failure.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(UNTIL_KILLED)
    return code


def main() -> None:
    args = parser().parse_args()
    guarded(lambda: sys.exit(launch(args)))


if __name__ == "__main__":
    main()
