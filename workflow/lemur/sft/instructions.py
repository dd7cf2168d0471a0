"""Instruction sets as JSON lines, JSON or parquet: their many shapes, brought to messages."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.mix.benchmarks import DATA, rows
from lemur.mix.members import manifest_members

Messages = list[dict[str, str]]
ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "system": "system",
}
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


def _listed(messages: Any) -> Messages | None:
    """[{role, content}] or [{from, value}] up to the last assistant message."""
    made: Messages = []
    for message in messages:
        role = ROLES.get(str(message.get("role", message.get("from"))).lower())
        content = message.get("content", message.get("value"))
        if role is None or not isinstance(content, str) or not content.strip():
            return None
        made.append({"role": role, "content": content})
    while made and made[-1]["role"] != "assistant":
        made.pop()
    return made if any(message["role"] == "user" for message in made) else None


def messages_of(record: Mapping[str, Any]) -> Messages | None:
    """The conversation in one record; None for one that is empty or of no known shape."""
    for key in ("messages", "conversations", "conversation"):
        if isinstance(record.get(key), list | tuple):
            return _listed(record[key])
    for asked, answered in PAIRS:
        question, answer = record.get(asked), record.get(answered)
        if not (isinstance(question, str) and isinstance(answer, str)):
            continue
        if not question.strip() or not answer.strip():
            return None
        about = [record.get(key) for key in EXTRA if key not in (asked, answered)]
        parts = [question, *(text for text in about if isinstance(text, str) and text.strip())]
        system = [record.get(key) for key in SYSTEM]
        return [
            *({"role": "system", "content": text} for text in system if text),
            {"role": "user", "content": "\n\n".join(parts)},
            {"role": "assistant", "content": answer},
        ]
    return None


def trees(records: list[Mapping[str, Any]]) -> Iterator[Messages]:
    """OpenAssistant: from each prompt down the best ranked replies, English only."""
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    for record in records:
        if record.get("lang", "en") == "en" and not record.get("deleted"):
            children.setdefault(record.get("parent_id"), []).append(record)
    for replies in children.values():
        replies.sort(key=lambda one: (one.get("rank") is None, one.get("rank"), one["message_id"]))
    for root in children.get(None, ()):
        path = [root]
        while children.get(path[-1]["message_id"]):
            path.append(children[path[-1]["message_id"]][0])
        messages = _listed([{"role": one["role"], "content": one["text"]} for one in path])
        if messages:
            yield messages


def conversations(manifest: Path) -> Iterator[Messages]:
    """All conversations of a download; an error where no record has a known shape."""
    seen = made = 0
    fields: list[str] = []
    for name, content in manifest_members(manifest, DATA):
        read = rows(name, content, f"{manifest}: '{name}'")
        records = [one for one in read if isinstance(one, Mapping)]
        seen += len(records)
        fields = sorted(records[0]) if records else fields
        if records and "message_id" in records[0]:
            found: Iterator[Messages | None] = trees(records)
        else:
            found = map(messages_of, records)
        for messages in found:
            if messages:
                made += 1
                yield messages
    if not made:
        raise UserError(
            f"{manifest}: none of {seen} records is a conversation (fields: {', '.join(fields)})"
        )
