"""What the steps of instruction data are asked and hand to each other: conversations, and their packing."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class InstructionSource:
    """One of the recipe's ``sft.sources``."""

    name: str
    format: str
    examples: int
    """Conversations that are taken at most."""
    path: str | None = None
    """Of the format ``own``: the folder of what reads it."""


@dataclass(frozen=True)
class ConversationsSpec:
    """``--spec``: documents that share so many words or operators with a benchmark are passed over."""

    sources: tuple[InstructionSource, ...]
    seed: int
    text_ngram: int = 13
    code_ngram: int = 10


@dataclass(frozen=True, kw_only=True)
class HeldoutConversationsSpec(ConversationsSpec):
    """``--spec``: so many conversations beyond those, of answers of at most so many bytes."""

    documents: int
    max_bytes: int


@dataclass(frozen=True)
class Conversation:
    """A line of ``conversations.jsonl``."""

    id: str
    """The beginning of the sha256 of its messages."""
    source: str
    kind: str
    """code or text."""
    messages: tuple[Mapping[str, str], ...]
    """In their order, each with its role (system, user, assistant) and content."""


@dataclass(frozen=True)
class TokensSpec:
    """``--spec``: ``context`` tokens a sequence, at most so many conversations of all sources."""

    context: int
    seed: int
    template: str
    max_examples: int | None = None


@dataclass(frozen=True)
class Conversed:
    """What is packed of one source; ``trained_tokens`` are the assistant's."""

    conversations: int
    tokens: int
    trained_tokens: int


@dataclass(frozen=True)
class RealisedConversations:
    """``realised.json`` of instruction data: whole conversations, as they were packed."""

    context: int
    """Tokens of a packed sequence."""
    conversations: int
    sequences: int
    tokens: int
    trained_tokens: int
    """The assistant's: those that the loss counts."""
    padding: int
    """Positions that hold no token."""
    truncated: int
    """Tokens of later turns that were cut off to fit."""
    left_out: Mapping[str, int]
    """Conversations by reason: too_long, not_spellable."""
    sources: Mapping[str, Conversed]
