"""A training stage from files to files: what ``pretrain.py`` and ``sft.py`` call."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from transformers import PreTrainedModel

from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.core.files import read_json, replacing
from lemur.core.log import logger
from lemur.core.provenance import hash_of
from lemur.models import folder as folders
from lemur.models import outlines
from lemur.models.card import trained_card
from lemur.models.result import TrainingResult
from lemur.tokenization.packed import PackedDataset
from lemur.training import auto_micro_batch, chat, checkpoint, publishing, trainer
from lemur.training.batches import step_count
from lemur.training.digests import from_numbers, numbers
from lemur.training.engines import registry
from lemur.training.engines.base import Engine, ShardedEngine
from lemur.training.guard import WriterLock
from lemur.training.manifest import read_manifest
from lemur.training.model import check_vocabulary, load
from lemur.training.precision import choose_arithmetic, described
from lemur.training.rank import one_of_several, rank
from lemur.training.settings import Spec, parse
from lemur.training.stored import Stored
from lemur.training.throughput import Meter, model_flops_a_token
from lemur.training.track import check as trackers

SAVED_AS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def run(
    values: Values, model_folder: Path, index: Path, done: Path, track: Iterable[str] = ()
) -> None:
    """Train ``model_folder`` on ``index``; write ``model/`` and ``metrics.jsonl`` beside ``done``.

    Checkpoints lie in ``checkpoints/<fingerprint>/`` beside ``done`` until that is written. The
    same arguments give the same bytes (the timing in metrics.jsonl aside), interrupted or not. ``track``: also feed these (tensorboard, wandb), in folders beside ``done``.
    """
    spec, track = parse(auto_micro_batch.resolved(values, model_folder)), trackers(track)
    if spec.world == 1:
        _run(spec, model_folder, index, done, track)
    else:
        one_of_several(lambda: _run(spec, model_folder, index, done, track))


def _run(spec: Spec, model_folder: Path, index: Path, done: Path, track: tuple[str, ...]) -> None:
    if spec.threads:
        torch.set_num_threads(spec.threads)
    registry.check_device(spec)
    data = PackedDataset(index)
    data.check_files()
    if not (model_folder / "tokenizer.json").is_file() and (model_folder / "config.json").is_file():
        # It is copied when all is trained, which may be after a month.
        raise UserError(f"base: {model_folder}: no tokenizer.json (fast tokenizers only)")
    model = load(model_folder, spec, data, rank())
    added = chat.add_markers(model, model_folder) if spec.vocabulary == "chatml" else 0
    check_vocabulary(model, spec, data)
    steps = step_count(spec, len(data))
    count = sum(p.numel() for p in model.parameters())  # before an engine shards them
    trained, flops = count, model_flops_a_token(model, spec.context)
    if spec.lora is not None:
        from lemur.training import lora  # peft, seconds to import, only where it is asked for

        bare = spec.zero_stage == 3 and rank() != 0  # rank 0 hands its numbers on
        lora.wrap(model, spec, added, shapes_alone=bare)
        if bare:
            outlines.stand_in(model)
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    parent = done.parent / "checkpoints"
    if rank() != 0:
        _run_other(spec, model, data, model_folder, done, steps, flops)
        return
    name = spec.fingerprint(folders.digests(model_folder), _data_digests(data))
    with WriterLock(parent / name):
        built = registry.build(model, spec)
        _share(built, name)
        done.unlink(missing_ok=True)
        logger.info(
            f"{spec.stage}: engine {built.name}, {built.world} rank(s) on {spec.device}, "
            f"{described(spec.precision, built.name, built.device)}, {count:,} parameters"
            f"{f' ({trained:,} trained)' if trained != count else ''}, {steps:,} steps of "
            f"{spec.global_batch_tokens:,} tokens"
        )
        meter = Meter(spec, built.device, flops)
        logger.info(f"{spec.stage}: {meter.described}")
        outcome = trainer.train(trainer.Run(spec, data, built, parent / name, steps, meter, track))
        result = TrainingResult(
            steps=steps,
            tokens=steps * spec.global_batch_tokens,
            final_loss=outcome.metrics.last_loss,
            engine=built.name,
            precision=spec.precision,
            computed=choose_arithmetic(spec.precision, built.name, built.device),
            parameters=count,
            trained_parameters=trained if trained != count else None,
            skipped_steps=outcome.metrics.watch.skipped,
            checkpoints=name if spec.keep_at else None,
        )
        with replacing(done.parent / "metrics.jsonl") as temporary:
            shutil.copyfile(outcome.metrics.path, temporary)
        model, weights = _weights(spec, built, model, outcome, model_folder, done)
        _publish(spec, model, weights, model_folder, data, result, done)
        built.close()
    if spec.keep_every_tokens is None and not spec.keep_at:
        _remove_checkpoints(parent)
    else:
        checkpoint.prune(parent / name, 0, spec.kept_steps, spec.keep_at)


def _share(engine: Engine, name: str | None) -> str:
    """A run's name from rank 0, which alone reads what it is a hash of. Collective."""
    if engine.world == 1:
        return name
    return from_numbers(engine.gather(numbers(name or "0" * 16))[0])


def _run_other(
    spec: Spec,
    model: PreTrainedModel,
    data: PackedDataset,
    model_folder: Path,
    done: Path,
    steps: int,
    flops: float,
) -> None:
    """A run as it is on a rank other than 0."""
    engine = registry.build(model, spec)
    folder = done.parent / "checkpoints" / _share(engine, None)
    outcome = trainer.train(
        trainer.Run(spec, data, engine, folder, steps, Meter(spec, engine.device, flops))
    )
    if not engine.total(
        0
    ):  # rank 0 knows whether it writes the model alone, from what it has shown
        weights = publishing.weights_of(spec, _trained(engine, outcome), model_folder)
        dtype = SAVED_AS[spec.precision]
        publishing.write_weights(engine, weights, folders.partial_of(done), dtype)
    engine.close()


def _trained(engine: ShardedEngine, outcome: trainer.Outcome) -> publishing.Trained:
    stored = Stored(outcome.stored, read_manifest(outcome.stored))
    return publishing.Trained(stored, engine.shapes)


def _weights(
    spec: Spec,
    engine: Engine,
    model: PreTrainedModel,
    outcome: trainer.Outcome,
    model_folder: Path,
    done: Path,
) -> tuple[PreTrainedModel, Callable[[Path], dict[str, str] | None]]:
    """On rank 0: the model to be published (adapters merged into it), and what writes its weights
    into a folder."""
    dtype, parameters = SAVED_AS[spec.precision], outcome.parameters
    named = folders.described(model_folder).get("description", model_folder.name)
    adapter = done.parent / "adapter"
    if outcome.stored is not None:
        trained = _trained(engine, outcome)
        weights = publishing.weights_of(spec, trained, model_folder)
        if not engine.total(publishing.by_one(weights, model)):
            if spec.lora is not None:
                weights.save_adapter(adapter, named)

            def together(target: Path) -> dict[str, str]:
                folders.save_configuration(model, target, dtype)
                return publishing.write_weights(engine, weights, target, dtype)

            return model, together
        parameters = {name: trained.tensor(name) for name in trained.shapes}
    if spec.lora is not None:
        from lemur.training import lora

        model = lora.merged(model_folder, spec, parameters, adapter, named)
        parameters = None
    return model, lambda target: folders.save_weights(model, target, dtype, parameters)


def _data_digests(data: PackedDataset) -> dict[str, str]:
    """What identifies packed data: the index, the two arrays beside it, every token file and mask.

    Token files may be terabytes, and their hashes were recorded when they were written: one is read
    again only where its size or time of change is not as recorded.
    """
    beside = [data.path.parent / "segments.npy", data.path.parent / "sequences.npy"]
    return {
        os.path.relpath(path, data.path.parent): hash_of(path)
        for path in (data.path, *beside, *data.files())
    }


def _publish(
    spec: Spec,
    model: PreTrainedModel,
    weights: Callable[[Path], dict[str, str] | None],
    model_folder: Path,
    data: PackedDataset,
    result: TrainingResult,
    done: Path,
) -> None:
    base = folders.described(model_folder)
    about = data.path.parent / "realised.json"
    realised = read_json(about) if about.is_file() else None
    card = trained_card(spec.raw, base, realised, result)

    def fill(target: Path) -> dict[str, str] | None:
        if spec.vocabulary == "chatml":
            chat.write_tokenizer(model_folder, target)
            chat.stop_at_turns(model, model_folder)
        else:
            folders.copy_tokenizer(model_folder, target)
        (target / "README.md").write_text(card, encoding="utf-8")
        return weights(target)

    described = {
        "kind": {"pretrain": "pretrained", "sft": "chat"}[spec.stage],
        "description": f"{spec.recipe}, {spec.stage}, from: {base.get('description', 'unknown')}",
        "licence": base.get("licence", "unknown"),
        "dtype": str(SAVED_AS[spec.precision]).removeprefix("torch."),
    }
    folders.publish(done, fill, {**result.facts(), **described})


def _remove_checkpoints(parent: Path) -> None:
    """A finished run's checkpoints, and those of settings that were given up; not a live run's."""
    for path in sorted(parent.iterdir()):
        try:
            with WriterLock(path):
                shutil.rmtree(path)
        except UserError:
            continue
    if not any(parent.iterdir()):
        parent.rmdir()
