"""What duplicates, benchmarks and the held-out part take away of what cleaning left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lemur.corpus.totals import STEPS, Entry
from lemur.data.documents import batches, shards
from lemur.data.drop_lists import read_duplicates, read_overlaps


def take_away(
    entries: Mapping[str, Entry],
    documents: Sequence[Path],
    duplicates: Sequence[Path],
    overlaps: Path,
) -> None:
    """Fill ``taken``: what of the cleaned documents no training sees, by the first reason."""
    lists = {
        "exact": read_duplicates(duplicates, "exact"),
        "near": read_duplicates(duplicates, "near"),
        "contaminated": read_overlaps(overlaps),
    }
    for shard in shards(documents):
        sizes: list[int] = []
        held: list[bool] = []
        for _, batch in batches(shard.path, ("bytes", "heldout"), 65536):
            sizes += batch["bytes"]
            held += batch["heldout"]
        size, open_ = np.array(sizes, np.int64), np.ones(len(sizes), bool)
        for step in STEPS:
            if step == "heldout":
                mine = np.array(held, bool)
            else:
                mine = np.zeros(len(sizes), bool)
                places = lists[step].get(shard.source, ())
                mine[[row for part, row in places if part == shard.part]] = True
            mine &= open_
            open_ &= ~mine
            taken = entries[shard.source].taken.setdefault(step, Counter())
            taken.update(documents=int(mine.sum()), bytes=int(size[mine].sum()))
