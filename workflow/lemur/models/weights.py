"""A model folder's configuration and weights: loaded whole, or refused with one line.

Training, evaluation and the preparation of a model load through here, so that nothing is ever
trained or scored with numbers that stand for weights that are not there.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.utils import logging

from lemur.core.errors import UserError, first_line
from lemur.core.files import read_json
from lemur.core.log import logger


def read_config(folder: Path) -> PretrainedConfig:
    """A model folder's config.json; UserError where it is missing or wrong."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder}: no model here (config.json is missing)")
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library raises whatever a value of another type leads to
        raise UserError(f"{path}: {first_line(error)}") from None


def load_weights(
    folder: Path,
    dtype: torch.dtype | str = "auto",
    config: PretrainedConfig | None = None,
    **given: Any,
) -> PreTrainedModel:
    """The model of a folder, in safetensors, on the CPU and in ``dtype``.

    Left alone, the library fills with random numbers what a file lacks; here every weight comes
    from the folder. UserError names the first weight that is missing or of another shape than
    config.json says; weights that the model has no place for are a warning. ``given`` goes on to
    ``from_pretrained``.
    """
    config = read_config(folder) if config is None else config
    if (generation := folder / "generation_config.json").is_file():
        read_json(generation)  # the library passes over a damaged one, and over the ends it names
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)  # its table of keys is our one line
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **given,
        )
    except Exception as error:  # the library and its readers raise whatever a damaged file leads to
        raise UserError(f"{folder}: transformers cannot load it ({first_line(error)})") from None
    finally:
        logging.set_verbosity(verbosity)
    for found, what in (
        ("missing_keys", "missing"),
        ("mismatched_keys", "of another shape than config.json says"),
    ):
        names = sorted(key if isinstance(key, str) else key[0] for key in report[found])
        if names:
            count = "1 weight is" if len(names) == 1 else f"{len(names)} weights are"
            raise UserError(f"{folder}: {count} {what}, the first is '{names[0]}'")
    unknown = sorted(report["unexpected_keys"])
    if unknown:
        logger.warning(
            f"warning: {folder}: config.json has no place for {len(unknown)} weights, the first is "
            f"'{unknown[0]}'"
        )
    return model


def check_vocabulary(folder: Path, tokenizer: Any, rows: int) -> None:
    """UserError where a tokenizer of transformers gives ids for which the model of ``rows``
    embeddings has none."""
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= rows:
        raise UserError(
            f"{folder}: its tokenizer gives ids up to {largest}, but the model has embeddings for "
            f"{rows} alone"
        )
