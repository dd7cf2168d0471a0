"""Which problems are asked where a recipe asks fewer than there are."""

import random

from lemur.core.errors import UserError
from lemur.evaluation.documents import Split


def limited(found: dict[str, Split], limit: int | None, name: str) -> tuple[dict[str, Split], int]:
    """The first ``limit`` problems of a fixed order, back in their own order, and how many there
    are in all. The order depends on the benchmark alone, so a larger limit holds a smaller one.
    """
    places = [
        (subject, number)
        for subject in sorted(found)
        for number in range(len(found[subject]["test"]))
    ]
    total = len(places)
    if total == 0:
        raise UserError(f"{name}: its data holds no problem")
    if limit is None or limit >= total:
        return found, total
    if limit < 1:
        raise UserError(f"{name}: limit {limit}: at least 1, or null for all")
    # A string seeds through sha512: the same order in every process and version of Python.
    random.Random(f"order of {name}").shuffle(places)  # noqa: S311
    chosen = set(places[:limit])
    result: dict[str, Split] = {}
    for subject, split in found.items():
        kept = [doc for number, doc in enumerate(split["test"]) if (subject, number) in chosen]
        if kept:
            result[subject] = {**split, "test": kept}
    return result, total
