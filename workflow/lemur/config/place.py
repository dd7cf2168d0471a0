"""Where a checkout and the folder of a run may lie: their paths reach shells and Snakemake."""

import os
import shlex
from pathlib import Path

from lemur.core.errors import UserError
from lemur.cost.recipe import Recipe

# What quoting does not help against, and who reads it otherwise.
REFUSED = {
    "{": "Snakemake reads braces in a file's name as a wildcard",
    "}": "Snakemake reads braces in a file's name as a wildcard",
    ":": "PATH and PYTHONPATH are lists of folders between colons",
    "\n": "logs and lists of files hold one name a line",
}
# What sbatch and the script that it is given read once more.
ON_A_CLUSTER = {
    **dict.fromkeys('$`"\\', "the command of a SLURM job stands between double quotes"),
    "%": "sbatch reads it as a job's number in the name of a log",
}


def check(*folders: Path, cluster: bool = False) -> None:
    """Raise ``UserError`` for a folder in which no run can work, with the character that is in the way.

    ``cluster``: jobs are handed to SLURM.
    """
    for folder in folders:
        for character, reason in (REFUSED | (ON_A_CLUSTER if cluster else {})).items():
            if character in str(folder):
                raise UserError(
                    f"{str(folder)!r}: a path with {character!r} in it cannot be worked in "
                    f"({reason}): move the checkout or the working directory"
                )


def check_writable(folder: Path) -> None:
    """Raise ``UserError`` where Snakemake could not keep its records: also a dry run does."""
    for path in (folder, folder / ".snakemake"):
        if path.exists() and not os.access(path, os.W_OK):
            raise UserError(
                f"{path}: cannot be written: a run keeps results and records in the working "
                "directory; --directory FOLDER names another"
            )


def check_compiled(recipe: Recipe, *folders: Path) -> None:
    """Raise ``UserError`` where the recipe compiles for a CPU and torch.compile could not: its
    C++ compiler's command line is cut at blanks and quotes (torch._inductor.cpp_builder)."""
    for stage, part in recipe.stages.items():
        for folder in folders if part.compile and not part.on_gpus else ():
            if _words(str(folder)) != [str(folder)]:
                raise UserError(
                    f"{stage}.compile: PyTorch cannot compile below {str(folder)!r}, whose path has a "
                    "blank or a quote: move it, or leave compile out"
                )


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote without its other
        return []
