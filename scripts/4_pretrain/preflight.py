"""Try, before GPU-hours are spent, what the ranks of a training stage need of each other.

    python -m lemur.launch --nodes N --processes P --out DONE.json -- \\
        scripts/4_pretrain/preflight.py --spec @spec.json --out preflight.json

Checks the number of ranks, a sum over all of them, their clocks, and the free disk. Spec: stage,
device, nodes, processes_per_node, disk_bytes, clock_seconds, timeout_seconds.
"""

import os
from pathlib import Path

from lemur import command


def run(args, spec):
    from lemur.train.preflight import run as preflight  # torch, after the arguments are checked

    preflight(spec, args.out)


def parser():
    made = command.parser(__doc__)
    made.add_argument("--out", type=Path, required=True, help="preflight.json, written by rank 0")
    return made


if __name__ == "__main__":
    command.main(
        parser(), run, outputs=lambda args: [args.out] if os.environ.get("RANK", "0") == "0" else []
    )
