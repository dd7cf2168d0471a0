"""Where a checkout and the folder of a run may lie: their paths reach shells and Snakemake."""

from pathlib import Path

from lemur.errors import UserError

# What quoting does not help against, and who reads it otherwise.
REFUSED = {
    "{": "Snakemake reads braces in a file's name as a wildcard",
    "}": "Snakemake reads braces in a file's name as a wildcard",
    ":": "PATH and PYTHONPATH are lists of folders between colons",
    "\n": "logs and lists of files hold one name a line",
}


def check(*folders: Path) -> None:
    """Raise ``UserError`` for a folder in which no run can work, with the character that is in the way."""
    for folder in folders:
        for character, reason in REFUSED.items():
            if character in str(folder):
                raise UserError(
                    f"{str(folder)!r}: a path with {character!r} in it cannot be worked in "
                    f"({reason}): move the checkout or the working directory"
                )
