"""Write a recipe's scores as logs of Inspect (.eval) and as records of every-eval-ever."""

from lemur.core import command


def _run(args, spec):
    from lemur.export import scores

    scores.write(spec["results"], args.scores, args.samples, args.logs, args.records)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--scores", "scores.json", nargs="+")
    arguments.reads("--samples", "samples.jsonl, in the same order", nargs="+")
    arguments.writes("--logs", "folder of .eval to write")
    arguments.writes("--records", "folder of every-eval-ever to write")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
