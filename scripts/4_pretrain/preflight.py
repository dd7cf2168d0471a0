"""Try, before GPU-hours are spent, what a training stage needs, and compile what it will call.

    python -m lemur.launch --nodes N --processes P --out DONE.json -- \\
        scripts/4_pretrain/preflight.py --spec @spec.json --model MODEL --out preflight.json

Checks the number of ranks, a sum over all of them, their clocks, and the free disk. Spec: stage,
device, nodes, processes_per_node, disk_bytes, clock_seconds, timeout_seconds; training: the settings
of the stage (as pretrain.py takes them), or null. With them its kernels (compile: true, Liger's) are
compiled for MODEL's shape into TORCHINDUCTOR_CACHE_DIR and TRITON_CACHE_DIR, where the training job
finds them if it has the same.
"""

from lemur.core import command


def run(args, spec):
    from lemur.training.preflight import run as preflight  # torch, after the arguments are checked

    preflight(spec, args.out, args.model)


def parser():
    made = command.parser(__doc__)
    made.reads(
        "--model",
        "Hugging Face folder that training starts from",
        required=False,
        files=command.done_of,
    )
    made.writes(
        "--out",
        "preflight.json, written by rank 0",
        files=command.by_first_rank(command.itself),
    )
    return made


if __name__ == "__main__":
    command.main(parser(), run)
