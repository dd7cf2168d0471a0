"""A starting model from a GGUF file: dequantised weights and a tokenizer that splits alike.

``from_pretrained(gguf_file=...)`` would need accelerate for no reason here, so the same loader of
transformers is called directly. Its tokenizer converter ignores ``tokenizer.ggml.pre``, the name
of the pattern that text is split by before merging; ids would then differ from the model's own.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import torch
from tokenizers import pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.initialization import no_init_weights
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from lemur.core.errors import UserError, nearest


def _byte_level() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def _digits_apart() -> pre_tokenizers.PreTokenizer:
    digits = pre_tokenizers.Digits(individual_digits=True)
    return pre_tokenizers.Sequence([digits, _byte_level()])


# tokenizer.ggml.pre -> what llama.cpp does for it (src/llama-vocab.cpp) as a pre-tokenizer.
SPLITTERS = {"smollm": _digits_apart, "gpt-2": _byte_level}


def load(path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, GenerationConfig]:
    """Model in float32 (Q4_1 and its like hold less, so nothing is lost), tokenizer, generation
    settings. UserError for a file that is not a GGUF or whose text splitting is not known here.
    """
    try:
        with _read_once(path) as reader:
            splitter = _splitter(path, reader)
            config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
            tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
            with torch.device("meta"):
                model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
            tensors = load_gguf_checkpoint(
                str(path), return_tensors=True, model_to_load=model, torch_dtype=torch.float32
            )["tensors"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: not a GGUF that transformers reads ({error})") from None
    # Buffers such as rotary frequencies are in no file: only a real construction computes them.
    with no_init_weights():
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    model.tie_weights()
    lacking = [name for name in missing if not (config.tie_word_embeddings and "lm_head" in name)]
    if lacking or unexpected:
        raise UserError(f"{path}: lacks {lacking}, has unknown {unexpected}")
    tokenizer.backend_tokenizer.pre_tokenizer = splitter()
    ends = {config.eos_token_id, tokenizer.convert_tokens_to_ids("<|endoftext|>")} - {None}
    generation = GenerationConfig(
        bos_token_id=config.bos_token_id,
        eos_token_id=sorted(ends),
        pad_token_id=config.pad_token_id,
    )
    return model, tokenizer, generation


@contextmanager
def _read_once(path: Path) -> Iterator[gguf.GGUFReader]:
    """A reader of ``path``, which transformers gets too.

    It would make one each for configuration, tokenizer and weights, of which each takes seconds over
    a vocabulary, and one table of names for every module of the model.
    """
    reader, made, names = gguf.GGUFReader(path), gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader = lambda *_: reader
    gguf.get_tensor_name_map = functools.cache(names)
    try:
        yield reader
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = made, names


def _splitter(path: Path, reader: gguf.GGUFReader):
    fields = reader.fields
    kind = fields["tokenizer.ggml.model"].contents()
    name = fields["tokenizer.ggml.pre"].contents() if "tokenizer.ggml.pre" in fields else "none"
    if kind != "gpt2" or name not in SPLITTERS:
        raise UserError(
            f"{path}: tokenizer '{kind}' with text splitting '{name}' is not supported"
            f"{nearest(str(name), SPLITTERS)}; start from the hub's safetensors instead"
        )
    return SPLITTERS[name]
