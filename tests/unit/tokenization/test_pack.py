import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from as_json import pack, plan
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.tokenization.pack import PACKINGS
from lemur.tokenization.selection import Source

GOLDEN = Path(__file__).parent / "golden_packing.json"


def source(name, lengths, languages=("python",)):
    lengths = np.array(lengths, np.int64)
    return Source(
        name=name,
        files=[Path(f"{name}.bin")],
        file=np.zeros(len(lengths), np.int64),
        start=np.cumsum(lengths) - lengths,
        length=lengths,
        language=np.arange(len(lengths)) % len(languages),
        languages=list(languages),
    )


def planned(tokens, context, ratio, sources):
    """A plan over sources named c... (code) and t... (text), by their tokens."""
    kinds = {"c": "code", "t": "text"}
    return plan(
        {
            "recipe": "r",
            "seed": 0,
            "tokens": tokens,
            "context": context,
            "code_to_text": ratio,
            "weights": {"code": "bytes", "text": "bytes"},
            "sources": [{"name": name, "kind": kinds[name[0]]} for name in sources],
        },
        [
            {"source": name, "bytes": sum(lengths), "heldout_bytes": 0}
            for name, lengths in sources.items()
        ],
    )


LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    code=st.lists(LENGTHS, min_size=1, max_size=3),
    text=LENGTHS,
    context=st.integers(2, 16),
    ratio=st.integers(1, 12),
    epochs=st.integers(1, 3),
    packing=st.sampled_from(PACKINGS),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_what_comes_out_is_the_plan(code, text, context, ratio, epochs, packing, seed, data):
    lengths = {f"c{k}": one for k, one in enumerate(code)} | {"t": text}
    most = epochs * min(sum(text) * (ratio + 1), sum(map(sum, code)) * (ratio + 1) // ratio)
    tokens = data.draw(st.integers(context, max(context, most)))
    made = planned(tokens, context, ratio, lengths)
    sources = {name: source(name, length) for name, length in lengths.items()}
    spec = {"seed": seed, "context": context, "packing": packing, "max_epochs": epochs}
    supply = {name: sum(length) * epochs for name, length in lengths.items()}
    wanted = {
        entry["name"]: entry["sequences"] * context if packing == "concatenate" else entry["tokens"]
        for entry in made["sources"]
    }
    if any(wanted[name] > supply[name] for name in wanted):
        with pytest.raises(UserError, match=r"epochs"):
            pack(spec, made, sources)
        event("refused")
        return
    event("packed")
    segments, bounds, files, realised = pack(spec, made, sources)
    by_name = {entry["name"]: entry for entry in realised["sources"]}
    for entry in made["sources"]:
        assert abs(by_name[entry["name"]]["tokens"] - entry["tokens"]) < context
    assert realised["tokens"] == segments["length"].sum()
    assert realised["padding"] == (len(bounds) - 1) * context - realised["tokens"]
    assert packing == "best-fit" or realised["padding"] == 0
    used = {name: {} for name in lengths}
    for k in range(len(bounds) - 1):
        runs = segments[bounds[k] : bounds[k + 1]]
        assert 0 < runs["length"].sum() <= context
        assert len(set(runs["file"])) == 1  # one source a sequence
        for run in runs:
            name = files[run["file"]].stem
            owner = sources[name]
            document = np.searchsorted(owner.start, run["start"], side="right") - 1
            end = int(owner.start[document] + owner.length[document])
            assert run["start"] + run["length"] <= end  # inside one document
            for token in range(int(run["start"]), int(run["start"] + run["length"])):
                used[name][token] = used[name].get(token, 0) + 1
    for name, counts in used.items():
        assert sum(counts.values()) == wanted[name]
        # No token comes more often than whole epochs, and the one begun, make it come.
        most = -(-wanted[name] // sum(lengths[name]))
        assert max(counts.values(), default=0) <= most
    assert sum(entry["sequences"] for entry in realised["sources"]) == realised["sequences"]


def test_a_small_budget_sees_the_whole_source():
    """Drawn from everywhere, not the first documents: 40 of 100 documents, all four languages."""
    languages = ("python", "sql", "shell", "javascript")
    sources = {"c": source("c", [10] * 100, languages), "t": source("t", [10] * 100)}
    made = planned(440, 10, 10, {"c": [10] * 100, "t": [10] * 100})
    spec = {"seed": 1, "context": 10, "packing": "concatenate", "max_epochs": 1}
    realised = pack(spec, made, sources)[3]
    assert sorted(realised["languages"]["code"]) == sorted(languages)
    assert realised["sources"][0]["documents"] == 40
    assert realised["code_to_text"] == 10.0


def test_a_source_does_not_move_when_another_is_replaced():
    one = {"c": [7] * 30, "t": [9] * 30}
    made = planned(110, 10, 10, one)
    spec = {"seed": 4, "context": 10, "packing": "concatenate", "max_epochs": 1}

    def starts(text_length):
        sources = {"c": source("c", one["c"]), "t": source("t", [text_length] * 30)}
        segments = pack(spec, made, sources)[0]
        return sorted(segments["start"][segments["file"] == 0].tolist())

    assert starts(9) == starts(11)


def test_too_small_a_source_says_epochs_and_the_largest_budget():
    lengths = {"c": [100], "t": [10]}
    made = planned(330, 10, 10, {"c": [100], "t": [10]})
    sources = {name: source(name, length) for name, length in lengths.items()}
    spec = {"seed": 1, "context": 10, "packing": "concatenate", "max_epochs": 1.0}
    with pytest.raises(UserError) as error:
        pack(spec, made, sources)
    line = str(error.value)
    assert "pretrain.tokens: 330" in line
    assert "'c' has 100 of 300 tokens (3.00 epochs)" in line
    assert "largest budget is about 110 tokens" in line
    assert "\n" not in line
    again = planned(110, 10, 10, lengths)
    assert pack(spec, again, sources)[3]["tokens"] == 110
    spec["max_epochs"] = 3
    realised = pack(spec, made, sources)[3]
    assert realised["sources"][0]["epochs"] == 3.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"packing": "bestfit"}, "did you mean 'best-fit'"),
        ({"context": 32}, "context: 32 here, 10 in the plan"),
    ],
)
def test_a_mistake_is_one_line(changes, words):
    lengths = {"c": [100], "t": [100]}
    sources = {name: source(name, length) for name, length in lengths.items()}
    spec = {"seed": 1, "context": 10, "packing": "concatenate", "max_epochs": 1, **changes}
    with pytest.raises(UserError, match=words):
        pack(spec, planned(110, 10, 10, lengths), sources)


@pytest.mark.parametrize("packing", PACKINGS)
def test_golden(packing):
    """The same mixture gives the same bytes for ever: a resumed run must not see other data.

    When this differs on purpose, raise VERSION["pack"] and write the file anew from what is shown.
    """
    lengths = {"c0": [5, 30, 2, 11, 8, 17], "c1": [20, 3, 3], "t": [9, 14, 1]}
    sources = {name: source(name, length) for name, length in lengths.items()}
    spec = {"seed": 2310, "context": 8, "packing": packing, "max_epochs": 2}
    segments, bounds, files, realised = pack(spec, planned(88, 8, 10, lengths), sources)
    made = {
        "segments": [[int(value) for value in run] for run in segments],
        "sequences": bounds.tolist(),
        "files": [str(file) for file in files],
        "realised": realised,
    }
    golden = json.loads(GOLDEN.read_text())
    assert json.loads(json.dumps(made)) == golden[packing], json.dumps(made)


def test_what_a_small_share_of_code_takes_a_larger_one_takes_too():
    """At one budget and seed: cells of a study are paired by their documents."""
    lengths = {"c0": [17] * 60, "c1": [29] * 20, "t": [23] * 70}
    sources = {name: source(name, length) for name, length in lengths.items()}
    spec = {"seed": 3, "context": 8, "packing": "concatenate", "max_epochs": 1}
    kinds = {"c0": "code", "c1": "code", "t": "text"}

    def taken(share):
        made = plan(
            {
                "recipe": "r", "seed": 3, "tokens": 1200, "context": 8, "code_share": share,
                "code_to_text": 10,
                "weights": {"code": "bytes", "text": "bytes"},
                "sources": [{"name": name, "kind": kind} for name, kind in kinds.items()],
            },
            [{"source": n, "bytes": sum(length), "heldout_bytes": 0} for n, length in lengths.items()],
        )  # fmt: skip
        segments, _, files, realised = pack(spec, made, sources)
        assert abs(realised["kinds"]["code"]["tokens"] - 1200 * Fraction(share)) < 3 * 8
        found = {"c": set(), "t": set()}
        for run in segments:
            name = files[run["file"]].stem
            found[name[0]] |= {(name, t) for t in range(run["start"], run["start"] + run["length"])}
        return found

    shares = ["0/1", "1/4", "1/2", "10/11", "1/1"]
    cells = [taken(share) for share in shares]
    for small, large in zip(cells, cells[1:], strict=False):
        assert small["c"] < large["c"] and small["t"] > large["t"]
    assert not cells[0]["c"] and not cells[-1]["t"]
