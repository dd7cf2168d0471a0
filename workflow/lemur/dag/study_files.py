"""What a study reads and makes."""

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lemur.config import paths
from lemur.dag.run import Run, refuse

NOT_NAMED = "goes with --config study=<name of config/studies>"


class StudyFiles:
    """The files of a run's study; empty where the command names none."""

    def __init__(self, run: Run):
        self.run = run
        self.cells = run.study.cells if run.study else ()

    def file(self, name: str) -> Callable[[Any], str]:
        """One of a study's results; refused where no study is named."""

        def path(wildcards: Any) -> str:
            if not self.run.study:
                refuse(f"target study: {NOT_NAMED}")
            return f"{self.run.file(paths.STUDY)}/{name}"

        return path

    def scored_first(self, usual: int) -> int:
        """The priority of scoring: above all training in a study, so that what is finished of it says
        something while cells are missing; ``usual`` elsewhere."""
        return 1 if self.cells else usual

    @property
    def results(self) -> list[str]:
        """A study's verdict, table and figure."""
        return [self.file(name)(None) for name in ("verdict.txt", "table.md", "study.svg")]

    @property
    def scores(self) -> list[str]:
        """scores.json of every measure of every cell."""
        if not self.run.study:
            return []
        design = self.run.study.design
        whole = [
            (cell.recipe, cell.model, benchmark)
            for cell in self.cells
            for benchmark in design.measures.values()
        ]
        on_the_way = [
            (cell.recipe, f"pretrained-step-{step}", design.measures[measure])
            for cell in self.cells
            for step in cell.steps
            for measure in design.checkpoint_measures
        ]
        return [
            paths.SCORES.format(recipe=recipe, model=model, benchmark=benchmark)
            for recipe, model, benchmark in (*whole, *on_the_way)
        ]

    @property
    def mixtures(self) -> list[str]:
        """What the cells were trained on: epochs of each source."""
        return [
            paths.REALISED.format(recipe=cell.recipe)
            for cell in self.cells
            if cell.share is not None
        ]

    @property
    def tables(self) -> list[str]:
        """Plan against realised, of the recipe or of every cell."""
        named = self.run.study.recipes if self.run.study else self.run.recipes
        return [paths.MIXTURE_TABLE.format(recipe=name) for name in named]

    def report(self, wildcards: Any) -> str:
        """Where what is known of a study so far is kept, to be committed; refused where none is
        named."""
        if not self.run.study:
            refuse(f"target study_so_far: {NOT_NAMED}")
        return f"reports/study/{self.run.name}/analysis.json"


def existing(files: Iterable[str]) -> str:
    """Those of the files that have been made, as words of a command line."""
    return " ".join(shlex.quote(path) for path in files if Path(path).exists())
