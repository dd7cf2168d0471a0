"""InterCode-Bash's messages: template ``v2``, the setting a Bourne shell."""

from collections.abc import Sequence

from lemur.agents.environment import Message
from lemur.agents.episode import Turn
from lemur.agents.intercode import protocol

LANGUAGE, SETTING = "BASH", "Bourne Shell"


def messages(query: str, turns: Sequence[Turn], limit: int | None) -> list[Message]:
    """What a model reads before its next turn."""
    system = protocol.V2.format(language=LANGUAGE, setting=SETTING)
    beginning = [{"role": "system", "content": system}]
    return protocol.window(protocol.dialogue(beginning, SETTING, LANGUAGE, query, turns), limit)
