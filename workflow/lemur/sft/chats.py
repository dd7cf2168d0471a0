"""Conversations of two packages: ``chitchat-dataset`` (MIT) and ``chatterbot-corpus`` (BSD-3)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lemur.data.records import json_document
from lemur.errors import UserError
from lemur.mix.members import manifest_members

Messages = list[dict[str, str]]
TURNS = 8  # messages of a conversation, at most
# A person's address or number, or a link: such conversations are left out whole.
PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.\w+|https?://|\b\d{3}[-. ]\d{3}[-. ]?\d{4}\b")


def alternating(texts: list[str]) -> Messages | None:
    """User and assistant in turn, ending with the assistant; None for less than one exchange."""
    texts = texts[: TURNS if len(texts) >= TURNS else len(texts) // 2 * 2]
    if len(texts) < 2 or any(not text for text in texts):
        return None
    if any(PERSONAL.search(text) for text in texts):
        return None
    roles = ("user", "assistant")
    return [{"role": roles[k % 2], "content": text} for k, text in enumerate(texts)]


def _turns(conversation: Any) -> list[str]:
    """chitchat-dataset: turns of one sender each, in one or several utterances."""
    joined: list[tuple[str, str]] = []
    for turn in conversation["messages"]:
        for utterance in turn:
            text, sender = utterance["text"].strip(), utterance["sender"]
            if joined and joined[-1][0] == sender:
                joined[-1] = (sender, f"{joined[-1][1]} {text}".strip())
            else:
                joined.append((sender, text))
    return [text for _, text in joined]


def chitchat(manifest: Path) -> Iterator[Messages]:
    """Chats between people on any topic (the Chit Chat Challenge of BYU, 2018)."""
    for name, content in manifest_members(manifest, ("*/dataset.json",)):
        try:
            table = json_document(content, f"{manifest}: '{name}'")
            found = [alternating(_turns(table[key])) for key in sorted(table)]
        except (ValueError, LookupError, TypeError) as error:
            raise UserError(f"{manifest}: '{name}' is not chitchat-dataset's ({error})") from None
        yield from (messages for messages in found if messages)


def chatterbot(manifest: Path) -> Iterator[Messages]:
    """A question and the first answer listed for it, English only.

    What follows the first answer is another answer in some files and the next turn in others.
    """
    for name, content in manifest_members(manifest, ("*/data/english/*.yml",)):
        try:
            listed = yaml.safe_load(content)["conversations"]
        except (yaml.YAMLError, LookupError, TypeError) as error:
            raise UserError(f"{manifest}: '{name}' is not chatterbot-corpus' ({error})") from None
        for lines in listed:
            messages = alternating([str(line).strip() for line in lines[:2]])
            if messages:
                yield messages
