"""Models that are trained and scored, the benchmarks that they are asked, and the scores."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lemur.config import paths, stages
from lemur.config.values import Values
from lemur.core.provenance import ROOT
from lemur.dag.downloads import manifests
from lemur.dag.run import Run

# Names of the models that a recipe trains, and the stage that makes each.
TRAINED = {"pretrained": "pretrain", "chat": "sft"}


def start_folder(recipe: Values) -> str:
    """Where a recipe's starting model lies: DONE.json and model/."""
    trained_by = recipe["base"].get("pretrained_by")
    if trained_by:
        return paths.PRETRAIN.format(recipe=trained_by)
    return paths.BASE_FOLDER.format(base=recipe["base"]["name"])


def folder_beside(done: Any) -> Path | str:
    """The folder of a model from what ``ScoredModels.done`` names; ``none`` where that is nothing."""
    if not done:
        return "none"
    path = Path(str(done))
    return path.parent / "model" if path.name == "DONE.json" else path.parent


def model_folder(wildcards: Any, input: Any) -> Path | str:
    """Where a scored model lies; ``none`` where a server has it."""
    return folder_beside(input.model)


class ScoredModels:
    """The models of a run and their scores."""

    TRAINED = TRAINED

    def __init__(self, run: Run):
        self.run = run

    # -- models -----------------------------------------------------------------------------------

    @property
    def prepared(self) -> list[str]:
        """Names under resources/models/: bases that no run trains, and baselines that are downloaded."""
        bases = [point["base"]["name"] for point in self.run.recipes.values()]
        published = [entry["name"] for entry in self.run.baselines if "from" in entry]
        return list(dict.fromkeys([*bases, *published]))

    @property
    def names(self) -> str:
        """The wildcard ``model`` as a pattern: who is scored and who plays."""
        published = (re.escape(entry["name"]) for entry in self.run.baselines)
        own = ("start", "pretrained", "chat", "gold", r"pretrained-step-\d+")
        return "|".join([*own, *published])

    @property
    def trained(self) -> list[str]:
        """The models that the recipe trains and scores."""
        return [name for name in TRAINED if name in self.run.recipe["evaluate"]["models"]]

    def done(self, wildcards: Any) -> str | list[str]:
        """DONE.json of a model that is scored, its folder being model/ beside it; or the model's own
        config.json; nothing where a server has it."""
        model = wildcards.model
        published = stages.baseline(self.run.recipe, model)
        if published is not None:
            if "served" in published:
                return []
            folder = published.get("folder")
            return f"{folder}/config.json" if folder else paths.BASE.format(base=published["name"])
        if model.startswith("pretrained-step-"):
            step = model.removeprefix("pretrained-step-")
            return paths.CHECKPOINT_MODEL.format(recipe=wildcards.recipe, step=step)
        if model == "start":
            return f"{start_folder(self.run.cell(wildcards))}/DONE.json"
        return paths.DONE.format(recipe=wildcards.recipe, stage=TRAINED[model])

    def start_done(self, wildcards: Any) -> str:
        """DONE.json of what a recipe's pretraining begins from."""
        return f"{start_folder(self.run.cell(wildcards))}/DONE.json"

    def start_model(self, wildcards: Any) -> str:
        """The folder of that model."""
        return f"{start_folder(self.run.cell(wildcards))}/model"

    def base_model(self, wildcards: Any) -> str:
        """The folder of the downloaded model that a recipe, or a cell of a study, is based on."""
        return paths.BASE_MODEL.format(base=self.run.cell(wildcards)["base"]["name"])

    @property
    def tokenizer(self) -> str:
        """The folder of the base, whose tokenizer conversations are written with."""
        return paths.BASE_FOLDER.format(base=self.run.recipe["base"]["name"])

    @property
    def sft_start(self) -> str:
        """The folder of what fine-tuning begins from: DONE.json and model/."""
        if self.run.recipe["sft"].get("from") == "start":
            return self.tokenizer
        return self.run.file(paths.PRETRAIN)

    # -- benchmarks -------------------------------------------------------------------------------

    def _benchmark(self, name: str) -> Values:
        listed = self.run.recipe["evaluate"]["benchmarks"]
        return next(item for item in listed if item["name"] == name)

    def data(self, wildcards: Any) -> str | Path:
        """A benchmark's own download, a file of the project, or the corpus' held-out split, which all
        cells of a study have in common."""
        entry = self._benchmark(wildcards.benchmark)
        if "heldout" in entry["data"]:
            return self.run.file(paths.HELDOUT, kind=entry["data"]["heldout"])
        if "actions" in entry["data"]:
            return ROOT / entry["data"]["actions"]
        return manifests("benchmarks", entry)[0]

    def judged_in(self, wildcards: Any) -> list[Any] | None:
        """The lock of a benchmark's own environment and whether it is built; None where it has none."""
        name = self._benchmark(wildcards.benchmark).get("environment")
        if name is None:
            return None
        return [self.run.lock(name), (ROOT / ".envs" / name / "lock.stamp").exists()]

    # -- scores -----------------------------------------------------------------------------------

    @property
    def scored(self) -> list[tuple[str, str]]:
        """(model, benchmark) of every score; a baseline has no held-out split to read."""
        part = self.run.recipe["evaluate"]
        own = [(model, item["name"]) for model in part["models"] for item in part["benchmarks"]]
        named = [item["name"] for item in part["benchmarks"] if "heldout" not in item["data"]]
        return [*own, *((x["name"], name) for x in self.run.baselines for name in named)]

    def files(self, pattern: str = paths.SCORES) -> list[str]:
        """A file of every score, in their order."""
        return [self.run.file(pattern, model=model, benchmark=name) for model, name in self.scored]

    @property
    def all_data(self) -> list[str | Path]:
        """The problems of each score, in the order of the scores."""
        return [self.data(SimpleNamespace(benchmark=name)) for _, name in self.scored]

    def scores_of_model(self, wildcards: Any) -> list[str]:
        """What a model's card says it reaches."""
        return [path for path in self.files() if f"/evaluate/{wildcards.model}/" in path]

    @property
    def cards(self) -> list[str]:
        """Cards with scores of the models that the recipe trains and scores."""
        return [self.run.file(paths.CARD, model=model) for model in self.trained]

    def forms(self, model: str) -> dict[str, Values]:
        """How each benchmark is put to a model, as its scores say it."""
        forms = {}
        for entry in self.run.recipe["evaluate"]["benchmarks"]:
            asked = stages.judge(self.run.recipe, model, entry["name"])
            form = {"format": asked["format"], "shots": int(asked.get("shots") or 0)}
            forms[entry["name"]] = form
        return forms
