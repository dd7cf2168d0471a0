"""Write the model of a finished run as it was after an earlier step, from the checkpoint kept then.

The spec is {"step": N}; the run has to have been told ``pretrain.checkpoint.keep_at: [N]``.
"""

from lemur.core import command


def run(args, spec):
    from lemur.training import kept  # heavy imports after the arguments are checked

    kept.write(spec["step"], args.trained, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads("--trained", "DONE.json of the run")
    parser.writes("--out", "DONE.json; model/ beside it", files=command.and_beside("model"))
    command.main(parser, run)
