"""Model folders in Hugging Face's layout, swapped in whole and described by a DONE.json."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of, usual_mode, write_json
from lemur.models.shards import LARGEST

logging.disable_progress_bar()  # ours says what is going on
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# What a tokenizer consists of, in any of the forms that hub repositories use.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a tokenizer's files as they are: loading and saving could change their bytes."""
    if not (source / "tokenizer.json").is_file():
        raise UserError(f"{source}: no tokenizer.json (fast tokenizers only)")
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def save_weights(
    model: PreTrainedModel,
    target: Path,
    dtype: torch.dtype,
    tensors: dict[str, torch.Tensor] | None = None,
) -> None:
    """config.json, generation_config.json and safetensors; float tensors are cast to ``dtype``.

    ``tensors`` stand for the model's own state (a training engine holds better ones).

    Large models are cut into files of 5 GB; equal weights give equal bytes.
    """
    cast: dict[int, torch.Tensor] = {}  # by address: tied weights must stay one tensor
    state = {}
    for name, tensor in (tensors or model.state_dict()).items():
        wanted = dtype if tensor.is_floating_point() else tensor.dtype
        state[name] = cast.setdefault(tensor.data_ptr(), tensor.detach().to("cpu", wanted))
    _save(model, target, dtype, state)


def save_configuration(model: PreTrainedModel, target: Path, dtype: torch.dtype) -> None:
    """What ``save_weights`` writes beside the weights, whose ``dtype`` it names."""
    _save(model, target, dtype, {})


def _save(
    model: PreTrainedModel, target: Path, dtype: torch.dtype, state: dict[str, torch.Tensor]
) -> None:
    config = model.config
    # Left in, the first would name a local file and the second make every load seek a quantiser.
    for name in ("_model_name_or_path", "quantization_config"):
        if hasattr(config, name):
            delattr(config, name)
    model.save_pretrained(target, state_dict=state, max_shard_size=LARGEST)
    config.dtype = dtype  # save_pretrained wrote the dtype that the model computes in
    config.save_pretrained(target)


def reload_check(folder: Path, expected: PreTrainedModel, dtype: torch.dtype) -> None:
    """Load the folder as anyone would, without our code, and compare every weight."""
    loaded, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, output_loading_info=True, local_files_only=True
    )
    wrong = {key: sorted(map(str, value)) for key, value in report.items() if value}
    if wrong:
        raise UserError(f"{folder}: transformers does not load it cleanly: {wrong}")
    again = loaded.state_dict()
    for name, tensor in expected.state_dict().items():
        if not torch.equal(again[name], tensor.to(dtype)):
            raise UserError(f"{folder}: '{name}' differs after saving and loading")


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def partial_of(done: Path) -> Path:
    """The temporary folder of ``publish``."""
    return done.parent / ".model.partial"


def publish(
    done: Path, fill: Callable[[Path], dict[str, str] | None], facts: Mapping[str, object]
) -> None:
    """Fill ``model/`` beside ``done`` through a temporary folder, then write ``done``, last.

    ``fill`` may return the sha256 of files that it flushed and hashed as it wrote them. DONE.json holds ``facts`` and ``files``, the sha256 of every file of the model. A crash leaves
    either no DONE.json or a complete folder that it describes.
    """
    folder = done.parent / "model"
    temporary = partial_of(done)
    done.parent.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        known = fill(temporary) or {}
        paths = sorted(temporary.iterdir())
        files = {path.name: known.get(path.name) or sha256_of(path) for path in paths}
        mode = usual_mode(temporary)
        for name in files:
            os.chmod(temporary / name, mode)
            if name not in known:
                _fsync(temporary / name)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
        _fsync(done.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    write_json(done, {**facts, "files": files})


def described(folder: Path) -> dict[str, Any]:
    """DONE.json beside a model folder; empty for a folder from elsewhere."""
    path = folder.parent / "DONE.json"
    return read_json(path) if folder.name == "model" and path.is_file() else {}


def digests(folder: Path) -> dict[str, str]:
    """sha256 by name of the files that make the model what it is: weights, shape, tokenizer."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder")
    kept = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix == ".safetensors" or path.name in ("config.json", "tokenizer.json")
    ]
    known = described(folder).get("files", {})

    def digest(path: Path) -> str:
        # DONE.json is written last: what is younger than that is not what it describes.
        recorded = known.get(path.name)
        if recorded and path.stat().st_mtime_ns <= (folder.parent / "DONE.json").stat().st_mtime_ns:
            return str(recorded)
        return sha256_of(path)

    return {path.name: digest(path) for path in kept}
