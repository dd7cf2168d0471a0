"""What one call of Snakemake is about, resolved before any rule is read.

Everything here that finds a user's mistake leaves with one line: Snakemake would show an exception
with the line of the Snakefile that it passed through, which is not where the mistake is.
"""

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lemur import cost
from lemur.config import load, paths, place, project, schema, scoring, site
from lemur.config import recipe as recipes
from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT, digest
from lemur.corpus import languages
from lemur.dag import local_lock, locks
from lemur.data import local_files
from lemur.study import cells
from lemur.study.cells import Study
from lemur.trace import adopted, records

# Kinds of sources that a corpus is made of.
KINDS = ("code", "text")


def refuse(line: str) -> NoReturn:
    """End Snakemake with the one line of a user's mistake."""
    sys.exit(f"error: {line}")


@contextlib.contextmanager
def one_line() -> Iterator[None]:
    """End Snakemake with the one line of a ``UserError``."""
    try:
        yield
    except UserError as error:
        refuse(str(error))


@dataclasses.dataclass(frozen=True)
class Run:
    """What a call asks for.

    ``config``: values of ``--config`` over those of config.yaml. ``project``: the folder of a recipe
    that lies outside the checkout. ``recipe``: of a study, what its cells have in common. ``recipes``:
    those that are trained and scored, by name: the recipe, and the cells of a study. ``local_lock``:
    where the hashes of this machine's files are kept, ``local`` what stands there after this run.
    ``adopted``: results that were taken over, by file. ``explained``: what `snakemake provenance`
    explains and `snakemake adopt` takes over.
    """

    config: Mapping[str, Any]
    project: Path | None
    study: Study | None
    recipe: Values
    recipes: Mapping[str, Values]
    style: Mapping[str, Any]
    site: Mapping[str, Any]
    local_lock: Path
    local: local_lock.Lock
    adopted: Mapping[str, adopted.Adopted]
    explained: str

    @functools.cached_property
    def digest(self) -> str:
        """sha256 of the resolved recipe."""
        return digest(self.recipe)

    @functools.cached_property
    def views(self) -> Mapping[str, cost.Recipe]:
        """What the plan reads of each of ``recipes``."""
        return {name: cost.planned(recipe) for name, recipe in self.recipes.items()}

    @property
    def view(self) -> cost.Recipe:
        """The same of the recipe."""
        return self.views[self.name]

    @property
    def name(self) -> str:
        """The recipe's name, which its folder below results/ has too."""
        return str(self.recipe["name"])

    def cell(self, wildcards: Any) -> Values:
        """The recipe, or the cell of a study, that a job with the wildcard ``recipe`` is of."""
        return self.recipes[wildcards.recipe]

    def cell_digest(self, wildcards: Any) -> str:
        """sha256 of that recipe."""
        return digest(self.cell(wildcards))

    def file(self, pattern: str, **values: object) -> str:
        """A path of lemur.config.paths of this recipe; ``values`` fill the other wildcards."""
        return paths.filled(pattern, self.recipe, **values)

    def sources(self, kinds: Sequence[str] = KINDS) -> list[Values]:
        """The corpus' sources of some kinds."""
        return [source for source in self.recipe["corpus"]["sources"] if source["kind"] in kinds]

    @property
    def baselines(self) -> list[Values]:
        """Published models that the recipe scores beside its own."""
        return self.recipe["evaluate"].get("baselines", [])

    @property
    def only_scores(self) -> bool:
        """Whether the recipe trains nothing and scores published models alone."""
        return not self.recipe["evaluate"]["models"]

    def catalogue(self, name: str) -> Values:
        """Entries of config/benchmarks.yaml and its like, the project's laid over them."""
        return load.catalogue(name, self.project)

    def lock(self, environment: str) -> str:
        """What rules depend on of the lock that an environment is built from (lemur.dag.locks)."""
        return _fingerprint(environment, bool(self.config.get("strict_locks")))


@functools.cache
def _fingerprint(environment: str, strict: bool) -> str:
    return locks.fingerprint(locks.path_of(ROOT, environment), strict)


def read_config(given: Mapping[str, Any], arguments: Sequence[str]) -> tuple[Values, Path | None]:
    """The values of ``--config`` and config.yaml, and the folder of a recipe that lies outside.

    ``given``: Snakemake's ``config``; ``arguments``: the words of ``--config`` as they were typed.
    """
    with one_line():
        config = {
            **load.read_yaml(ROOT / "config" / "config.yaml"),
            **given,
            **load.command_line(list(arguments)),
        }
        schema.check(config, "config", "config")
        folder = project.folder_of(config["recipe"])
        return (project.whole_paths(config) if folder else config), folder


def resolve(config: Mapping[str, Any], folder: Path | None, *, is_main: bool = True) -> Run:
    """The run that a configuration asks for in the current folder.

    ``folder``: the project's, of ``read_config``; ``is_main``: not in a job on a node.
    """
    with one_line():
        return _resolve(dict(config), folder, is_main)


def _resolve(config: Values, folder: Path | None, is_main: bool) -> Run:
    place.check(ROOT, Path.cwd())
    place.check_writable(Path.cwd())
    # A study's cells are recipes; what they have in common (evaluation documents, documents that
    # overlap benchmarks) is of one more recipe, named as the study.
    study = cells.expand(config)
    recipe = study.common if study else recipes.resolve(str(config["recipe"]), config.get("set"))
    if {"model", *scoring.KEYS} & set(config):
        recipe = scoring.alone(recipe, config, folder)
    for source in recipe["corpus"]["sources"]:
        languages.check(source["name"], source.get("languages"))
    place.check_compiled(cost.planned(recipe), ROOT, Path.cwd())
    # Files of this machine are listed now, so that one that changed is read again by this run.
    lock_file = (folder or ROOT / "config") / local_files.LOCK
    local = local_lock.look(recipe, lock_file, is_main=is_main)
    recipe = local_lock.with_local(recipe, local)
    if study:
        own = {name: local_lock.with_local(cell, local) for name, cell in study.recipes.items()}
        study = dataclasses.replace(study, common=recipe, recipes=own)
    style = load.figures(config.get("style"), folder)
    explained = config.get("of", paths.filled(paths.REPORT, recipe))
    if "of" in config and "as" not in config:
        explained = records.check(explained)
    return Run(
        config=config,
        project=folder,
        study=study,
        recipe=recipe,
        recipes={recipe["name"]: recipe, **(study.recipes if study else {})},
        style=style,
        site=site.read(Path(config["site"]) if config.get("site") else None),
        local_lock=lock_file,
        local=local,
        adopted=adopted.listed(),
        explained=str(explained),
    )
