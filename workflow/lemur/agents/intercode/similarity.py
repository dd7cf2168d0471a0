"""How alike two outputs are, as scikit-learn's ``TfidfVectorizer`` with its defaults has it."""

import math
import re
from collections import Counter


def similarity(first: str, second: str) -> float:
    """The cosine of both texts' vectors of tf-idf. Words of one character and the order of words
    count for nothing; two texts without longer words are alike only where they are the same."""
    counts = [Counter(re.findall(r"\b\w\w+\b", text.lower())) for text in (first, second)]
    if not counts[0] and not counts[1]:
        return float(first == second)
    weight = {word: math.log(3 / (1 + sum(word in each for each in counts))) + 1 for word in counts[0] | counts[1]}  # fmt: skip
    vectors = [{word: many * weight[word] for word, many in each.items()} for each in counts]
    lengths = [math.sqrt(sum(value * value for value in each.values())) for each in vectors]
    if not all(lengths):
        return 0.0
    product = sum(value * vectors[1].get(word, 0.0) for word, value in vectors[0].items())
    return product / lengths[0] / lengths[1]
