"""A model of a finished run as it was after an earlier step, from the checkpoint that was kept."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.models import folder as folders
from lemur.training import checkpoint
from lemur.training.manifest import read_manifest


def write(step: int, trained: Path, out: Path) -> None:
    """Write ``model/`` beside ``out``, a DONE.json, with the weights after ``step``.

    ``trained`` is the run's own DONE.json, whose run was told to keep that step
    (``pretrain.checkpoint.keep_at``); ``UserError`` where its checkpoint is not there or damaged.
    """
    facts = read_json(trained)
    kept = trained.parent / "checkpoints" / str(facts.get("checkpoints")) / f"step-{step}"
    if not kept.is_dir():
        raise UserError(f"{trained}: no checkpoint after step {step} was kept: train it again")
    manifest = read_manifest(kept)
    for name in manifest.files:
        checkpoint.verify_file(kept, name, manifest)
    if not (kept / "parameters.safetensors").is_file():
        raise UserError(
            f"{kept}: was written by several ranks, each its share: only one rank's is read"
        )
    folder = trained.parent / "model"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, facts["dtype"]))
    parameters = load_file(kept / "parameters.safetensors")

    def fill(target: Path) -> None:
        folders.copy_tokenizer(folder, target)
        folders.save_weights(model, target, getattr(torch, facts["dtype"]), parameters)

    tokens = facts["tokens"] // facts["steps"] * step
    described = {key: facts[key] for key in ("kind", "licence", "dtype", "parameters")}
    about = f"{facts['description']}, after step {step} of {facts['steps']}"
    folders.publish(out, fill, {**described, "description": about, "steps": step, "tokens": tokens})
