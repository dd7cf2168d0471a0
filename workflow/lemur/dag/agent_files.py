"""What agents play with, and what is made of it."""

import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lemur.config import paths, stages
from lemur.config.agents import with_parts
from lemur.config.values import Values
from lemur.core.errors import nearest
from lemur.core.provenance import ROOT
from lemur.cost import resources
from lemur.dag.downloads import manifests
from lemur.dag.run import Run, one_line, refuse
from lemur.dag.scored_models import ScoredModels, folder_beside


class AgentFiles:
    """The files of a run's agents."""

    def __init__(self, run: Run):
        self.run = run
        self.models = ScoredModels(run)

    def entry(self, wildcards: Any) -> Values:
        """The recipe's entry that a job plays."""
        return stages.environment(self.run.recipe, wildcards.environment)

    # -- what a job reads -------------------------------------------------------------------------

    def player(self, wildcards: Any) -> str | list[str]:
        """DONE.json of a model that plays; nothing for the known solutions."""
        return [] if wildcards.model == "gold" else self.models.done(wildcards)

    def teacher(self, wildcards: Any) -> str | list[str]:
        """DONE.json of the model that gives feedback there; nothing where none does or a server has
        it."""
        name = stages.teacher(self.run.recipe, wildcards.environment)
        if not name:
            return []
        return self.models.done(SimpleNamespace(recipe=wildcards.recipe, model=name))

    def threads(self, wildcards: Any) -> int:
        """A model's, also of one that only teaches; known solutions are said by one."""
        taught = stages.teacher(self.run.recipe, wildcards.environment)
        computes = wildcards.model != "gold" or taught
        return resources.threads(self.run.view, "evaluate") if computes else 1

    def data(self, wildcards: Any) -> list[str]:
        """An environment's download; nothing where a package that it needs holds the data."""
        entry = self.entry(wildcards)
        if "data" not in entry or entry["shipped"]:
            return []
        return manifests("environments", {"name": entry["environment"]})

    def games(self, wildcards: Any) -> list[str]:
        """Another environment's download, whose games are played too."""
        entry = self.entry(wildcards)
        return manifests("environments", {"name": entry["games"]}) if "games" in entry else []

    def needs(self, wildcards: Any) -> list[str]:
        """The environments that are built before it is played."""
        return list(self.entry(wildcards)["needs"])

    # -- what the recipe's agents make ------------------------------------------------------------

    def files(self, pattern: str = paths.EPISODE_SCORES) -> list[str]:
        """A file of every player in every environment; none where the recipe has no agents."""
        part = self.run.recipe.get("agents", {"environments": [], "models": []})
        return [
            self.run.file(pattern, model=model, environment=item["name"])
            for item in part["environments"]
            for model in item.get("models", part["models"])
        ]

    @property
    def played_by_default(self) -> list[str]:
        """Scores of all players, where the recipe names some; of a model that is scored alone those
        in the environments that the command names."""
        asked = "model" not in self.run.config or "environments" in self.run.config
        return self.files() if asked else []

    def wanted(self, wildcards: Any) -> list[str]:
        """Scores of all players, refused where the recipe names no agents: what a target asks for."""
        if "agents" not in self.run.recipe:
            refuse(
                f"recipe '{self.run.name}' names no agents: add the key `agents` (config/README.md)"
            )
        return self.files()

    def wanted_exports(self, wildcards: Any) -> list[str]:
        """The same, as files of other tools."""
        self.wanted(wildcards)
        return [*self.files(paths.EPISODE_LOG), *self.files(paths.TRAJECTORIES)]

    # -- recorded episodes that are executed again ------------------------------------------------

    @property
    def replayed(self) -> tuple[str, Values, Any]:
        """The environment whose records are executed again, its entry, and the records' folder."""
        name = str(self.run.config.get("environment", "mint"))
        with one_line():
            known = self.run.catalogue("environments")
        if name not in known:
            refuse(f"environment '{name}'{nearest(name, known)}")
        records = self.run.config.get("records")
        return name, recorded_parts(known[name], records), records

    def replay_data(self, wildcards: Any) -> list[str]:
        """The downloads of that environment: its own, and its games'."""
        entry = self.replayed[1]
        names = [wildcards.environment] if "data" in entry else []
        names += [entry["games"]] if "games" in entry else []
        return [path for name in names for path in manifests("environments", {"name": name})]

    def replay_table(self, wildcards: Any) -> str:
        """What `snakemake replay` prints; refused where no records are named."""
        name, _, records = self.replayed
        if records is None:
            refuse("replay needs recorded episodes: --config records=<folder>")
        return f"{paths.REPLAYED.format(environment=name)}/replay.txt"

    def replay_needs(self, wildcards: Any) -> list[str]:
        """The environments that are built before records are executed again."""
        return list(self.replayed[1]["needs"])


def recorded_parts(entry: Values, records: Any) -> Values:
    """An entry with what the sets need that are played in a folder of records, by their folders."""
    folders = {path.name for path in Path(str(records)).rglob("*") if path.is_dir()}
    chosen = {
        setting: [value for value in values if value in folders]
        for setting, values in entry.get("parts", {}).items()
    }
    return with_parts(entry, chosen)


# -- params of rules: Snakemake calls them with the job's wildcards and files -----------------------


def data_or_none(wildcards: Any, input: Any) -> Any:
    """The environment's download; ``none`` where it has none."""
    return input.data or "none"


def with_games(wildcards: Any, input: Any) -> str:
    """The option that names another environment's download."""
    return f"--games {shlex.quote(str(input.games))}" if input.games else ""


def teacher_folder(wildcards: Any, input: Any) -> Path | str:
    """Where the model lies that gives feedback."""
    return folder_beside(input.teacher)


def replayed_data(wildcards: Any, input: Any) -> Any:
    """The first download of an environment that is executed again; ``none`` where it has none."""
    return list(input)[:1] or "none"


def replayed_games(wildcards: Any, input: Any) -> str:
    """The option that names the other."""
    return "".join(f"--games {shlex.quote(str(path))}" for path in input[1:])


def episode_templates() -> list[Path]:
    """What the pages of episodes are made with."""
    names = ("episode.html.j2", "episodes.html.j2", "tables.html.j2", "report.css")
    return [ROOT / "reports" / "template" / name for name in names]
