"""Write the model of a finished run as it was after an earlier step, from the checkpoint kept then.

The spec is {"step": N}; the run has to have been told ``pretrain.checkpoint.keep_at: [N]``.
"""

from pathlib import Path

from lemur.core import command


def run(args, spec):
    from lemur.training import kept  # heavy imports after the arguments are checked

    kept.write(spec["step"], args.trained, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--trained", type=Path, required=True, help="DONE.json of the run")
    parser.add_argument("--out", type=Path, required=True, help="DONE.json; model/ beside it")
    command.main(
        parser, run, inputs=lambda args: [args.trained], outputs=lambda args: [args.out, args.out.parent / "model"]
    )  # fmt: skip
