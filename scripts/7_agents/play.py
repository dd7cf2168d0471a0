"""Have one model play one environment; everything is kept as it comes, and a killed run continues.

Example: --spec '{"environment": "mint", "settings": {"sets": ["gsm8k"]}, "limit": 3, "model": "chat",
"seed": 1}' --model results/mini/sft/model --data ../mirror/mint-bench --out episodes.jsonl
"""

from pathlib import Path

from lemur.agents.script import read_tasks
from lemur.core import command


def _run(args, spec):
    from lemur.agents import playing

    playing.run(spec, args.model, args.data, args.out, args.teacher, args.games)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--model", "Hugging Face folder, or none", files=command.done_of)
    arguments.reads(
        "--teacher",
        "Hugging Face folder of who gives feedback",
        default=Path("none"),
        files=command.done_of,
    )
    read_tasks(arguments)
    arguments.writes("--out", "episodes.jsonl to write", files=command.and_beside("episodes"))
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
