"""What tells a model that was asked from others."""

from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of
from lemur.core.provenance import digest


def model_digest(folder: Path | str) -> str:
    """Digest of a model folder: of the hashes in DONE.json beside it, else of its files."""
    folder = Path(folder)
    done = folder.parent / "DONE.json"
    if done.is_file():
        files = read_json(done).get("files")
        if isinstance(files, dict) and files:
            return digest(files)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder")
    return digest({path.name: sha256_of(path) for path in folder.iterdir() if path.is_file()})


def identity(served: str | None, model: Path) -> str:
    """What tells the model that is asked from others: its digest, or the name that it is served by."""
    return f"served: {served}" if served else model_digest(model)
