"""The weights of a model folder, each read when it is asked for: nobody holds all of them."""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.models import tensor_file
from lemur.models.shards import INDEX
from lemur.models.tensor_file import Entry

WHOLE = "model.safetensors"
# A buffer that older folders keep for each layer: it is computed, and the library passes over it.
COMPUTED = "rotary_emb.inv_freq"


class FolderTensors:
    """The tensors of a folder's safetensors, by name."""

    def __init__(self, places: dict[str, tuple[Path, Entry]]):
        self.places = places

    def read(self, name: str) -> torch.Tensor:
        """A tensor in float32 on the CPU."""
        path, entry = self.places[name]
        into = torch.empty(entry.count, dtype=entry.dtype)
        tensor_file.read(path, entry, 0, into)
        return into.reshape(entry.shape).float()


def find(folder: Path, model: PreTrainedModel) -> FolderTensors | None:
    """The weights of ``model``, which may be an outline, in ``folder``; None where the folder has to
    be loaded as a whole: its weights have other names or shapes than the model's, as transformers
    stores some families, something is missing or damaged, or the model has more than parameters.
    Loading as a whole says what is wrong.
    """
    try:
        places = {
            name: (path, entry)
            for path in _files(folder)
            for name, entry in tensor_file.entries(path).items()
        }
        ends = {path: path.stat().st_size for path in _files(folder)}
    except (OSError, UserError, ValueError, LookupError, TypeError, AttributeError, MemoryError):
        return None
    needed = {name: tuple(p.shape) for name, p in model.named_parameters()}
    known = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    if set(model.state_dict()) - known or _renames(model):
        return None
    for name, shape in needed.items():
        path, entry = places.get(name, (None, None))
        if entry is None or entry.shape != shape or not entry.dtype.is_floating_point:
            return None
        if entry.offset + entry.size > ends[path]:
            return None
    if any(name not in known and not name.endswith(COMPUTED) for name in places):
        return None
    return FolderTensors({name: places[name] for name in needed})


def _renames(model: PreTrainedModel) -> bool:
    """Whether transformers has rules of its own for this family's stored weights."""
    from transformers.conversion_mapping import get_model_conversion_mapping

    return bool(get_model_conversion_mapping(model, add_legacy=False))


def _files(folder: Path) -> list[Path]:
    """The files that transformers reads."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    return [folder / name for name in sorted(set(read_json(folder / INDEX)["weight_map"].values()))]
