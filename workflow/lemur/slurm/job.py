"""Snakemake as a SLURM job starts it: ``python job.py <snakemake's arguments>``.

A job submits nothing, so the SLURM plugin is left out. Loading it takes a quarter of a start
(pandas, for a report), and asks the controller, for which every start would wait while it is away.
"""

import pkgutil
from collections.abc import Iterator
from typing import Any

PLUGIN = "snakemake_executor_plugin_slurm"


def without_plugin(found: Any) -> Any:
    """``pkgutil.iter_modules``, which Snakemake finds its plugins by, without that one."""

    def iter_modules(*arguments: Any, **options: Any) -> Iterator[pkgutil.ModuleInfo]:
        return (module for module in found(*arguments, **options) if module.name != PLUGIN)

    return iter_modules


if __name__ == "__main__":
    pkgutil.iter_modules = without_plugin(pkgutil.iter_modules)
    from snakemake.cli import main  # its import looks for plugins

    main()
