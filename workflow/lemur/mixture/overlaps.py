"""The list of documents that overlap a benchmark problem (lemur.data.drop_lists reads it)."""

import csv
from collections.abc import Sequence
from pathlib import Path

from lemur.core.files import replacing
from lemur.core.progress import Progress
from lemur.data.documents import Shard, batches, total_bytes
from lemur.data.drop_lists import OVERLAPS
from lemur.mixture.decontaminate import Index


def write_overlaps(shards: Sequence[Shard], index: Index, out: Path) -> tuple[int, int]:
    """List every (document, problem) overlap, sorted by source, part and row.

    Returns how many documents were read and how many of them overlap.
    """
    read = dropped = 0
    total = total_bytes(shard.path for shard in shards)
    with (
        replacing(out) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
        Progress("decontaminate", total / 1e6, "MB") as progress,
    ):
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(OVERLAPS)
        for shard in shards:
            for first, batch in batches(shard.path, ("id", "text", "bytes")):
                for row in index.suspects(batch["text"]):
                    found = list(index.matches(batch["text"][row]))
                    for match in found:
                        where = (shard.source, shard.part, first + row, batch["id"][row])
                        table.writerow((*where, match.benchmark, match.item, match.matched))
                    dropped += bool(found)
                read += len(batch["id"])
                progress.add(sum(batch["bytes"]) / 1e6, f"{shard.source}: {dropped} dropped")
    return read, dropped
