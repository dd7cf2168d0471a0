"""Conversations of two packages: ``chitchat-dataset`` (MIT) and ``chatterbot-corpus`` (BSD-3)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lemur.core.errors import UserError
from lemur.data.members import manifest_members
from lemur.data.records import json_document
from lemur.sft.instructions import EMPTY, NO_ANSWER, SHAPE, Messages, Skipped

TURNS = 8  # messages of a conversation, at most
# A person's address or number, or a link: such conversations are left out whole.
PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.\w+|https?://|\b\d{3}[-. ]\d{3}[-. ]?\d{4}\b")
# Every scalar is the text that stands there: to YAML 1.1 `Yes` is a truth value and `12:30` is 750.
_Texts = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def alternating(texts: list[str]) -> Messages:
    """User and assistant in turn, ending with the assistant; ``Skipped`` where that cannot be."""
    texts = texts[: TURNS if len(texts) >= TURNS else len(texts) // 2 * 2]
    if len(texts) < 2:
        raise Skipped(NO_ANSWER)
    if any(not text for text in texts):
        raise Skipped(EMPTY)
    if any(PERSONAL.search(text) for text in texts):
        raise Skipped("an address, a number or a link")
    roles = ("user", "assistant")
    return [{"role": roles[k % 2], "content": text} for k, text in enumerate(texts)]


def _turns(conversation: Any) -> list[str]:
    """chitchat-dataset: turns of one sender each, in one or several utterances."""
    joined: list[tuple[str, str]] = []
    try:
        for turn in conversation["messages"]:
            for utterance in turn:
                text, sender = utterance["text"].strip(), utterance["sender"]
                if joined and joined[-1][0] == sender:
                    joined[-1] = (sender, f"{joined[-1][1]} {text}".strip())
                else:
                    joined.append((sender, text))
    except (LookupError, TypeError, AttributeError):
        raise Skipped(SHAPE) from None
    return [text for _, text in joined]


def chitchat(manifest: Path) -> Iterator[Messages | Skipped]:
    """Chats between people on any topic (the Chit Chat Challenge of BYU, 2018)."""
    for name, content in manifest_members(manifest, ("*/dataset.json",)):
        table = json_document(content, f"{manifest}: '{name}'")
        if not isinstance(table, dict):
            raise UserError(f"{manifest}: '{name}' is not chitchat-dataset's (no mapping)")
        for key in sorted(table):
            try:
                yield alternating(_turns(table[key]))
            except Skipped as reason:
                yield reason


def _exchange(listed: Any) -> Messages:
    """The first question and answer of a dialogue: a list of texts."""
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed[:2]):
        raise Skipped(SHAPE)
    return alternating([text.strip() for text in listed[:2]])


def chatterbot(manifest: Path) -> Iterator[Messages | Skipped]:
    """A question and the first answer listed for it, English only.

    What follows the first answer is another answer in some files and the next turn in others.
    """
    for name, content in manifest_members(manifest, ("*/data/english/*.yml",)):
        try:
            dialogues = yaml.load(content, _Texts)["conversations"]  # noqa: S506 (texts alone)
        except (yaml.YAMLError, ValueError, LookupError, TypeError) as error:
            raise UserError(f"{manifest}: '{name}' is not chatterbot-corpus' ({error})") from None
        for listed in dialogues:
            try:
                yield _exchange(listed)
            except Skipped as reason:
                yield reason
