"""Bits per UTF-8 byte of an agent's actions, given what it had read."""

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class BitsPerByteOfActions(Benchmark):
    """Actions with their contexts."""

    def read(self, source: Source, member: str) -> Problems:
        """Actions of an agent with what it had read: JSON lines with id, context and action.

        Blanks that end a context are coded and counted with the action, since lm-eval asks for them there:
        a tokenizer may join them with what follows.
        """
        documents = []
        for number, line in enumerate(lines(source.path.read_bytes(), str(source.path)), 1):
            where = f"{source.path}: line {number}"
            need(line, where, id=str, context=str, action=str)
            if not line["action"]:
                raise UserError(f"{where}: 'action' is empty")
            context = line["context"].rstrip()
            action = line["context"][len(context) :] + line["action"]
            documents.append({"_id": line["id"], "context": context, "action": action})
        return {"": {"test": documents}}


BENCHMARK = BitsPerByteOfActions
