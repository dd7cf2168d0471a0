"""Bits per UTF-8 byte of documents that were never trained on."""

from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class BitsPerByte(Benchmark):
    """Held-out documents, each scored whole."""

    def read(self, source: Source, member: str) -> Problems:
        documents = []
        for number, line in enumerate(lines(source.path.read_bytes(), str(source.path)), 1):
            need(line, f"{source.path}: line {number}", id=str, text=str)
            if line["text"]:
                documents.append({"_id": line["id"], "text": line["text"]})
        return {"": {"test": documents}}


BENCHMARK = BitsPerByte
