"""Code in a folder: of the package, or of the user's own outside of it."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from lemur.core.errors import UserError

PACKAGE = Path(__file__).parents[1]
Kind = TypeVar("Kind")


def load_folder(folder: Path, package: str, name: str, kind: type[Kind]) -> type[Kind]:
    """The class ``name`` of the ``__init__.py`` in ``folder``, which derives from ``kind``.

    ``package``: the dotted package whose folders are its own; any other folder is loaded by its path.

    Raises:
        UserError: there is no such file, it cannot be loaded, or it has no such class.
    """
    found = getattr(_module(folder, package), name, None)
    if not (isinstance(found, type) and issubclass(found, kind)):
        words = f"has no class {name} that derives from {kind.__module__}.{kind.__name__}"
        raise UserError(f"{folder / '__init__.py'}: {words}")
    return found


def _module(folder: Path, package: str) -> ModuleType:
    if folder.parent == PACKAGE.parent.joinpath(*package.split(".")):
        return importlib.import_module(f"{package}.{folder.name}")
    file = folder / "__init__.py"
    if not file.is_file():
        raise UserError(f"{file}: no such file")
    name = f"{package.rpartition('.')[2]}_of_a_project_{folder.name}"
    spec = importlib.util.spec_from_file_location(
        name, file, submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError) as error:
        raise UserError(f"{file}: cannot be loaded ({type(error).__name__}: {error})") from None
    return module
