"""What the scripts of agents share: the options that name tasks and episodes."""

from lemur.core.command import Parser


def read_tasks(parser: Parser) -> None:
    """``--data`` and ``--games``: what an environment plays."""
    parser.reads("--data", "manifest.json of the download, or a folder")
    games = "the same of another environment whose games are played too"
    parser.reads("--games", games, required=False)


def read_episodes(parser: Parser) -> None:
    """The same, and the episodes that were played with their verdicts."""
    parser.reads("--episodes", "episodes.jsonl")
    parser.reads("--verdicts", "verdicts.jsonl")
    read_tasks(parser)
