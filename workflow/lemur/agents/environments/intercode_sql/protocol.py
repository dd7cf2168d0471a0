"""InterCode-SQL's messages: template ``game_sql``, a MySQL database, its tables as a handicap."""

from collections.abc import Mapping, Sequence
from typing import Any

from lemur.agents.environment import Message
from lemur.agents.episode import Turn
from lemur.agents.intercode import protocol

LANGUAGE, SETTING = "SQL", "MySQL Database"


def messages(
    data: Mapping[str, Any], turns: Sequence[Turn], limit: int | None, handicap: bool
) -> list[Message]:
    """What a model reads before its next turn. With ``handicap`` the first two messages, which are
    kept for good, are both the system's."""
    beginning = [{"role": "system", "content": protocol.GAME.format(language=LANGUAGE)}]
    if handicap:
        shown = protocol.format_handicap(data["db_tables"])
        beginning.append({"role": "system", "content": shown})
    made = protocol.dialogue(beginning, SETTING, LANGUAGE, data["query"], turns)
    return protocol.window(made, limit)


def retry() -> str:
    """What follows an answer without a query."""
    return protocol.RETRY.format(language=LANGUAGE)
