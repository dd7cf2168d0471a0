"""The environments, one folder each, found by name; a folder outside the package is one too."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.agents.environment import Suite
from lemur.agents.recorded import Run
from lemur.core.errors import UserError, nearest

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All environments of the package."""
    return sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))


def load(name: str, settings: Mapping[str, Any], path: Path | None = None) -> Suite:
    """The suite ``name`` with a recipe's ``settings``: the class ``SUITE`` of its folder's
    ``__init__.py``, of the package or at ``path``. ``UserError`` where there is none."""
    if path is None:
        if name not in names():
            raise UserError(f"environment '{name}'{nearest(name, names())}")
        module = importlib.import_module(f"lemur.agents.environments.{name}")
    else:
        module = _outside(name, path)
    suite = getattr(module, "SUITE", None)
    if not (isinstance(suite, type) and issubclass(suite, Suite)):
        raise UserError(
            f"environment '{name}': its __init__.py has no class SUITE of lemur's Suite"
        )
    known = inspect.signature(suite.__init__).parameters
    for key in settings:
        if key not in known and key != "data":
            raise UserError(f"environment '{name}': setting '{key}'{nearest(key, known)}")
    return suite(**{key: value for key, value in settings.items() if key in known})


def find_records(name: str, folder: Path) -> list[Run]:
    """Recorded episodes of an environment of the package, read by its ``RECORDS``.

    Raises:
        UserError: no such environment or folder, or one whose records nothing reads yet.
    """
    if name not in names():
        raise UserError(f"environment '{name}'{nearest(name, names())}")
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of records")
    module = importlib.import_module(f"lemur.agents.environments.{name}")
    reads = getattr(module, "RECORDS", None)
    if reads is None:
        raise UserError(f"environment '{name}': no recorded episodes of it can be read yet")
    return list(reads(folder))


def _outside(name: str, path: Path) -> Any:
    """The package in a folder of the user's own."""
    file = path / "__init__.py"
    if not file.is_file():
        raise UserError(f"environment '{name}': {file}: no such file")
    spec = importlib.util.spec_from_file_location(
        f"lemur_environment_{name}", file, submodule_search_locations=[str(path)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
