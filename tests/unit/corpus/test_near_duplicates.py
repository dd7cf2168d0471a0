"""Nearly equal documents: all of them and nothing else, in any order and any shards."""

import itertools
import random

import as_json
import numpy as np
import pytest
from lemur.core.contracts import read
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.corpus import near_duplicates
from lemur.corpus.deduplication import Settings
from lemur.data.shingles import Shingler
from made_corpus import document, sign_parts, write_part

SETTINGS = {"jaccard": 0.85, "shingle": 5, "permutations": 256, "bands": 32}


def words(count, seed):
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(count)]


def changed(base, places, seed):
    made = list(base)
    for place, word in zip(places, words(len(places), seed), strict=True):
        made[place] = word
    return made


def run(folder, sources, settings=SETTINGS, heldout=()):
    """{source: rows} of duplicates.tsv for ``sources`` = {source: [[(path, words)] a part]}."""
    paths = []
    for source, parts in sources.items():
        for part, documents in enumerate(parts):
            rows = [
                {**document(" ".join(text), heldout=path in heldout), "path": path}
                for path, text in documents
            ]
            paths.append(write_part(folder, source, rows, part, len(parts)))
    signed = sign_parts(paths, settings) if settings else []
    as_json.duplicates({"sources": list(sources), "deduplication": settings}, paths, signed, folder)
    found = {}
    for source in sources:
        lines = (folder / source / "duplicates.tsv").read_text().splitlines()
        found[source] = [
            dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]
        ]
    assert not list(folder.glob(".near*"))
    return found


def dropped(found):
    return {(source, row["id"]) for source, rows in found.items() for row in rows}


def test_threshold_and_survivor(tmp_path):
    base = words(400, 1)
    close, far = changed(base, [10, 200], 2), changed(base, range(0, 400, 20), 3)
    found = run(
        tmp_path, {"b": [[("1", base), ("2", far)]], "a": [[("9", close), ("8", words(99, 4))]]}
    )
    assert found["a"] == []
    (row,) = found["b"]
    assert (row["part"], row["row"], row["reason"]) == ("0", "0", "near")
    assert (row["kept_source"], row["kept_path"]) == ("a", "9")
    # 396 shingles each; every change touches five.
    assert row["similarity"] == f"{(396 - 10) / (396 + 10):.4f}"
    assert read_json(tmp_path / "duplicates.json")["sources"]["b"]["near"]["documents"] == 1


def test_a_chain_is_one_cluster(tmp_path):
    """a~b~c, and a unlike c: one of the three stays."""
    a = words(400, 1)
    b = changed(a, range(5, 60, 10), 2)
    c = changed(b, range(105, 160, 10), 3)
    found = run(tmp_path, {"s": [[("a", a), ("b", b), ("c", c)]]})
    assert [row["reason"] for row in found["s"]] == ["near", "near"]
    last = float(found["s"][1]["similarity"])
    assert last < 0.85 < float(found["s"][0]["similarity"])
    assert {row["kept_path"] for row in found["s"]} == {"a"}


def test_a_heldout_document_survives(tmp_path):
    """What is trained on must not be nearly what is measured on."""
    base = words(300, 1)
    found = run(
        tmp_path,
        {"a": [[("a", base)]], "z": [[("z", changed(base, [7], 2))]]},
        heldout=("z",),
    )
    assert [row["kept_source"] for row in found["a"]] == ["z"]
    assert found["z"] == []


def test_copies_of_a_near_duplicate_go_with_it(tmp_path):
    base = words(300, 1)
    other = changed(base, [7], 2)
    found = run(tmp_path, {"a": [[("a", base)]], "b": [[("b", other), ("c", other)]]})
    assert [(row["reason"], row["kept_path"]) for row in found["b"]] == [
        ("near", "a"),
        ("exact", "a"),
    ]
    assert found["b"][0]["similarity"] == found["b"][1]["similarity"] != "1.0000"


def made_family(seed):
    """Documents at every similarity around the threshold: code's words and operators."""
    draw = random.Random(seed)
    base = words(draw.randrange(60, 500), seed)
    base[3::4] = draw.choices(["+", "-=", "==", "**"], k=len(base[3::4]))
    yield base
    for step in range(4):
        places = draw.sample(range(len(base)), draw.randrange(1, max(2, len(base) // 18)))
        yield changed(base, places, f"{seed} {step}")


def exact_clusters(documents):
    """{path: smallest path of its component} by the exact index of every pair, of the same shingles
    as the signatures are of."""
    sets = {}
    for path, text in documents:
        data = np.frombuffer(" ".join(text).encode(), np.uint8)
        hashes, _ = Shingler(SETTINGS["shingle"]).hash_shingles(data, np.array([0, len(data)]))
        sets[path] = set(hashes.tolist())
    component = {path: path for path in sets}
    for combination, other in itertools.combinations(sorted(sets), 2):
        a, b = sets[combination], sets[other]
        if len(a & b) >= 0.85 * len(a | b):
            old, new = sorted((component[combination], component[other]))[::-1]
            component = {path: new if its == old else its for path, its in component.items()}
    return component


def test_recall_and_precision_against_every_pair(tmp_path):
    documents = [
        (f"{family:02d}-{number}", text)
        for family in range(40)
        for number, text in enumerate(made_family(family))
    ]
    wanted = {path for path, first in exact_clusters(documents).items() if path != first}
    found = run(tmp_path, {"s": [documents]})
    names = [path for path, _ in documents]
    got = {names[int(row["row"])] for row in found["s"]}
    recall, precision = len(got & wanted) / len(wanted), len(got & wanted) / len(got)
    print(
        f"{len(wanted)} of {len(documents)} to drop: recall {recall:.4f}, precision {precision:.4f}"
    )
    assert 50 < len(wanted) < 150
    assert precision == 1.0
    assert recall >= 0.99


def test_neither_order_nor_shards_matter(tmp_path):
    documents = [
        (f"{family:02d}-{number}", text)
        for family in range(12)
        for number, text in enumerate(made_family(family))
    ]
    results = set()
    for parts in (1, 2, 5):
        for backwards in (False, True):
            folder = tmp_path / f"{parts}{backwards}"
            order = documents[::-1] if backwards else documents
            found = run(folder, {"s": [order[k::parts] for k in range(parts)]})
            kept = {
                (row["id"], row["reason"], row["similarity"], row["kept_path"])
                for row in found["s"]
            }
            results.add(tuple(sorted(kept)))
            facts = read_json(folder / "duplicates.json")
            facts.pop("compared_pairs"), facts.pop("accepted_pairs")
            results.add(str(facts))
    assert len(results) == 2


def test_many_copies_cost_few_comparisons(tmp_path):
    """A cluster of n is joined by n - 1 pairs, whatever number of bands its members share."""
    base = words(200, 1)
    documents = [(f"{k:03d}", changed(base, [k], k)) for k in range(100)]
    found = run(tmp_path, {"s": [documents]})
    facts = read_json(tmp_path / "duplicates.json")
    assert len(found["s"]) == 99 and facts["largest_clusters"] == [100]
    assert facts["accepted_pairs"] == 99 == facts["compared_pairs"]


def form_letters(count):
    """Documents of one form, 300 words in common and 80 of their own: every index is about 0.65."""
    base = words(300, 1)
    return [(f"{k:04d}", base + words(80, f"own {k}")) for k in range(count)]


def test_a_crowd_of_near_misses_costs_a_bounded_number_of_comparisons(tmp_path, monkeypatch):
    """Documents that share bands and are no duplicates: the pairs grow with them, not squared."""
    monkeypatch.setattr(near_duplicates, "NEIGHBOURS", 4)
    pairs = {}
    for count in (100, 200):
        copy = [("9999", form_letters(count)[7][1][:-1] + ["other"])]
        found = run(tmp_path / str(count), {"s": [form_letters(count) + copy]})
        assert [row["kept_path"] for row in found["s"]] == ["0007"]
        facts = read_json(tmp_path / str(count) / "duplicates.json")
        assert facts["crowded_buckets"] > 0
        pairs[count] = facts["compared_pairs"]
    assert pairs[200] < 2.5 * pairs[100]


def test_a_crowd_is_the_same_in_any_order_and_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(near_duplicates, "NEIGHBOURS", 4)
    documents = form_letters(150)
    documents += [(f"9{k}", text[:-1] + ["other"]) for k, (_, text) in enumerate(documents[:20])]
    results = set()
    for parts in (1, 3):
        folder = tmp_path / str(parts)
        found = run(folder, {"s": [documents[::-1][k::parts] for k in range(parts)]})
        results.add(tuple(sorted((row["id"], row["kept_path"]) for row in found["s"])))
        results.add(read_json(folder / "duplicates.json")["crowded_buckets"])
    assert len(results) == 2 and 0 not in results


def test_signatures_that_do_not_fit_are_refused(tmp_path):
    paths = [write_part(tmp_path, "s", [document("a b c d e f g"), document("h i j k l m n")])]
    spec = {"sources": ["s"], "deduplication": SETTINGS}
    with pytest.raises(UserError, match=r"part-0-of-1.parquet: no signatures of it are given"):
        as_json.duplicates(spec, paths, [], tmp_path)
    signed = sign_parts(paths, {**SETTINGS, "bands": 16})
    with pytest.raises(UserError, match="16 bands, deduplication.bands is 32; sign again"):
        as_json.duplicates(spec, paths, signed, tmp_path)
    signed = sign_parts(paths, SETTINGS)
    signed[0].write_bytes(signed[0].read_bytes()[:-3])
    with pytest.raises(UserError, match="not a whole signatures file"):
        as_json.duplicates(spec, paths, signed, tmp_path)
    signed = sign_parts(paths, SETTINGS)
    write_part(tmp_path, "s", [document("a b c d e f g")])
    with pytest.raises(UserError, match="2 documents, its part has 1; sign again"):
        as_json.duplicates(spec, paths, signed, tmp_path)


def test_without_words(tmp_path):
    """Documents without a word are not alike; short ones are compared whole."""
    found = run(
        tmp_path, {"s": [[("a", ["!!!"]), ("b", ["???"]), ("c", ["x", "y"]), ("d", ["x", " y"])]]}
    )
    assert [row["kept_path"] for row in found["s"]] == ["c"]


def test_exact_only(tmp_path):
    base = words(300, 1)
    found = run(tmp_path, {"s": [[("a", base), ("b", changed(base, [1], 1)), ("c", base)]]}, None)
    assert [row["reason"] for row in found["s"]] == ["exact"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bands": 3}, "256 is no multiple of bands 3"),
        ({"jaccard": 0}, "deduplication.jaccard is 0"),
        ({"band": 3}, "deduplication: unknown key 'band'"),
    ],
)
def test_settings_that_cannot_be(change, said):
    with pytest.raises(UserError, match=said):
        read(Settings, {**SETTINGS, **change}, "deduplication")
