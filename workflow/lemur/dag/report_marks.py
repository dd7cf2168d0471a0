"""What `snakemake --report` shows of a file: caption, category and labels."""

from pathlib import Path
from typing import Any

from lemur.dag.figure_files import FigureFiles


def in_report(path: str, figures: FigureFiles) -> Any:
    """Mark a figure or a table, under its section of figures.yaml."""
    return _mark(
        path,
        caption="../reports/snakemake/figure.rst",
        category=lambda wildcards, output: figures.sections.get(Path(output[0]).stem),
        subcategory=lambda wildcards, output: (
            "Tables" if Path(output[0]).suffix == ".html" else "Figures"
        ),
        labels=lambda wildcards, output: {"figure": Path(output[0]).stem},
    )


def scores_in_report(path: str) -> Any:
    """Mark the scores of one model on one benchmark."""
    return _mark(
        path,
        caption="../reports/snakemake/scores.rst",
        category="Scores",
        subcategory="By benchmark",
        labels={"benchmark": "{benchmark}", "model": "{model}"},
    )


def page_in_report(figures: FigureFiles) -> Any:
    """Mark the recipe's own report."""
    return _mark(
        figures.report,
        caption="../reports/snakemake/page.rst",
        category="Report",
        labels={"recipe": figures.run.name},
    )


def _mark(path: str, **shown: Any) -> Any:
    from snakemake.io import report  # imports half of Snakemake

    return report(path, **shown)
