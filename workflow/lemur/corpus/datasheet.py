"""A corpus' datasheet: what is in it, what every stage took out, and what it cannot promise."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lemur.core.contracts import read_file, write_file
from lemur.core.files import write_text
from lemur.corpus import ledger
from lemur.corpus.deduplication import Duplicates
from lemur.corpus.examples import COUNT
from lemur.corpus.markdown import markdown
from lemur.corpus.page import Block, Datasheet, SourceExample, Table
from lemur.corpus.spec import DatasheetSpec, Pin
from lemur.corpus.totals import STEPS, Entry, read_statistics
from lemur.data.drop_lists import overlap_counts

LIMITS = (
    "Names of people, postal addresses and telephone numbers are not looked for. Keys and passwords "
    "are found by shape, or quoted beside a telling name; others stay.",
    "An IP address whose four numbers are all below 32 is taken for a version and stays; a version "
    "with larger numbers may be replaced where nothing before it says that it is one.",
    "Licences are those that packages and file headers state. Nobody checked that a file's author "
    "could give it.",
    "Near-duplicates are compared by runs of words and operators (of characters, in scripts without "
    "blanks); a formatter's work makes no difference. A translation, a renaming of all variables or a "
    "paraphrase is not found.",
    "Where more than 64 documents share a band of their signatures, each is compared with 64 "
    "neighbours by size and not with all; a near-duplicate among them may stay.",
    "Decontamination finds long common runs of words with the benchmarks of this recipe, not "
    "paraphrased problems, and no benchmark that the recipe does not evaluate.",
    "Text is English as a classifier of 176 languages sees the middle of each document.",
    "The thresholds are those of papers on web text and on GitHub; on documentation with code in "
    "it they drop some good documents.",
)


def _size(number: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            return f"{number / scale:.2f} {unit}"
    return f"{number:.0f} B"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[Block]:
    return [Block(table=Table(tuple(head), tuple(tuple(map(str, row)) for row in rows)))]


def _summed(entries: Iterable[Entry], name: str) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for entry in entries:
        for key, counts in getattr(entry, name).items():
            found.setdefault(key, Counter()).update(counts)
    return found


def _by_size(found: dict[str, Counter[str]], key: str = "bytes") -> list[tuple[str, Counter[str]]]:
    return sorted(found.items(), key=lambda item: (-item[1][key], item[0]))


def _sources(entries: Sequence[Entry], pins: Mapping[str, Pin]) -> list[Block]:
    rows = []
    for entry in entries:
        pin = pins[entry.name]
        stands = pin.status + (f" for {pin.substitute_for}" if pin.substitute_for else "")
        licences = ", ".join(name for name, _ in _by_size(entry.licences)) or pin.licence
        rows.append((entry.name, entry.kind, licences, stands, pin.citation or ""))
    return _table(("source", "kind", "licence", "towards the paper", "citation"), rows)


def _stages(entries: Sequence[Entry]) -> list[Block]:
    head = ("source", "downloaded", "read", "cleaned", "not held out", "no exact copies")
    rows = []
    total: list[float] = [0] * 7
    for entry in entries:
        sizes = [entry.downloaded, entry.read["bytes"], entry.left()["bytes"]]
        sizes += [entry.left(step)["bytes"] for step in STEPS]
        total = [a + b for a, b in zip(total, sizes, strict=True)]
        rows.append((entry.name, *map(_size, sizes)))
    rows.append(("all", *map(_size, total)))
    return _table((*head, "no near copies", "no benchmark text"), rows)


def _taken(entries: Sequence[Entry]) -> list[Block]:
    rows = []
    for entry in entries:
        counts = [entry.cleaned["documents"]]
        counts += [entry.taken.get(step, Counter())["documents"] for step in STEPS]
        rows.append(
            (entry.name, *(f"{n:,}" for n in (*counts, entry.left(STEPS[-1])["documents"])))
        )
    return _table(("source", "cleaned", *STEPS, "trainable"), rows)


def _examples(entries: Sequence[Entry], which: str) -> Block:
    """Ten, from as many sources as there are: the first of each, then the second, ..."""
    queues = [(entry.name, list(entry.examples.get(which, []))) for entry in entries]
    chosen: list[SourceExample] = []
    while len(chosen) < COUNT and any(queue for _, queue in queues):
        for name, queue in queues:
            if queue and len(chosen) < COUNT:
                example = queue.pop(0)
                chosen.append(
                    SourceExample(
                        name, example.path, example.language, example.text, example.reason
                    )
                )
    return Block(examples=tuple(chosen))


def blocks(
    spec: DatasheetSpec,
    entries: Sequence[Entry],
    duplicates: Duplicates,
    overlaps: dict[str, Counter[str]],
) -> list[Block]:
    """The datasheet's content."""
    trained = sum(entry.left(STEPS[-1])["bytes"] for entry in entries)
    made: list[Block] = [
        Block(
            text=f"{spec.description}. {_size(trained)} of text may be trained on. Written "
            f"from the statistics of recipe {spec.recipe}'s run; sizes are bytes of UTF-8 text."
        ),
        *(Block(text=said) for entry in entries if (said := entry.nothing_kept())),
        Block(heading="Sources"),
        *_sources(entries, {pin.name: pin for pin in spec.sources}),
        Block(heading="Size after each stage"),
        Block(text="A document that several stages would take counts under the first."),
        *_stages(entries),
        Block(text="Documents that each stage took away:"),
        *_taken(entries),
        Block(heading="Languages and licences, cleaned"),
    ]
    for name in ("languages", "licences"):
        found = _by_size(_summed(entries, name))
        rows = [(key, f"{n['documents']:,}", _size(n["bytes"])) for key, n in found]
        made += _table((name.removesuffix("s"), "documents", "size"), rows)
    dropped = _by_size(_summed(entries, "dropped"), "files")
    made.append(Block(heading="Dropped while cleaning"))
    rows = [(key.replace("_", " "), f"{n['files']:,}", _size(n["bytes"])) for key, n in dropped]
    made += _table(("reason", "files", "size"), rows)
    redacted = _by_size(_summed(entries, "redacted"), "replaced")
    made.append(Block(heading="Replaced while cleaning"))
    rows = [(key, f"{n['replaced']:,}", f"{n['documents']:,}") for key, n in redacted]
    made += _table(("what", "times", "documents"), rows)
    settings = duplicates.deduplication
    how = (
        f"Near means a Jaccard index of at least {settings.jaccard} between the sets of runs of "
        f"{settings.shingle} words and operators"
        if settings
        else "Only equal documents were looked for"
    )
    largest = ", ".join(map(str, duplicates.largest_clusters)) or "none"
    made += [
        Block(heading="Duplicates"),
        Block(text=f"{how}. {duplicates.clusters} clusters; largest: {largest}."),
    ]
    rows = [
        (name, f"{found.exact.documents:,}", f"{found.near.documents:,}")
        + (_size(found.exact.bytes), _size(found.near.bytes))
        for name, found in duplicates.sources.items()
    ]
    made += _table(("source", "exact", "near", "exact, size", "near, size"), rows)
    made.append(Block(heading="Overlap with benchmarks"))
    rows = [(name, f"{n['documents']:,}", f"{n['problems']:,}") for name, n in overlaps.items()]
    if rows:
        made += _table(("benchmark", "documents dropped", "its problems found"), rows)
    else:
        made.append(Block(text="No document overlaps a benchmark of this recipe."))
    made += [Block(heading="Ten documents kept"), _examples(entries, "kept")]
    made += [Block(heading="Ten documents dropped"), _examples(entries, "dropped")]
    return [*made, Block(heading="Known limits"), Block(items=LIMITS)]


def run(
    spec: DatasheetSpec,
    statistics: Sequence[Path],
    documents: Sequence[Path],
    duplicates: Sequence[Path],
    facts: Path,
    overlaps: Path,
    out: Path,
) -> None:
    """Write ``out`` (Markdown) and beside it the same as JSON, from what the stages left."""
    entries = read_statistics(statistics, [pin.name for pin in spec.sources])
    ledger.take_away(entries, documents, duplicates, overlaps)
    found = read_file(Duplicates, facts)
    content = blocks(spec, list(entries.values()), found, overlap_counts(overlaps))
    write_file(json_path(out), Datasheet(spec.corpus, tuple(content)))
    write_text(out, markdown(f"Corpus {spec.corpus}", content))


def json_path(out: Path) -> Path:
    """Where the same content stands as data, for the report."""
    return out.with_suffix(".json")
