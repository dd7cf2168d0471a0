"""Files that other tools open, and what is sent to archives: what they are made of."""

import shlex
from pathlib import Path
from typing import Any

from lemur.config import paths, stages
from lemur.config.values import Values
from lemur.core.files import canonical
from lemur.dag.agent_files import AgentFiles
from lemur.dag.corpus_files import CorpusFiles
from lemur.dag.run import Run, refuse
from lemur.dag.scored_models import TRAINED, ScoredModels

PARTS = ("model", "dataset", "report", "crate")


class ExportFiles:
    """What a run exports and publishes."""

    def __init__(self, run: Run):
        self.run = run
        self.models = ScoredModels(run)
        self.agents = AgentFiles(run)
        self.corpus = CorpusFiles(run)
        self.folder = run.file(paths.EXPORT)
        self.croissant = run.file(paths.CROISSANT)
        self.samples = self.beside_scores("samples.jsonl")
        self.parts = list(run.config.get("what", PARTS))
        # The model that is sent: the last that the recipe trains and scores.
        self.sent = self.models.trained[-1] if self.models.trained else None

    def beside_scores(self, name: str) -> list[str]:
        """A file beside each score, in the order of the scores."""
        return [str(Path(path).with_name(name)) for path in self.models.files()]

    @property
    def all(self) -> list[str]:
        """What `snakemake export` makes: of everything that the recipe has, the files of other tools."""
        files = [f"{self.folder}/inspect", f"{self.folder}/every_eval_ever"]
        files += self.agents.files(paths.EPISODE_LOG)
        files += self.agents.files(paths.TRAJECTORIES)
        if self.run.only_scores:
            return files
        return [*files, f"{self.folder}/trackio", *self.models.cards, self.croissant]

    def card_slice(self, wildcards: Any) -> Values:
        """What a model's card says besides its scores."""
        catalogue = self.run.catalogue("benchmarks")
        return stages.card(self.run.recipe, wildcards.model, catalogue)

    def samples_slice(self) -> Values:
        """What was asked for each score, in the order of the scores."""
        return {"scored": [stages.generate(self.run.recipe, *pair) for pair in self.models.scored]}

    def slice(self) -> Values:
        """What exported files say of each score, in the order of the scores."""
        catalogue = self.run.catalogue("benchmarks")
        scored = self.models.scored
        return {"results": [stages.export(self.run.recipe, *pair, catalogue) for pair in scored]}

    # -- publish ----------------------------------------------------------------------------------

    def publish_spec(self, wildcards: Any) -> str:
        """What is sent, where to, and what its receivers have to know; refused where the command lacks
        it."""
        config, recipe = self.run.config, self.run.recipe
        if "to" not in config:
            refuse("publish needs where to: --config to=zenodo or to=hub")
        if config["to"] == "hub" and "repository" not in config:
            refuse("publish: to=hub needs repository=<owner>/<name>")
        if self.run.only_scores or self.run.study:
            refuse("publish sends what one recipe trained: name a recipe that trains a model")
        if "model" in self.parts and self.sent is None:
            refuse(f"publish: recipe '{self.run.name}' scores no model that it trains")
        generated = [source for source in recipe["sft"]["sources"] if "generated_by" in source]
        keys = ("to", "repository", "authors", "licence")
        return canonical(
            {
                **{key: config[key] for key in keys if key in config},
                "what": self.parts,
                "confirm": bool(config.get("confirm", False)),
                "recipe": self.run.name,
                "description": str(recipe.get("description") or f"A run of recipe {self.run.name}"),
                "corpus": recipe["corpus"]["name"],
                "model": self.sent,
                "model_licence": recipe["base"].get("licence", "unknown"),
                "generated": generated if self.sent == "chat" else [],
            }
        )

    def publish_files(self, wildcards: Any) -> dict[str, str | list[str]]:
        """What the parts that are sent are made of."""
        files: dict[str, str | list[str]] = {}
        if "model" in self.parts and self.sent:
            files["model"] = self.run.file(paths.DONE, stage=TRAINED[self.sent])
            files["card"] = self.run.file(paths.CARD, model=self.sent)
        if "dataset" in self.parts:
            files["documents"] = self.corpus.documents
            files["datasheet"] = self.run.file(paths.DATASHEET_PAGE)
            files["croissant"] = self.croissant
        if {"dataset", "report"} & set(self.parts):
            files["statistics"] = self.corpus.statistics
        if "report" in self.parts:
            files["report"] = self.run.file(paths.REPORT)
        if "crate" in self.parts:
            files["crate"] = paths.CRATE
        return files

    def publish_arguments(self, wildcards: Any, input: Any) -> str:
        """The same as words of a command line; many files as text that bash expands."""
        words = []
        for name, files in self.publish_files(wildcards).items():
            if name == "model":
                words.append(f"--model {shlex.quote(str(Path(str(files)).parent / 'model'))}")
            elif name == "documents":
                words.append(f"--documents {self.corpus.words(paths.DOCUMENTS)}")
            elif name == "statistics":
                words.append(f"--statistics {self.corpus.words(paths.STATISTICS)}")
            else:
                words.append(f"--{name} {shlex.quote(str(files))}")
        return " ".join(words)
