"""Conversations to packed sequences with a loss mask: whole conversations, best fit."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lemur.chat.chatml import ChatML, Turn
from lemur.core.contracts import read
from lemur.core.errors import UserError, nearest
from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.data.records import json_objects
from lemur.sft.conversation import Conversation, Conversed, RealisedConversations, TokensSpec
from lemur.tokenization.cut import best_fit
from lemur.tokenization.described import Packed
from lemur.tokenization.encoder import Encoder, width
from lemur.tokenization.packed_writer import segments, write_names, write_packed
from lemur.tokenization.shuffle import order

TEMPLATES = ("chatml",)


def read_conversations(path: Path) -> Iterator[Conversation]:
    """The conversations of a ``conversations.jsonl``."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    with path.open("rb") as file:
        for number, record in json_objects(file, str(path)):
            yield read(Conversation, record, f"{path}: line {number}")


def fitting(turns: Sequence[Turn], messages: Sequence[Mapping[str, str]], context: int) -> int:
    """How many leading messages fit into ``context`` tokens and end with the assistant."""
    reached, best = 0, 0
    for number, (turn, message) in enumerate(zip(turns, messages, strict=True), 1):
        reached += len(turn.ids)
        if reached > context:
            break
        if message["role"] == "assistant":
            best = number
    return best


def _pick(records: list[Conversation], most: int | None, seed: int) -> list[Conversation]:
    """At most ``most`` conversations, drawn evenly over all sources, in their first order."""
    ranked = sorted(
        range(len(records)),
        key=lambda k: hashlib.sha256(f"{seed}:pick:{records[k].id}".encode()).digest(),
    )
    return [records[k] for k in sorted(ranked[:most])]


def encode(
    records: Sequence[Conversation], chat: ChatML, context: int
) -> Iterator[tuple[str, list[int], list[int], int]]:
    """(source, ids, mask, tokens cut off) of each conversation; no ids where none of it is used.

    A conversation longer than ``context`` keeps its leading messages up to an assistant's; one of
    which not even the first exchange fits, or whose trained text the vocabulary cannot spell, is
    left out.
    """
    with Progress("tokenize conversations", len(records), "conversations") as progress:
        for record in records:
            messages = record.messages
            turns = chat.turns(messages)
            whole = sum(len(turn.ids) for turn in turns)
            kept = fitting(turns, messages, context)
            ids = [token for turn in turns[:kept] for token in turn.ids]
            mask = [trained for turn in turns[:kept] for trained in turn.mask]
            if not all(chat.faithful(message) for message in messages[:kept]):
                ids, mask, whole = [], [], 0
            yield record.source, ids, mask, whole - len(ids)
            progress.add(1)


def write_sft(spec: TokensSpec, path: Path, tokenizer: Path, out: Path) -> RealisedConversations:
    """Write the packed data set at ``out`` (``index.json``); returns its ``realised.json``.

    Beside it stand ``conversations.bin`` (ids), ``conversations.mask`` (uint8, 1 where the token
    is trained on), and where each conversation begins and what it is called, for messages.
    """
    if spec.template not in TEMPLATES:
        near = nearest(spec.template, TEMPLATES)
        raise UserError(f"sft.template: unknown '{spec.template}'{near}")
    encoder = Encoder(tokenizer)
    chat = ChatML(encoder.slow)
    dtype = width(chat.vocabulary)
    records = _pick(list(read_conversations(path)), spec.max_examples, spec.seed)
    lengths: list[int] = []
    sources: dict[str, Counter[str]] = {}
    left_out = {"too_long": 0, "not_spellable": 0}
    names: list[str] = []
    truncated = 0
    files = out.parent / "conversations.bin", out.parent / "conversations.mask"
    with (
        replacing(files[0]) as ids_temporary,
        replacing(files[1]) as mask_temporary,
        ids_temporary.open("wb") as ids_file,
        mask_temporary.open("wb") as mask_file,
    ):
        made = encode(records, chat, spec.context)
        for record, (source, ids, mask, cut) in zip(records, made, strict=True):
            truncated += cut
            if not ids:
                left_out["too_long" if cut else "not_spellable"] += 1
                continue
            ids_file.write(np.array(ids, dtype).tobytes())
            mask_file.write(np.array(mask, "u1").tobytes())
            lengths.append(len(ids))
            names.append(f"{source} {record.id}")
            sources.setdefault(source, Counter()).update(
                conversations=1, tokens=len(ids), trained_tokens=sum(mask)
            )
    if not lengths and not left_out["too_long"]:
        raise UserError(
            f"{path}: the vocabulary of {tokenizer} cannot spell the answers of any of "
            f"{len(records)} conversations exactly; take another base"
        )
    if not lengths:
        raise UserError(
            f"{path}: none of {len(records)} conversations fits into sft.context "
            f"{spec.context}; raise it"
        )
    begins = np.concatenate([[0], np.cumsum(lengths)])
    write_names(files[0].with_suffix(""), begins, names)
    runs = best_fit(np.array(lengths), spec.context)
    runs = runs.take(order(len(runs.sequence) - 1, spec.seed))
    made = segments(np.zeros(len(runs.document)), begins[runs.document], runs.length)
    tokens = int(begins[-1])
    realised = RealisedConversations(
        context=spec.context,
        conversations=len(lengths),
        sequences=len(runs.sequence) - 1,
        tokens=tokens,
        trained_tokens=sum(entry["trained_tokens"] for entry in sources.values()),
        padding=(len(runs.sequence) - 1) * spec.context - tokens,
        truncated=truncated,
        left_out=left_out,
        sources={name: Conversed(**counts) for name, counts in sources.items()},
    )
    facts = Packed(
        context=spec.context,
        eos=encoder.eos,
        dtype=dtype.name,
        vocabulary=chat.vocabulary,
        tokenizer_sha256=encoder.sha256,
    )
    write_packed(out, made, runs.sequence, files[:1], files[1:], facts, realised)
    return realised
