"""A project of one's own, outside the checkout: a recipe's file and what lies beside it.

``--config recipe=/path/to/mine.yaml`` runs it. The folder of that file may hold ``sources.yaml``,
``models.yaml``, ``benchmarks.yaml``, ``environments.yaml`` and ``figures.yaml``, each laid over the
file of that name in config/, and ``corpora/`` and ``recipes/``, in which names are looked up first.
"""

from collections.abc import Iterator
from pathlib import Path

from lemur.config import names
from lemur.config.values import Values
from lemur.core.errors import UserError

ENDINGS = (".yaml", ".yml")
CATALOGUES = ("sources", "models", "benchmarks", "environments", "figures")
FOLDERS = ("corpora", "recipes")
# Values of --config that may be a path, as seen from where the command is given.
PATHS = ("site", "records", "model")


def recipe_file(recipe: str) -> Path | None:
    """The recipe's file where ``recipe`` is a path, as whole path; None for a name of config/recipes.

    ``UserError`` for a path at which there is no file, and for a file whose name cannot be a folder's.
    """
    if "/" not in recipe and not recipe.endswith(ENDINGS):
        return None
    path = Path(recipe).expanduser()
    if path.is_dir():
        raise UserError(f"recipe: {recipe} is a folder: name the recipe's file in it")
    if path.suffix not in ENDINGS:
        raise UserError(f"recipe: {recipe}: a recipe's file ends in .yaml")
    if not path.is_file():
        seen = "" if path.is_absolute() else f" (seen from {Path.cwd()})"
        raise UserError(f"recipe: {recipe}: no such file{seen}")
    names.plain(path.stem, "recipe")
    return path.absolute()


def folder_of(recipe: str) -> Path | None:
    """The folder of the project that ``recipe`` is of; None for a name of config/recipes."""
    file = recipe_file(recipe)
    return file and file.parent


def configuration(file: Path) -> Iterator[Path]:
    """All files that a project's recipe may be resolved from, those that are there."""
    listed = [file, *(file.parent / f"{name}.yaml" for name in CATALOGUES)]
    listed += [path for name in FOLDERS for path in sorted((file.parent / name).glob("*.yaml"))]
    yield from (path for path in listed if path.is_file())


def whole_paths(asked: Values) -> Values:
    """Values of ``--config`` in which paths are whole, for a run whose working folder is another."""
    changed = dict(asked)
    for key in PATHS:
        given = Path(str(asked.get(key) or "")).expanduser()
        if given.parts and given.exists():
            changed[key] = str(given.absolute())
    file = recipe_file(str(asked["recipe"]))
    return {**changed, "recipe": str(file)} if file else changed
