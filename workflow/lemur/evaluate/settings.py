"""What bears on a response: recorded with the generations, compared before they are judged."""

from pathlib import Path
from typing import Any

from lemur.errors import UserError, nearest
from lemur.evaluate.tasks import Bench
from lemur.files import read_json, sha256_of
from lemur.provenance import digest

VERSION = 3  # of generation: raise it when the same settings would give other responses
NEEDED = ("benchmark", "model", "format", "decoding", "precision", "seed")


def check(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec, or a UserError that names what is missing."""
    for name in NEEDED:
        if name not in spec:
            raise UserError(f"--spec: '{name}' is missing{nearest(name, spec)}")
    if not isinstance(spec["decoding"], dict):
        raise UserError("--spec: 'decoding' must be an object")
    if not spec.get("available", True):
        raise UserError(f"benchmark '{spec['benchmark']}' cannot run: {spec.get('reason')}")
    return spec


def of(spec: dict[str, Any], bench: Bench) -> dict[str, Any]:
    """Settings that a judge can know without the model. ``limit`` and ``batch`` are not among
    them: a larger limit adds responses, it does not change them."""
    rolling = any(task.OUTPUT_TYPE == "loglikelihood_rolling" for task in bench.tasks.values())
    return {
        "benchmark": spec["benchmark"],
        "model": spec["model"],
        "format": spec["format"],
        "shots": int(spec.get("shots") or 0),
        "decoding": {} if rolling else spec["decoding"],
        "precision": spec["precision"],
        "seed": spec["seed"],
        "task": {name: str(task.VERSION) for name, task in bench.tasks.items()}
        if len(bench.tasks) == 1
        else spec.get("task"),
        "data_sha256": bench.source.sha256,
        "generation": VERSION,
        **({} if bench.begin else {"begin": False}),
        **_backend(spec),
    }


def _backend(spec: dict[str, Any]) -> dict[str, Any]:
    """The backend's name, where it is not the usual one; a server may move to another address."""
    given = spec.get("backend") or {}
    return {"backend": given["name"]} if given.get("name", "transformers") != "transformers" else {}


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
