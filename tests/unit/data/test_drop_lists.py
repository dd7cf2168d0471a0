import json

import pytest
from lemur.core.errors import UserError
from lemur.data.documents import shards
from lemur.data.drop_lists import read_duplicates, read_overlaps
from lemur.mixture.benchmark_texts import Problem
from lemur.mixture.decontaminate import Index
from lemur.mixture.heldout import HeldoutSpec, beginning, choose, write
from lemur.mixture.overlaps import write_overlaps
from made_corpus import document, write_part

COPIED = "one copied sentence of a benchmark that is longer than thirteen words in all surely"


def test_each_overlap_is_listed_with_what_it_matched(tmp_path):
    write_part(tmp_path, "b", [document("clean"), document(f"x {COPIED} y")], 0, 2)
    write_part(tmp_path, "b", [document(COPIED)], 1, 2)
    write_part(tmp_path, "a", [document("nothing")])
    found = shards(tmp_path.glob("*/*.parquet"))
    index = Index([Problem("bench", "7", (COPIED,), False)], 13, 10)
    out = tmp_path / "dropped.tsv"
    assert write_overlaps(found, index, out) == (4, 2)
    header, *lines = out.read_text().splitlines()
    assert header.split("\t") == ["source", "part", "row", "id", "benchmark", "item", "matched"]
    assert [line.split("\t")[:3] for line in lines] == [["b", "0", "1"], ["b", "1", "0"]]
    assert lines[0].split("\t")[4:] == ["bench", "7", " ".join(COPIED.split()[:13])]
    assert read_overlaps(out) == {"b": {(0, 1), (1, 0)}}


def test_duplicates_are_named_by_their_folder(tmp_path):
    path = tmp_path / "src" / "duplicates.tsv"
    path.parent.mkdir()
    path.write_text("part\trow\tid\tkept_source\tkept_path\n0\t5\tab\tother\tx.py\n")
    assert read_duplicates([path]) == {"src": {(0, 5)}}
    path.write_text("part\tid\n0\tab\n")
    with pytest.raises(UserError, match="lacks the column row"):
        read_duplicates([path])


def test_a_missing_part_is_an_error(tmp_path):
    write_part(tmp_path, "s", [document("a")], 0, 2)
    with pytest.raises(UserError, match=r"source 's': needs each of its parts once, has 0 of 2"):
        shards(tmp_path.glob("*/*.parquet"))
    with pytest.raises(UserError, match="not named"):
        shards([tmp_path / "s" / "documents.parquet"])


def spec(**changes):
    return HeldoutSpec(
        **{
            "kind": "code",
            "documents": 4,
            "max_bytes": 100,
            "seed": 1,
            "sources": ("a", "b"),
            **changes,
        }
    )


def heldout_corpus(tmp_path):
    for source, count in (("a", 9), ("b", 2)):
        rows = [document(f"{source} {k}\n" * 30, heldout=k % 3 != 0) for k in range(count)]
        write_part(tmp_path, source, rows)
    return shards(tmp_path.glob("*/*.parquet"))


def test_sources_take_turns_and_only_heldout_documents_come(tmp_path):
    found = heldout_corpus(tmp_path)
    chosen = choose(spec(), found)
    assert [one["source"] for one in chosen] == ["a", "b", "a", "a"]  # b has one held out
    assert all(int(one["text"].split()[1]) % 3 for one in chosen)
    assert all(len(one["text"].encode()) <= 100 and one["text"].endswith("\n") for one in chosen)
    assert choose(spec(), list(reversed(found))) == chosen
    assert choose(spec(documents=2), found) == chosen[:2]
    assert choose(spec(seed=2), found) != chosen
    out = tmp_path / "code.jsonl"
    assert write(spec(), found, out) == 4
    assert list(json.loads(out.read_text().splitlines()[0])) == [
        "id",
        "source",
        "path",
        "language",
        "text",
    ]


def test_nothing_held_out_says_what_to_change(tmp_path):
    write_part(tmp_path, "a", [document("x")])
    with pytest.raises(UserError, match=r"held-out code: .*raise heldout.share"):
        choose(spec(sources=("a",)), shards(tmp_path.glob("*/*.parquet")))


def test_a_text_is_cut_at_a_line_and_never_inside_a_character():
    assert beginning("ab\ncd\nef", 7) == "ab\ncd\n"
    assert beginning("é" * 10, 5) == "éé"
    assert beginning("short", 99) == "short"
