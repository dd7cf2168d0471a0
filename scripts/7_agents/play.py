"""Have one model play one environment; everything is kept as it comes, and a killed run continues.

Example: --spec '{"environment": "mint", "settings": {"sets": ["gsm8k"]}, "limit": 3, "model": "chat",
"seed": 1}' --model results/mini/sft/model --data ../mirror/mint-bench --out episodes.jsonl
"""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.agents import playing

    playing.run(spec, args.model, args.data, args.out, args.teacher, args.games)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--model", type=Path, required=True, help="Hugging Face folder, or none")
    arguments.add_argument(
        "--teacher",
        type=Path,
        default=Path("none"),
        help="Hugging Face folder of who gives feedback",
    )
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    arguments.add_argument(
        "--games", type=Path, help="the same of another environment whose games are played too"
    )
    arguments.add_argument("--out", type=Path, required=True, help="episodes.jsonl to write")
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(
            Path.is_file,
            [
                args.data,
                args.games or args.data,
                *(model.parent / "DONE.json" for model in (args.model, args.teacher)),
            ],
        ),
        outputs=lambda args: [args.out, args.out.parent / "episodes"],
    )


if __name__ == "__main__":
    main()
