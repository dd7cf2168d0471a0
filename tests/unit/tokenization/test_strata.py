"""Languages of a source that have weights of their own are packed as the plan has them."""

from pathlib import Path

import numpy as np
import pytest
from as_json import pack, plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.tokenization.pack import PACKINGS
from lemur.tokenization.selection import Source

LENGTHS = st.lists(st.integers(1, 30), min_size=4, max_size=20)


def source(name, lengths, languages):
    lengths = np.array(lengths, np.int64)
    number = np.arange(len(lengths)) % len(languages)
    file, start = np.zeros(len(lengths), np.int64), np.cumsum(lengths) - lengths
    return Source(name, [Path(f"{name}.bin")], file, start, lengths, number, languages)


def planned(tokens, context, weights):
    statistics = [
        {"source": name, "bytes": 100, "heldout_bytes": 0, "languages": dict.fromkeys(names, {})}
        for name, names in (("c", ("python", "sql")), ("t", ("text",)))
    ]
    spec = {"recipe": "r", "seed": 0, "tokens": tokens, "context": context, "code_to_text": 2}
    spec["weights"] = {"code": "bytes", "text": "bytes", "languages": {"c": weights}}
    spec["sources"] = [{"name": "c", "kind": "code"}, {"name": "t", "kind": "text"}]
    return plan(spec, statistics)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    code=LENGTHS,
    context=st.integers(2, 12),
    weights=st.lists(st.integers(0, 5), min_size=2, max_size=2).filter(any),
    packing=st.sampled_from(PACKINGS),
    data=st.data(),
)
def test_realised_is_within_a_sequence_of_every_level(code, context, weights, packing, data):
    sources = {"c": source("c", code, ["python", "sql"]), "t": source("t", code, ["text"])}
    # Budgets that every stratum can fill within ten epochs.
    tokens = data.draw(st.integers(context, max(context, 5 * min(code))))
    chosen = dict(zip(("python", "sql"), weights, strict=True))
    made = planned(tokens, context, chosen)
    spec = {"seed": 1, "context": context, "packing": packing, "max_epochs": 10}
    _, _, _, realised = pack(spec, made, sources)
    entry = realised["sources"][0]
    assert [one["name"] for one in realised["sources"]] == ["c", "t"]
    assert abs(entry["tokens"] - entry["planned_tokens"]) < context
    assert sum(language["tokens"] for language in entry["languages"]) == entry["tokens"]
    for one, share in zip(entry["languages"], weights, strict=True):
        assert abs(one["tokens"] - one["planned_tokens"]) < 2 * context
        assert share or one["tokens"] == 0
        assert realised["languages"]["code"].get(one["name"], 0) == one["tokens"]


def test_a_language_too_small_for_its_budget_is_named():
    sources = {"c": source("c", [5] * 10, ["python", "sql"]), "t": source("t", [50], ["text"])}
    made = planned(48, 4, {"python": 7, "sql": 1})
    with pytest.raises(UserError, match=r"'c/python' has 25 of 28 tokens \(1.12 epochs\)"):
        pack({"seed": 1, "context": 4, "packing": "concatenate", "max_epochs": 1}, made, sources)
