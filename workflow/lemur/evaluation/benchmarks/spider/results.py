"""Whether two results of a query are the same, by the rules of Spider's test-suite evaluation
(Zhong et al. 2020, arXiv 2010.02840).

Rows are a bag, or a list where the gold query orders them; columns may stand in another order.
This file is also the pinned part of the test that runs in the sandbox: it imports nothing but the
standard library.
"""

import itertools
from collections import Counter

Rows = list[tuple]


def _unordered(row):
    return tuple(sorted(row, key=lambda value: str(value) + str(type(value))))


def same(gold: Rows, found: Rows, ordered: bool) -> bool:
    """``gold`` and ``found`` hold the same rows for some order of columns."""
    gold, found = [tuple(row) for row in gold], [tuple(row) for row in found]
    if not gold and not found:
        return True
    if len(gold) != len(found) or len(gold[0]) != len(found[0]):
        return False
    # A necessary condition that settles nearly all pairs.
    expected, given = [_unordered(row) for row in gold], [_unordered(row) for row in found]
    if (expected != given) if ordered else (Counter(expected) != Counter(given)):
        return False
    wanted = gold if ordered else Counter(gold)
    for order in _orders(gold, found):
        turned = [tuple(row[place] for place in order) for row in found]
        if (turned if ordered else Counter(turned)) == wanted:
            return True
    return False


def _orders(gold: Rows, found: Rows):
    """Orders of columns that can turn ``found`` into ``gold``: a column holds the same values."""
    bags = [Counter(row[place] for row in found) for place in range(len(found[0]))]
    fits = []
    for place in range(len(gold[0])):
        bag = Counter(row[place] for row in gold)
        fits.append([other for other, theirs in enumerate(bags) if theirs == bag])
    for order in itertools.product(*fits):
        if len(set(order)) == len(order):
            yield order
