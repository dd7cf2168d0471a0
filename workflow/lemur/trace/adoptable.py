"""Whether a file or folder from elsewhere is what a stage would have written; else one clear line.

Each check returns the files to be taken over: {name at its new place: file}. What a stage's result
has to be is given by ``asked``, a few values of the resolved recipe: see ``lemur.dag.targets``.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lemur.config.base import architecture
from lemur.core.contracts import read
from lemur.core.errors import UserError, nearest
from lemur.core.files import read_json, sha256_of
from lemur.cost.architecture import Architecture, parameters
from lemur.evaluation.score import read_score
from lemur.evaluation.verdicts import read_verdicts
from lemur.tokenization.described import TokenFile
from lemur.trace.adopted import STAGES

MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "merges.txt", "README.md")
Files = dict[str, Path]


@dataclass(frozen=True)
class Form:
    """How a benchmark is put to a model: ``shots`` examples before the problem."""

    format: str
    shots: int


@dataclass(frozen=True)
class Asked:
    """What a result that is taken over has to be, of the resolved recipe (rules/0_requests.smk)."""

    recipe: str
    base: str
    architecture: Architecture
    corpus: str
    tokenizer: str
    """The folder of its token files."""
    tokenizer_file: str
    sources: Mapping[str, int]
    """Parts of each source of the corpus."""
    models: tuple[str, ...]
    """Those that are scored."""
    benchmarks: Mapping[str, Form]
    """How each is put to the model in question."""


@dataclass(frozen=True)
class Place:
    """Where a stage's result goes: ``folder``, and there its ``stem`` and files.

    ``check`` gives the files to take over, or raises UserError.
    """

    folder: Path
    check: Callable[[Path], Files]


def place_of(name: str, asked: Asked) -> Place:
    """The place that ``as=`` names."""
    parts, results = name.strip("/").split("/"), Path("results")
    own = results / asked.recipe
    if name in ("pretrain", "sft"):
        return Place(own / name, lambda given: model(given, name, asked))
    if parts[0] == "tokens" and len(parts) == 3:
        source, stem = parts[1:]
        known = {s: [f"part-{k}-of-{n}" for k in range(n)] for s, n in asked.sources.items()}
        _known("source", source, known)
        _known("part", stem, known[source])
        folder = results / "tokens" / asked.corpus / asked.tokenizer / source
        return Place(folder, lambda given: tokens(given, stem, source, asked))
    if parts[0] == "evaluate" and len(parts) == 3:
        _known("model", parts[1], asked.models)
        _known("benchmark", parts[2], asked.benchmarks)
        return Place(own / name, lambda given: score(given, parts[1], parts[2], asked))
    raise UserError(f"as={name}: no such stage (allowed: {', '.join(STAGES)})")


def _known(what: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        raise UserError(f"as=...: no {what} '{name}' in the recipe{nearest(name, names)}")


def model(given: Path, stage: str, asked: Asked) -> Files:
    """A model folder of the recipe's shape and tokenizer, in whole safetensors."""
    folder = given / "model" if (given / "model" / "config.json").is_file() else given
    if not (folder / "config.json").is_file():
        raise UserError(f"of={given}: no model folder (config.json is missing)")
    config = read_json(folder / "config.json")
    shape, expected = Architecture.read(architecture(config, f"of={given}")), asked.architecture
    if stage == "sft" and shape.vocabulary >= expected.vocabulary:
        # Fine-tuning may add the two markers of a conversation's turns.
        expected = replace(expected, vocabulary=shape.vocabulary)
    for key, value in sorted(vars(shape).items()):
        if (value or None) != ((wanted := getattr(expected, key)) or None):
            raise UserError(
                f"of={given}: config.json: {key} is {value}, but the recipe's base "
                f"{asked.base} has {wanted}"
            )
    _same_tokenizer(folder, given, stage, asked)
    _whole_weights(folder, given, shape)
    files = {f"model/{path.name}": path for glob in MODEL_FILES for path in folder.glob(glob)}
    metrics = folder.parent / "metrics.jsonl"
    return {**files, **({"metrics.jsonl": metrics} if metrics.is_file() else {})}


def _same_tokenizer(folder: Path, given: Path, stage: str, asked: Asked) -> None:
    path, base = folder / "tokenizer.json", Path(asked.tokenizer_file)
    if not path.is_file():
        raise UserError(f"of={given}: no tokenizer.json (fast tokenizers only)")
    if not base.is_file():
        raise UserError(
            f"of={given}: {base} is not there to compare its tokenizer with: "
            f"snakemake --cores 2 {base.parent.parent}/DONE.json makes it"
        )
    if stage == "pretrain":
        same = sha256_of(path) == sha256_of(base)
    else:  # the markers are added to it
        same = read_json(path).get("model") == read_json(base).get("model")
    if not same:
        raise UserError(f"of={given}: tokenizer.json is not that of the recipe's base {asked.base}")


def _shapes(path: Path, given: Path) -> dict[str, list[int]]:
    """Shapes of the tensors of a safetensors file, by name, where it is as long as its head says."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            described = json.loads(file.read(length))
        described.pop("__metadata__", None)
        end = max((int(found["data_offsets"][1]) for found in described.values()), default=0)
        shapes = {name: list(map(int, found["shape"])) for name, found in described.items()}
    except (ValueError, LookupError, TypeError, AttributeError, MemoryError, OverflowError):
        raise UserError(f"of={given}: {path.name} is no safetensors file") from None
    if path.stat().st_size != 8 + length + end:
        raise UserError(f"of={given}: {path.name} is cut short or has more than its tensors")
    return shapes


def _whole_weights(folder: Path, given: Path, shape: Architecture) -> None:
    """Every parameter of the shape, once: by their number, and of each layer."""
    found: dict[str, list[int]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= _shapes(path, given)
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        listed = read_json(index)
        names = listed.get("weight_map") if isinstance(listed, dict) else None
        if not isinstance(names, dict):
            raise UserError(f"of={given}: {index.name} has no 'weight_map'")
        missing = sorted(names.keys() - found.keys())
        if missing:
            raise UserError(f"of={given}: weight '{missing[0]}' is in no file")
    count = sum(map(math.prod, found.values()))
    if shape.tied_embeddings and "lm_head.weight" in found:
        count -= shape.vocabulary * shape.hidden
    expected = parameters(shape)["total"]
    if count != expected:
        raise UserError(
            f"of={given}: its files have {count:,} weights and config.json's shape {expected:,}"
        )
    for layer in range(shape.layers):
        if not any(f"layers.{layer}." in name for name in found):
            raise UserError(f"of={given}: no weights of layer {layer}")


def tokens(given: Path, stem: str, source: str, asked: Asked) -> Files:
    """A token file with its description and its documents' offsets, by the recipe's tokenizer."""
    found = read_json(given) if given.suffix == ".json" else None
    if not isinstance(found, dict) or "tokenizer_sha256" not in found:
        raise UserError(f"of={given}: name the token file's description, part-<i>-of-<P>.json")
    described = read(TokenFile, found, f"of={given}")
    if described.dtype not in ("uint16", "uint32"):
        raise UserError(f"of={given}: dtype is {described.dtype!r}: allowed are uint16, uint32")
    base = given.with_suffix("")
    files = {suffix: Path(f"{base}{suffix}") for suffix in (".bin", ".offsets.npy")}
    for path in files.values():
        if not path.is_file():
            raise UserError(f"of={given}: {path.name} is not beside it")
    own = f"part-{described.part}-of-{described.parts}"
    if (described.source, own) != (source, stem):
        raise UserError(f"of={given}: is {own} of '{described.source}', not {stem} of '{source}'")
    tokenizer = Path(asked.tokenizer_file)
    if tokenizer.is_file() and sha256_of(tokenizer) != described.tokenizer_sha256:
        raise UserError(f"of={given}: was made with another tokenizer than {tokenizer}")
    if described.vocabulary > asked.architecture.vocabulary:
        raise UserError(
            f"of={given}: has a vocabulary of {described.vocabulary:,}, the recipe's base "
            f"{asked.base} {asked.architecture.vocabulary:,}"
        )
    width = np.dtype(described.dtype).newbyteorder("<")
    size = files[".bin"].stat().st_size
    if size % width.itemsize:
        raise UserError(f"of={given}: {files['.bin'].name} is cut short: {size:,} bytes of {width}")
    numbers = np.memmap(files[".bin"], width, "r") if size >= width.itemsize else np.zeros(0, width)
    try:
        offsets = np.load(files[".offsets.npy"], allow_pickle=False)
        counts = (len(offsets) - 1, int(offsets[-1]), len(numbers))
    except (ValueError, EOFError, IndexError, TypeError):
        name = files[".offsets.npy"].name
        raise UserError(f"of={given}: {name} is no array of offsets") from None
    if counts != (described.documents, described.tokens, described.tokens):
        raise UserError(f"of={given}: says {described.documents:,} documents of {described.tokens:,} tokens, its files have {counts[0]:,} of {counts[2]:,}")  # fmt: skip
    step = 1 << 24
    largest = max(
        (int(numbers[k : k + step].max()) for k in range(0, len(numbers), step)), default=0
    )
    if largest >= described.vocabulary:
        raise UserError(
            f"of={given}: has token {largest:,}, but a vocabulary of {described.vocabulary:,}"
        )
    return {f"{stem}.json": given, **{f"{stem}{suffix}": path for suffix, path in files.items()}}


def score(given: Path, model_name: str, benchmark: str, asked: Asked) -> Files:
    """A scores.json with its verdicts and prompt, of this model, benchmark and form of prompt."""
    if given.name != "scores.json":
        raise UserError(f"of={given}: name a scores.json")
    found = read_score(given)
    expected = {"benchmark": benchmark, "model": model_name, **vars(asked.benchmarks[benchmark])}
    for key, value in expected.items():
        if (has := getattr(found, key)) != value:
            raise UserError(f"of={given}: {key} is {has!r}, but the recipe has {value!r}")
    if found.interval and found.interval[0] > found.interval[1]:
        raise UserError(f"of={given}: interval {found.interval} is not from low to high")
    files = {name: given.parent / name for name in ("scores.json", "verdicts.jsonl", "prompt.txt")}
    for path in files.values():
        if not path.is_file():
            raise UserError(f"of={given}: {path.name} is not beside it")
    for _ in read_verdicts(given):  # as the report will
        pass
    return files
