"""What a chat model has beyond its base: two markers, a template, and where it stops."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from lemur.chat.chatml import END, START, TEMPLATE, with_markers
from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.models.folder import copy_tokenizer


def _with_markers(folder: Path) -> tuple[Tokenizer, list[int]]:
    """The base's tokenizer with the ChatML markers, and the ids of those that it lacked."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:
        raise UserError(f"{folder / 'tokenizer.json'}: not a tokenizer ({error})") from None
    before = set(tokenizer.get_vocab(with_added_tokens=True).values())
    with_markers(tokenizer)
    ids = (tokenizer.token_to_id(marker) for marker in (START, END))
    return tokenizer, [number for number in ids if number not in before]


@torch.no_grad()
def add_markers(model: PreTrainedModel, folder: Path) -> int:
    """Make room for markers that the base's tokenizer lacks; returns how many it lacked.

    A new marker's embedding, and its row of the output layer, is the mean of the rows of the
    base's own tokens: random rows would start from a loss that swamps the first steps.
    """
    tokenizer, added = _with_markers(folder)
    known = min(added, default=0)
    if not added:
        return 0
    rows = model.get_input_embeddings().weight.shape[0]
    if max(added) >= rows:
        model.resize_token_embeddings(max(added) + 1, mean_resizing=False)
    tables = {
        id(layer.weight): layer.weight
        for layer in (model.get_input_embeddings(), model.get_output_embeddings())
    }
    for weight in tables.values():
        weight[added] = weight[: min(known, rows)].mean(0)
    return len(added)


def write_tokenizer(folder: Path, target: Path) -> None:
    """Tokenizer files of a chat model: markers, our ChatML template, turns end a generation."""
    copy_tokenizer(folder, target)
    tokenizer, added = _with_markers(folder)
    if added:
        tokenizer.save(str(target / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if (target / "tokenizer_config.json").is_file():
        settings = read_json(target / "tokenizer_config.json")
    settings.pop("chat_template", None)
    write_json(target / "tokenizer_config.json", {**settings, "eos_token": END})
    mapped = target / "special_tokens_map.json"
    if mapped.is_file():
        write_json(mapped, {**read_json(mapped), "eos_token": END})
    (target / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")


def stop_at_turns(model: PreTrainedModel, folder: Path) -> None:
    """Generation ends at the end of a turn, as well as where the base ended."""
    tokenizer, _ = _with_markers(folder)
    end = tokenizer.token_to_id(END)
    before = model.generation_config.eos_token_id
    known = before if isinstance(before, list) else [] if before is None else [before]
    model.generation_config.eos_token_id = sorted({end, *known})
    model.config.eos_token_id = end
