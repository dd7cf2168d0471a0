"""Conversations that no fine-tuning of a recipe sees, by which it is measured.

A fine-tuned model should predict answers better than it did before: bits per byte of the assistant's
words in conversations of the same sources move where pass rates of a small model do not.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import replacing
from lemur.core.log import logger
from lemur.data.documents import Shard
from lemur.mixture.decontaminate import Index
from lemur.sft.conversations import (
    Counts,
    choose,
    kind_of,
    manifests_by_source,
    name_of,
    read_source,
)
from lemur.sft.instructions import Messages
from lemur.sft.tokens import read_conversations


@dataclasses.dataclass(frozen=True)
class HeldOutConversation:
    """One conversation, a line of ``heldout/conversations.jsonl``."""

    id: str
    """The beginning of the sha256 of its messages, in hexadecimal digits."""
    source: str
    """The source of the recipe's ``sft.sources`` that it is of."""
    kind: str
    """code or text."""
    messages: tuple[Mapping[str, str], ...]
    """``role`` and ``content`` each; the last is the assistant's, whose words are counted."""


def _answers(messages: Messages) -> set[str]:
    return {message["content"] for message in messages if message["role"] == "assistant"}


def held_out(
    spec: Mapping[str, Any],
    trained: Path,
    manifests: Sequence[Path],
    documents: Sequence[Shard],
    dropped: dict[str, set[tuple[int, int]]],
    index: Index | None,
) -> list[HeldOutConversation]:
    """Up to ``spec["documents"]`` conversations, sources in turn, of answers of at most ``max_bytes``
    UTF-8 bytes, which are not in ``trained`` (conversations.jsonl) and share no answer with it.

    What is trained on stays as it was: these are the next ones of each source in the order of the
    seed. A source of which everything is trained on gives none, and is named.

    Raises:
        UserError: no source has anything left.
    """
    taken, answers = set(), set()
    for record in read_conversations(trained):
        taken.add(record["id"])
        answers |= _answers(record["messages"])
    by_name = manifests_by_source(manifests)
    queues: list[list[HeldOutConversation]] = []
    for entry in spec["sources"]:
        wanted = {**entry, "examples": entry["examples"] + spec["documents"]}
        found = Counts().readable(read_source(wanted, by_name, documents, dropped, spec["seed"]))
        unseen = (
            messages
            for messages in found
            if name_of(messages) not in taken
            and not answers & _answers(messages)
            and len(messages) > 1
            and len(messages[-1]["content"].encode()) <= spec["max_bytes"]
        )
        chosen = choose(unseen, spec["documents"], spec["seed"], set(taken), index)
        queues.append(
            [
                HeldOutConversation(name, entry["name"], kind_of(entry["format"], said), (*said,))
                for name, said in chosen
            ]
        )
        if not chosen:
            logger.info(f"heldout conversations: {entry['name']}: all of it is trained on")
    picked: list[HeldOutConversation] = []
    for place in range(spec["documents"]):
        picked += [queue[place] for queue in queues if place < len(queue)]
    if not picked:
        raise UserError(
            "heldout conversations: every conversation of sft.sources is trained on; lower their examples"
        )
    return picked[: spec["documents"]]


def write(chosen: Sequence[HeldOutConversation], out: Path) -> None:
    """Write the conversations as JSON lines, whole or not at all."""
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for conversation in chosen:
            file.write(json.dumps(contracts.plain(conversation), ensure_ascii=False) + "\n")
