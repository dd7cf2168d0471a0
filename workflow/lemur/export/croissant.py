"""A cleaned corpus as a Croissant data set with responsible-AI fields, written by mlcroissant.

It stands beside the datasheet and says the same in words that programs read: every file with its hash,
the columns of a document, licences, what was done to the text, its limits. Paths are relative to its own
folder, so that ``mlcroissant.Dataset("croissant.json")`` reads the documents where they lie. Needs the
environment ``formats``.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlcroissant as mlc

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.core.provenance import hash_of
from lemur.corpus.page import Datasheet
from lemur.corpus.part_statistics import PartStatistics
from lemur.corpus.spec import DatasheetSpec

Counts = dict[str, Counter[str]]
PAPER = "https://arxiv.org/abs/2310.06830"
PARQUET = "application/x-parquet"
FILES = "parquet-files"
COLUMNS = (
    ("id", mlc.DataType.TEXT, "identifier of the document: a digest of its source, path and text"),
    ("path", mlc.DataType.TEXT, "where it stood in its source"),
    ("language", mlc.DataType.TEXT, "programming language, or of text its format"),
    ("licence", mlc.DataType.TEXT, "SPDX expression of the document's own licence"),
    ("text", mlc.DataType.TEXT, "the document, cleaned"),
    ("bytes", mlc.DataType.INTEGER, "length of the text in UTF-8 bytes"),
    ("heldout", mlc.DataType.BOOL, "whether it is kept from training, to measure on"),
)
MOST = 20  # shares that are named, from the largest


def _summed(statistics: Sequence[PartStatistics], name: str) -> Counter[str]:
    """Bytes (of ``redacted``: replacements) by key, over all parts of all sources."""
    found: Counter[str] = Counter()
    for part in statistics:
        for key, counts in getattr(part, name).items():
            found[key] += counts.replaced if name == "redacted" else counts.bytes
    return found


def _shares(found: Counter[str]) -> str:
    total = sum(found.values()) or 1
    largest = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST]
    return ", ".join(f"{name} {100 * count / total:.1f}%" for name, count in largest) or "none"


def _licences(found: Counter[str]) -> list[str]:
    """Addresses at SPDX of plain names; an expression, or a name that SPDX lacks, as it stands."""
    return [
        name
        if " " in name or name.startswith("LicenseRef-")
        else f"https://spdx.org/licenses/{name}"
        for name in sorted(found)
    ]


def _limits(content: Datasheet) -> list[str]:
    """What the datasheet calls the corpus' known limits: the last list of its last section."""
    lists = [block.items for block in content.blocks if block.items is not None]
    return list(lists[-1]) if lists else []


def _responsible(
    spec: DatasheetSpec, statistics: Sequence[PartStatistics], content: Datasheet
) -> dict[str, Any]:
    """Croissant's responsible-AI fields, from what the stages counted."""
    sources = spec.sources
    kinds = sorted({str(source.kind) for source in sources})
    dropped = {name.replace("_", " ") for part in statistics for name in part.dropped}
    replaced = _summed(statistics, "redacted")
    found = ", ".join(f"{key}: {count:,}" for key, count in sorted(replaced.items())) or "none"
    return {
        "data_collection": f"Files of {len(sources)} pinned sources ({', '.join(kinds)}), each with its "
        "version and hash: packages of package indexes, repositories at a commit, data sets at a revision.",
        "data_collection_type": ["Software Collection", "Existing Data Sets"],
        "data_preprocessing_protocol": [
            f"Files are dropped for: {', '.join(sorted(dropped)) or 'nothing'}.",
            "Documents carry the licence that their package or their own header states; others are dropped.",
            "Copies, near-copies and documents that overlap benchmarks are named in drop lists and are "
            "left out when training data are packed; they still stand in these files.",
        ],
        "data_biases": [
            f"Bytes by language: {_shares(_summed(statistics, 'languages'))}.",
            f"Bytes by licence: {_shares(_summed(statistics, 'licences'))}.",
        ],
        "data_limitations": _limits(content),
        "personal_sensitive_information": [
            f"Replaced while cleaning: {found}.",
            "Names of people and postal addresses are not looked for.",
        ],
        "data_use_cases": ["Continued pretraining of language models on code and text."],
        "data_release_maintenance_plan": "Made again from its pins by the pipeline; a changed pin is "
        "another corpus.",
    }


def metadata(
    spec: DatasheetSpec,
    documents: Sequence[Path],
    statistics: Sequence[PartStatistics],
    content: Datasheet,
    folder: Path,
) -> mlc.Metadata:
    """The description of the corpus whose files lie below ``folder``; ``spec`` as the datasheet's."""
    context = mlc.Context()
    files = [
        mlc.FileObject(
            ctx=context,
            id=path.relative_to(folder).as_posix(),
            name=path.relative_to(folder).as_posix(),
            content_url=path.relative_to(folder).as_posix(),
            content_size=f"{path.stat().st_size} B",
            encoding_formats=[PARQUET],
            sha256=hash_of(path),
        )
        for path in documents
    ]
    every = mlc.FileSet(
        ctx=context, id=FILES, name=FILES, includes=["*/part-*.parquet"], encoding_formats=[PARQUET]
    )
    fields = [
        mlc.Field(
            ctx=context,
            id=f"documents/{name}",
            name=name,
            description=words,
            data_types=[kind],
            source=mlc.Source(
                ctx=context, file_set=FILES, extract=mlc.Extract(ctx=context, column=name)
            ),
        )
        for name, kind, words in COLUMNS
    ]
    citations = sorted({source.citation for source in spec.sources if source.citation is not None})
    return mlc.Metadata(
        ctx=context,
        name=f"lemur-corpus-{spec.corpus}",
        description=spec.description or f"Corpus {spec.corpus} of the Lemur pipeline",
        url=PAPER,
        cite_as="; ".join([f"Xu et al. 2023, Lemur, {PAPER}", *citations]),
        license=_licences(_summed(statistics, "licences")),
        keywords=["code", "text", "pretraining", "language model"],
        version="1.0.0",
        distribution=[*files, every],
        record_sets=[
            mlc.RecordSet(
                ctx=context,
                id="documents",
                name="documents",
                description="One cleaned document a row",
                fields=fields,
            )
        ],
        **_responsible(spec, statistics, content),
    )


def write(
    spec: DatasheetSpec,
    documents: Sequence[Path],
    statistics: Sequence[Path],
    datasheet: Path,
    out: Path,
) -> None:
    """Write ``out`` (croissant.json, in the corpus' folder) from what cleaning left; mlcroissant raises
    on a field that its specification does not allow."""
    parts = [read_file(PartStatistics, path) for path in statistics]
    try:
        made = metadata(spec, documents, parts, read_file(Datasheet, datasheet), out.parent)
    except mlc.ValidationError as error:
        raise UserError(f"{out}: {error}") from None
    write_json(out, json.loads(json.dumps(made.to_json(), default=str)))
