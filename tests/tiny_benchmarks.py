"""A tiny random model with a byte-level tokenizer, and benchmark archives made by hand."""

import hashlib
import json
import zipfile

from lemur.core.files import write_json


def tokenizer(folder, *, begin=False):
    """Every byte is a token; ``<|im_start|>``, ``<|im_end|>`` and an end token beside them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|end|>", "<|im_start|>", "<|im_end|>", "<s>"]
    words = {word: number for number, word in enumerate([*special, *alphabet])}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(special)
    if begin:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", words["<s>"])]
        )
    given = {"bos_token": "<s>"} if begin else {}
    PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>", **given).save_pretrained(
        folder
    )
    return len(words)


def model(folder, vocabulary, *, seed=0, positions=512, width=48):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        initializer_range=0.3,  # so that a random model has opinions
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def wheel(path, members):
    """A wheel with ``members``, and the manifest of its download beside it."""
    (path / "files").mkdir(parents=True)
    archive = path / "files" / "data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as out:
        for name, data in members.items():
            out.writestr(name, data)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    listed = [{"path": f"files/{archive.name}", "sha256": digest, "size": archive.stat().st_size}]
    write_json(path / "manifest.json", {"name": path.name, "part": 0, "parts": 1, "files": listed})
    return path / "manifest.json"


def listing(folder, *names, at="m.json"):
    """The manifest of a download that left files of ``names`` in ``folder``."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    listed = [{"path": name, "sha256": digest} for name, digest in digests.items()]
    write_json(folder / at, {"name": folder.name, "files": listed})
    return folder / at


def jsonl(documents):
    return "".join(json.dumps(document) + "\n" for document in documents).encode()


PROBLEMS = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": f'def add{number}(a, b):\n    """Add {number} and a and b."""\n',
        "canonical_solution": f"    return a + b + {number}\n",
        "test": f"def check(candidate):\n    assert candidate(1, 2) == {3 + number}\n",
        "entry_point": f"add{number}",
    }
    for number in range(6)
]
SUMS = [
    {
        "id": f"gsm8k-test-{number:04d}",
        "source": "gsm8k",
        "prompt": f"Ann has {number} apples and gets 2 more. How many has she?",
        "expected": str(number + 2),
        "upstream_answer": f"She has {number}+2.\n#### {number + 2}",
    }
    for number in range(5)
]
