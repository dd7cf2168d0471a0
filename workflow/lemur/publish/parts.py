"""The parts of what is sent, from a run's files: model, data set, report, provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCardData

from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.corpus.licences import PERMISSIVE
from lemur.corpus.totals import read_statistics
from lemur.publish.licences import model_refusals, refusals
from lemur.publish.offer import File, Part, folder_files

PIPELINE = "Apache-2.0"
MOST = 8  # licences of a corpus that are named, from the commonest


@dataclass(frozen=True)
class Made:
    """A run's files. ``card``: README.md with scores, ``.eval_results`` beside it; ``documents`` and
    ``statistics``: of the cleaned corpus, whose folder holds ``datasheet`` and ``croissant``."""

    model: Path | None = None
    card: Path | None = None
    documents: Sequence[Path] = ()
    statistics: Sequence[Path] = ()
    datasheet: Path | None = None
    croissant: Path | None = None
    report: Path | None = None
    crate: Path | None = None


def corpus_licences(statistics: Sequence[Path]) -> Counter[str]:
    """Documents by the licence that each carries."""
    found: Counter[str] = Counter()
    for entry in read_statistics(statistics).values():
        found.update({licence: counts["documents"] for licence, counts in entry.licences.items()})
    return found


def _named(found: Counter[str]) -> list[str]:
    names = [name for name, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    more = len(names) - MOST
    return [*names[:MOST], *([f"{more} more"] if more > 0 else [])]


def _model(spec: Mapping[str, Any], made: Made) -> Part:
    assert made.model and made.card
    card = [File(made.card, "README.md")]
    card += folder_files(made.card.parent / ".eval_results", ".eval_results/")
    notes = [
        f"trained on text that {source['generated_by']} wrote ({source['licence']})"
        + (f": {source['terms']}" if "terms" in source else "")
        for source in spec["generated"]
    ]
    return Part(
        "model",
        f"Model {spec['recipe']}-{spec['model']}, weights and card",
        [*folder_files(made.model, without=["README.md"]), *card],
        [spec["model_licence"]],
        notes,
        model_refusals(spec["model_licence"]),
    )


def _dataset(spec: Mapping[str, Any], made: Made, work: Path) -> Part:
    assert made.datasheet and made.croissant
    found = corpus_licences(made.statistics)
    root = made.croissant.parent
    card = work / "dataset" / "README.md"
    plain = [name for name in found if name in PERMISSIVE]
    licence_name = plain[0].lower() if len(found) == 1 and plain else "other"
    facts = DatasetCardData(
        license=licence_name,
        pretty_name=f"Lemur corpus {spec['corpus']}",
        tags=["code", "pretraining"],
        configs=[{"config_name": "default", "data_files": "*/part-*.parquet"}],
    )
    datasheet = made.datasheet.read_text(encoding="utf-8")
    write_text(card, f"---\n{facts.to_yaml()}\n---\n{datasheet}")
    files = [File(path, path.relative_to(root).as_posix()) for path in made.documents]
    return Part(
        "dataset",
        f"Corpus {spec['corpus']}, cleaned documents with datasheet",
        [File(card, "README.md"), File(made.croissant, "croissant.json"), *files],
        _named(found),
        ["each document keeps its own licence, in its column `licence`"],
        refusals(found, spec.get("licence")),
    )


def build(spec: Mapping[str, Any], made: Made, work: Path) -> list[Part]:
    """The parts that ``spec['what']`` names, in that order; ``work`` takes files made for sending alone."""
    parts = []
    for name in spec["what"]:
        if name == "model":
            parts.append(_model(spec, made))
        elif name == "dataset":
            parts.append(_dataset(spec, made, work))
        elif name == "report":
            assert made.report
            # The report shows documents of the corpus, so that their licences are its own too.
            found = corpus_licences(made.statistics)
            parts.append(
                Part(
                    "report",
                    f"Report of recipe {spec['recipe']}",
                    [File(made.report, "report.html")],
                    [f"{PIPELINE}, excerpts as the corpus"],
                    refusals=refusals(found, spec.get("licence")),
                )
            )
        else:
            assert made.crate
            kept = folder_files(made.crate.parent / "ro-crate", "ro-crate/")
            parts.append(
                Part(
                    "crate",
                    "How every file was made: RO-Crate metadata, recipes and configuration",
                    [File(made.crate, made.crate.name), *kept],
                    [PIPELINE],
                )
            )
    if not parts:
        raise UserError("publish: nothing to send")
    return parts
