"""Equal texts anywhere in a corpus: one survives, whatever the order of files and sources."""

import hashlib
import itertools

import as_json
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lemur.core.errors import UserError
from lemur.corpus import duplicates, writer

# source -> parts -> (path, text)
CORPUS = {
    "zlib": [[("a.py", "one"), ("b.py", "two")], [("c.py", "one"), ("d\te.py", "four")]],
    "alpha": [[("m.py", "three"), ("n.py", "one")]],
    "text": [[("x.txt", "five"), ("z.txt", "six")], [("d\te.py", "four"), ("a.txt", "six")]],
}


def write(folder, corpus):
    paths = []
    for source, parts in corpus.items():
        for part, documents in enumerate(parts):
            rows = [
                {
                    "id": hashlib.sha256(text.encode()).hexdigest(),
                    "path": path,
                    "language": "python",
                    "licence": "MIT",
                    "text": text,
                    "bytes": len(text),
                    "heldout": False,
                }
                for path, text in documents
            ]
            path = folder / source / f"part-{part}-of-{len(parts)}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema=writer.SCHEMA), path)
            paths.append(path)
    return paths


def found(folder, corpus):
    lists = {}
    for source in corpus:
        header, *lines = (folder / source / "duplicates.tsv").read_text().splitlines()
        assert header == duplicates.HEADER.strip()
        lists[source] = [tuple(line.split("\t")) for line in lines]
    return lists


def test_one_of_each_survives(tmp_path):
    as_json.duplicates({"sources": list(CORPUS)}, write(tmp_path, CORPUS), [], tmp_path)
    one, four, six = (hashlib.sha256(text).hexdigest() for text in (b"one", b"four", b"six"))
    assert found(tmp_path, CORPUS) == {
        "alpha": [],  # its n.py is the "one" that stays: first by source, then by path
        "text": [
            ("0", "1", six, "exact", "1.0000", "text", "a.txt")
        ],  # by path, though its part comes first
        "zlib": [
            ("0", "0", one, "exact", "1.0000", "alpha", "n.py"),
            ("1", "0", one, "exact", "1.0000", "alpha", "n.py"),
            ("1", "1", four, "exact", "1.0000", "text", "d\\te.py"),
        ],
    }


def test_no_order_matters(tmp_path):
    results = set()
    for number, order in enumerate(itertools.permutations(CORPUS)):
        folder = tmp_path / str(number)
        paths = write(folder, {name: CORPUS[name] for name in order})
        as_json.duplicates(
            {"sources": list(order)}, paths[::-1] if number % 2 else paths, [], folder
        )
        results.add(str(sorted(found(folder, CORPUS).items())))
    assert len(results) == 1


def test_equal_beginnings_of_ids_are_no_duplicates(tmp_path, monkeypatch):
    """The first pass compares 64 bits; the second must compare all of the id."""
    paths = write(tmp_path, {"a": [[("x", "one"), ("y", "two")]]})
    monkeypatch.setattr(duplicates, "_prefixes", lambda path: __import__("numpy").zeros(2, "u8"))
    as_json.duplicates({"sources": ["a"]}, paths, [], tmp_path)
    assert found(tmp_path, ["a"]) == {"a": []}


def test_source_of_another_corpus(tmp_path):
    paths = write(tmp_path, CORPUS)
    with pytest.raises(UserError, match="'zlib' is none of alpha, text"):
        as_json.duplicates({"sources": ["alpha", "text"]}, paths, [], tmp_path)


def test_empty_corpus_part(tmp_path):
    as_json.duplicates({"sources": ["a"]}, write(tmp_path, {"a": [[]]}), [], tmp_path)
    assert found(tmp_path, ["a"]) == {"a": []}
