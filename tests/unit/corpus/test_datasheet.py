"""The datasheet and the mixture's table say what the lists and statistics say, to the document."""

import as_json
import pytest
from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.corpus import clean, datasheet, ledger, totals
from lemur.mixture import table
from lemur.mixture.planned import Plan, PlannedKind
from lemur.mixture.realised import Realised, RealisedKind, RealisedLanguage, RealisedSource
from made_corpus import document, sign_parts, write_part

WORDS = [f"word{k}" for k in range(300)]
BASE, CLOSE = " ".join(WORDS), " ".join([*WORDS[:-1], "other"])
SETTINGS = {"jaccard": 0.85, "shingle": 5, "permutations": 64, "bands": 16}


def statistics(source, kind, rows, **more):
    size = sum(row["bytes"] for row in rows)
    return {
        "source": source,
        "kind": kind,
        "licence": "MIT",
        "documents": len(rows),
        "bytes": size,
        "read": {"files": len(rows) + 2, "bytes": size + 500},
        "downloaded_bytes": 900,
        "dropped": {"too_short": {"files": 2, "bytes": 500}},
        "languages": {"python": {"documents": len(rows), "bytes": size}},
        "licences": {"MIT": {"documents": len(rows), "bytes": size}},
        "redacted": {"email": {"documents": 1, "replaced": 3}},
        "examples": {
            "kept": [{"path": "k|1.py", "language": "python", "text": "<b>\n# <EMAIL>"}],
            "dropped": [{"path": "d.py", "language": "python", "text": "", "reason": "licence"}],
        },
    } | more


@pytest.fixture
def corpus(tmp_path):
    """Paths and source names: a held-out, an exact copy, a near one, a contaminated and a good one."""
    one = [document(BASE), document("held out text", heldout=True), document("good and kept")]
    two = [document(BASE), document(CLOSE), document("a benchmark's problem"), document("fine")]
    parts = [write_part(tmp_path, "one", one), write_part(tmp_path, "two", two)]
    for path, rows in zip(parts, (one, two), strict=True):
        kind = "code" if path.parent.name == "one" else "text"
        write_json(clean.stats_path(path), statistics(path.parent.name, kind, rows))
    signed = sign_parts(parts, SETTINGS)
    as_json.duplicates(
        {"sources": ["one", "two"], "deduplication": SETTINGS}, parts, signed, tmp_path
    )
    overlaps = tmp_path / "dropped.tsv"
    head = "source\tpart\trow\tid\tbenchmark\titem\tmatched\n"
    # Row 0 is an exact copy already: it counts once, where the packer meets it first.
    lines = [
        "two\t0\t2\tx\thumaneval\t7\tw",
        "two\t0\t2\tx\thumaneval\t8\tw",
        "two\t0\t0\tx\tgsm8k\t1\tw",
    ]
    overlaps.write_text(head + "\n".join(lines) + "\n")
    lists = [tmp_path / name / "duplicates.tsv" for name in ("one", "two")]
    return [clean.stats_path(path) for path in parts], parts, lists, overlaps


def entries_of(corpus):
    stats, parts, lists, overlaps = corpus
    entries = totals.read_statistics(stats, ["one", "two"])
    ledger.take_away(entries, parts, lists, overlaps)
    return entries


def test_every_document_is_taken_once(corpus):
    entries = entries_of(corpus)
    taken = {
        name: {k: v["documents"] for k, v in entry.taken.items()} for name, entry in entries.items()
    }
    assert taken == {
        "one": {"heldout": 1, "exact": 0, "near": 0, "contaminated": 0},
        "two": {"heldout": 0, "exact": 1, "near": 1, "contaminated": 1},
    }
    assert entries["two"].left("near")["documents"] == 2
    assert entries["two"].left("contaminated") == {"documents": 1, "bytes": len("fine")}
    assert entries["one"].left()["documents"] == 3


def test_datasheet(corpus, tmp_path):
    stats, parts, lists, overlaps = corpus
    pins = [
        {"name": name, "licence": "MIT", "status": "substitute", "citation": f"{name} | authors"}
        for name in ("one", "two")
    ]
    spec = {"corpus": "c", "recipe": "r", "description": "Two sources", "sources": pins}
    out = tmp_path / "datasheet.md"
    as_json.datasheet(spec, stats, parts, lists, tmp_path / "duplicates.json", overlaps, out)
    text = out.read_text()
    assert "| two | 4 | 0 | 1 | 1 | 1 | 1 |" in text
    assert "| too short | 4 | 1.00 kB |" in text
    assert "| email | 6 | 2 |" in text
    assert "| humaneval | 1 | 2 |" in text and "| gsm8k | 1 | 1 |" in text
    assert "one \\| authors" in text
    assert (
        "&lt;b&gt;&#10;# &lt;EMAIL&gt;" in text
        and "<code>k|1.py</code>" in text
        and "dropped for licence" in text
    )
    assert "(not shown)" in text
    for limit in datasheet.LIMITS:
        assert limit in text
    first = out.read_bytes()
    as_json.datasheet(
        spec, stats[::-1], parts[::-1], lists[::-1], tmp_path / "duplicates.json", overlaps, out
    )
    assert out.read_bytes() == first
    assert "No document overlaps" not in text
    overlaps.write_text(overlaps.read_text().splitlines()[0] + "\n")
    as_json.datasheet(spec, stats, parts, lists, tmp_path / "duplicates.json", overlaps, out)
    assert "No document overlaps a benchmark of this recipe." in out.read_text()


def test_table(corpus):
    plan = Plan(
        recipe="r", seed=1, tokens=100, context=8, code_to_text=4.0, sequences=12,
        kinds={"code": PlannedKind(80, 10, 0.8), "text": PlannedKind(20, 2, 0.2)}, sources=(),
    )  # fmt: skip
    python = RealisedLanguage("python", 79, 80, 10, 0.5)
    realised = Realised(
        sequences=12, tokens=96, context=8, packing="best-fit", padding=0, truncated=4,
        code_to_text=5.0, languages={"code": {"python": 80}, "text": {"text": 16}},
        kinds={"code": RealisedKind(80, 10, 5 / 6), "text": RealisedKind(16, 2, 1 / 6)},
        sources=(
            RealisedSource("one", "code", 80, 80, 10, 1, 0.5, languages=(python,)),
            RealisedSource("two", "text", 20, 16, 2, 1, 1.0),
        ),
    )  # fmt: skip
    lines = [
        line.split() for line in table.render_table(plan, realised, entries_of(corpus)).splitlines()
    ]
    assert ["text", "20", "16", "20.00%", "16.67%"] in lines
    assert ["one/python", "79", "80", "+1", "83.33%", "0.5000"] in lines
    assert [
        "packing",
        "best-fit:",
        "0",
        "places",
        "of",
        "padding,",
        "4",
        "tokens",
        "cut",
        "off",
    ] in lines
    assert ["two", "text", "20", "16", "-4", "16.67%", "1", "1.0000"] in lines
    assert ["python", "code", "80", "83.33%"] in lines
    near = next(line for line in lines if line[:2] == ["two", "near"])
    cleaned = entries_of(corpus)["two"].cleaned["bytes"]
    assert near[2:] == ["1", f"{len(CLOSE):,}", f"{100 * len(CLOSE) / cleaned:.2f}%"]


def test_a_source_without_statistics(corpus):
    stats, *_ = corpus
    with pytest.raises(UserError, match="no statistics of source three"):
        totals.read_statistics(stats, ["one", "two", "three"])
    with pytest.raises(UserError, match="'two' is not one"):
        totals.read_statistics(stats, ["one"])


def test_facts_agree_with_the_lists(corpus, tmp_path):
    facts = read_json(tmp_path / "duplicates.json")
    assert facts["sources"]["two"]["exact"]["bytes"] == len(BASE)
    assert facts["clusters"] == 1
