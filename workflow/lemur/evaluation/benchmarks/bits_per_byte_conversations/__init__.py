"""Bits per UTF-8 byte of what an assistant says, given the conversation before."""

import json

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class BitsPerByteOfConversations(Benchmark):
    """Conversations that no fine-tuning saw, of which the last turn is scored."""

    def read(self, source: Source, member: str) -> Problems:
        """JSON lines with id and messages, the last of them the assistant's."""
        documents = []
        for number, line in enumerate(lines(source.path.read_bytes(), str(source.path)), 1):
            where = f"{source.path}: line {number}"
            need(line, where, id=str, messages=list)
            *before, last = line["messages"] or [{}]
            if not before or last.get("role") != "assistant" or not last.get("content"):
                raise UserError(f"{where}: 'messages' does not end with an assistant's answer")
            question = json.dumps(before, ensure_ascii=False)
            documents.append({"_id": line["id"], "before": question, "answer": last["content"]})
        return {"": {"test": documents}}


BENCHMARK = BitsPerByteOfConversations
