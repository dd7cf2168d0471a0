"""Instruction sets as JSON lines, JSON or parquet: their many shapes, brought to messages."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.data.members import manifest_members
from lemur.mixture.benchmark_texts import DATA, rows

Messages = list[dict[str, str]]
# What a tool answers is read and not learned, like what a user says (as in the paper's agent data).
ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "tool": "user",
    "function": "user",
    "observation": "user",
    "ipython": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "system": "system",
    "developer": "system",
}
CONTENTS = ("content", "value", "text", "parts")
# (instruction, answer) fields of the sets that the recipes list: Dolly and Evol-CodeAlpaca,
# self-oss-instruct, OpenCodeInstruct, OpenOrca.
PAIRS = (
    ("instruction", "response"),
    ("instruction", "output"),
    ("prompt", "response"),
    ("prompt", "completion"),
    ("question", "response"),
    ("question", "answer"),
    ("input", "output"),
)
EXTRA = ("context", "input")  # what an instruction is about
SYSTEM = ("system", "system_prompt")

# Why a conversation is left out.
FIELDS, SHAPE = "no known fields", "messages without role and text"
CALL = "a tool's call that cannot be read"
ROLE, PART, EMPTY = "unknown role", "content that is not text", "an empty message"
NO_ANSWER = "no question with an answer"


class Skipped(Exception):
    """A conversation that is left out; its text is the reason, under which it is counted."""


def _text(content: Any) -> str:
    """A message's text; where it is in parts, theirs, a line each."""
    if isinstance(content, list | tuple):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        if not all(isinstance(part, str) for part in parts):
            raise Skipped(PART)
        content = "\n".join(parts)
    if not isinstance(content, str | None):
        raise Skipped(PART)
    return content or ""


def _calls(message: Mapping[str, Any]) -> list[str]:
    """Tools that a message calls, as Hermes' and Qwen's templates write them: JSON between tags."""
    found = []
    try:
        listed = message.get("tool_calls") or []
        if message.get("function_call"):
            listed = [*listed, {"function": message["function_call"]}]
        for call in listed:
            called = call.get("function", call)
            given = called["arguments"]
            given = json.loads(given) if isinstance(given, str) else given
            text = json.dumps({"name": called["name"], "arguments": given}, ensure_ascii=False)
            found.append(f"<tool_call>\n{text}\n</tool_call>")
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Skipped(CALL) from None
    return found


def _message(message: Any) -> dict[str, str]:
    if not isinstance(message, Mapping):
        raise Skipped(SHAPE)
    named = message.get("role") or message.get("from")
    role = ROLES.get(named.lower()) if isinstance(named, str) else None
    if role is None:
        raise Skipped(ROLE if named is not None else SHAPE)
    content = next((message[key] for key in CONTENTS if message.get(key) is not None), None)
    texts = [_text(content), *_calls(message)]
    text = "\n".join(text for text in texts if text.strip())
    if not text:
        raise Skipped(EMPTY)
    return {"role": role, "content": text}


def _listed(messages: Any) -> Messages:
    """[{role, content}] or [{from, value}] up to the last assistant message."""
    made = [_message(message) for message in messages]
    while made and made[-1]["role"] != "assistant":
        made.pop()
    if not any(message["role"] == "user" for message in made):
        raise Skipped(NO_ANSWER)
    return made


def read_messages(record: Any) -> Messages:
    """The conversation in one record; ``Skipped`` for one that is empty or of no known shape."""
    if not isinstance(record, Mapping):
        raise Skipped("not a record")
    for key in ("messages", "conversations", "conversation"):
        if isinstance(record.get(key), list | tuple):
            return _listed(record[key])
    for asked, answered in PAIRS:
        question, answer = record.get(asked), record.get(answered)
        if not (isinstance(question, str) and isinstance(answer, str)):
            continue
        if not question.strip() or not answer.strip():
            raise Skipped(EMPTY)
        about = [record.get(key) for key in EXTRA if key not in (asked, answered)]
        parts = [question, *(text for text in about if isinstance(text, str) and text.strip())]
        system = [text for text in map(record.get, SYSTEM) if isinstance(text, str) and text]
        return [
            *({"role": "system", "content": text} for text in system),
            {"role": "user", "content": "\n\n".join(parts)},
            {"role": "assistant", "content": answer},
        ]
    raise Skipped(FIELDS)


def _rank(record: Mapping[str, Any]) -> tuple[bool, float, str]:
    rank = record.get("rank")
    ranked = isinstance(rank, int | float)
    return not ranked, rank if ranked else 0, record["message_id"]


def _paths(records: list[Any]) -> Iterator[list[Mapping[str, Any]]]:
    """OpenAssistant: from each prompt down the best ranked replies, English only."""
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for record in records:
        named = isinstance(record, Mapping) and isinstance(record.get("message_id"), str)
        parent = record.get("parent_id") if named else 0
        if not named or not isinstance(parent, str | None) or record.get("deleted"):
            continue
        if record.get("lang", "en") == "en":
            children.setdefault(parent, []).append(record)
    for replies in children.values():
        replies.sort(key=_rank)
    for root in children.get(None, ()):
        path = [root]
        # Each reply is taken once: a set whose records go in a circle would have no end.
        while children.get(path[-1]["message_id"]):
            path.append(children.pop(path[-1]["message_id"])[0])
        yield path


def _found(records: list[Any]) -> Iterator[Messages | Skipped]:
    """The conversation of each record, or of each tree of records, or why there is none."""
    first = next((record for record in records if isinstance(record, Mapping)), {})
    trees = "message_id" in first
    for found in _paths(records) if trees else records:
        try:
            yield _listed(found) if trees else read_messages(found)
        except Skipped as reason:
            yield reason


def conversations(manifest: Path) -> Iterator[Messages | Skipped]:
    """All conversations of a download; an error where no record has a known shape."""
    seen = 0
    read = False
    fields: list[str] = []
    reasons: set[str] = set()
    for name, content in manifest_members(manifest, DATA):
        records = list(rows(name, content, f"{manifest}: '{name}'"))
        seen += len(records)
        if records and isinstance(records[0], Mapping):
            fields = sorted(map(str, records[0]))
        for messages in _found(records):
            if isinstance(messages, Skipped):
                reasons.add(str(messages))
            read |= not isinstance(messages, Skipped)
            yield messages
    if not read:
        why = f"; {', '.join(sorted(reasons))}" if reasons else ""
        raise UserError(
            f"{manifest}: none of {seen} records is a conversation (fields: {', '.join(fields)}{why})"
        )
