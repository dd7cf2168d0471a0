"""The model that a recipe starts from: an entry of models.yaml, a model folder or a hub name.

What the plan computes from, its ``architecture``, is read from the model's own config.json wherever
no entry says it.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.config import load, names
from lemur.config.model_shape import read_shape
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.core.files import read_json
from lemur.core.provenance import ROOT
from lemur.data import local_files

# ``model_type`` of config.json. Their attention can be kept inside documents, and what the plan
# computes holds for them: RMSNorm, rotary positions, a gated feed-forward layer.
SUPPORTED = ("llama", "mistral", "qwen2", "qwen3")
HUB = re.compile(r"^(?P<hub>[\w.-]+/[\w.-]+)(@(?P<revision>[0-9a-f]{40}))?$")
# What a model folder consists of, in safetensors.
HUB_FILES = ["*.json", "*.safetensors"]
FOLDER_FILES = [*HUB_FILES, "tokenizer.model", "merges.txt", "*.jinja"]
NEWEST = "newest"


def find_base(name: str, models: Mapping[str, Any], where: str, beside: Path | None) -> Values:
    """The entry of the model ``name`` with its ``architecture``. ``beside``: the project's folder.

    A folder's path is relative to the recipe's file, for recipes of config/ to the working folder.
    Raises ``UserError`` in one line: no such model, not a whole model folder, not supported.
    """
    place = f"{where}: base"
    if name in models:
        entry = dict(models[name])
    elif (folder := (beside or Path()) / Path(name).expanduser()).is_dir():
        entry = _of_folder(name, folder)
    elif not name.startswith((".", "/", "~")) and (hub := HUB.match(name)):
        pin = {"hub": hub["hub"], "repo_type": "model", "files": HUB_FILES}
        entry = {
            "name": names.folder_name(name),
            "description": f"{name} of the hub",
            "kind": "unknown",
            "from": {**pin, "revision": hub["revision"] or NEWEST},
            "licence": "unknown",
        }
    else:
        inside = "config/models.yaml" + (f" or {beside}" if beside else "")
        raise UserError(f"{place}: '{name}' is no model in {inside}, no folder and no owner/name of the hub{nearest(name, models)}")  # fmt: skip
    entry = {"name": name, **entry}
    if local_files.is_local(entry["from"]):
        # Links are how the hub's own cache holds a snapshot's files.
        entry |= {"include": FOLDER_FILES, "exclude": ["*/*"], "follow_links": True}
        folder = Path(entry["from"]["path"])
        check_folder(folder, place, tokenizers=("tokenizer.json",))
        config = read_json(folder / "config.json")
        entry.setdefault("architecture", architecture(config, f"{place}: {folder}"))
        entry.setdefault("dtype", _dtype(config))
    if "architecture" not in entry and "hub" in entry["from"]:
        if entry["from"]["revision"] == "unresolved":
            raise UserError(f"{place}: '{name}' has no architecture in config/models.yaml, so it can be scored, not trained")  # fmt: skip
        entry |= _of_hub(entry, place, beside)
    if "architecture" not in entry:
        raise UserError(f"{place}: '{name}' has no architecture in config/models.yaml, so it can be scored, not trained")  # fmt: skip
    return entry


def _of_folder(name: str, folder: Path) -> Values:
    path = folder if folder.is_absolute() and Path(name).is_absolute() else os.path.relpath(folder)
    return {
        "name": names.folder_name(name.rstrip("/")),
        "description": f"model folder {name}",
        "kind": "unknown",
        "from": {"path": str(path)},
        "licence": "unknown",
    }


def check_folder(folder: Path, where: str, tokenizers: tuple[str, ...]) -> None:
    """Raise ``UserError`` where ``folder`` lacks a file that a model consists of."""
    for needed in ("config.json", "tokenizer_config.json"):
        if not (folder / needed).is_file():
            raise UserError(f"{where}: {folder}: not a model folder, {needed} is missing")
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"{where}: {folder}: no *.safetensors; other weights are not loaded")
    if not any((folder / name).is_file() for name in tokenizers):
        listed = f"{'neither ' if len(tokenizers) > 1 else ''}{' nor '.join(tokenizers)}"
        raise UserError(f"{where}: {folder}: no tokenizer ({listed})")


def architecture(config: Any, where: str) -> Values:
    """``architecture`` of a config.json; ``UserError`` for a model that cannot be trained here."""
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in SUPPORTED:
        raise UserError(f"{where}: config.json: model_type {kind!r} cannot be trained here{nearest(str(kind), SUPPORTED)}")  # fmt: skip
    if "quantization_config" in config:
        raise UserError(f"{where}: config.json: quantization_config: packed weights cannot be trained: name the model that they were made from")  # fmt: skip
    # A window that a model has but does not use (Qwen2's) is none.
    if config.get("sliding_window") is not None and config.get("use_sliding_window", True):
        raise UserError(f"{where}: config.json: sliding_window: attention over a window cannot be trained here: null is supported")  # fmt: skip
    return read_shape(config, where)


def _of_hub(entry: Values, where: str, beside: Path | None) -> Values:
    """``from`` with the commit, and ``architecture``: as the lock has them, else asked of the hub."""
    source = entry["from"]
    known = local_lock(beside).get(f"models/{entry['name']}", {})
    asked = {key: source[key] for key in ("hub", "revision")}
    if known.get("asked") != asked:
        command = [str(ROOT / "workflow" / "env-run"), "data", "python", "-m", "lemur.download.hub_config"]  # fmt: skip
        done = subprocess.run([*command, json.dumps(source)], capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
            raise UserError(f"{where}: {last.removeprefix('error: ')}")
        known = {"asked": asked, **json.loads(done.stdout)}
    shape = architecture(known["config"], f"{where}: {source['hub']}")
    pin = {**source, "revision": known["revision"]}
    return {"dtype": _dtype(known["config"]), **entry, "from": pin, "architecture": shape, "locked": known}  # fmt: skip


def _dtype(config: Values) -> str:
    """``dtype`` of the prepared weights: as the model has them, of 16 bits always bfloat16."""
    said = config.get("dtype") or config.get("torch_dtype")
    return "float32" if said == "float32" else "bfloat16"


def local_lock(beside: Path | None) -> Values:
    """The lock beside the recipe, or nothing where there is none yet."""
    path = (beside or load.CONFIG) / local_files.LOCK
    return read_json(path) if path.is_file() else {}
