"""What a run continues with: the same tokens, masks and weights, by their hashes."""

import os
from pathlib import Path

import pytest
from lemur.core import provenance
from lemur.core.files import sha256_of, write_json
from lemur.core.provenance import Record
from lemur.tokenization.packed import PackedDataset
from lemur.training.stage import _data_digests, run
from safetensors.torch import load_file, save_file
from tiny_training import outcome, packed, settings, stop_after, tiny_model


@pytest.mark.parametrize("what", ["tokens", "masks", "tokens, recorded", "weights"])
def test_other_data_of_the_same_lengths_do_not_continue_a_run(tmp_path, capsys, what):
    """Rewritten after a kill: the index stays as it was, byte by byte."""
    model = tiny_model(tmp_path / "base" / "model")
    files = {path.name: sha256_of(path) for path in model.iterdir()}
    write_json(model.parent / "DONE.json", {"files": files})

    def written(seed: int) -> Path:
        made = packed(tmp_path / "data", [[10, 6]] * 12, 16, seed, masked=True)
        if "recorded" in what:
            Record().write(made.parent.glob("part.*"), [], {})
        return made

    index = written(0)
    before = {path.name: path.read_bytes() for path in index.parent.iterdir()}
    spec = settings(stage="sft")
    done = tmp_path / "out" / "DONE.json"
    stop_after(6, spec, model, index, done)
    if what == "weights":
        weights = load_file(model / "model.safetensors")
        save_file(
            {name: 2 * tensor for name, tensor in weights.items()},
            model / "model.safetensors",
            {"format": "pt"},
        )
    elif what == "masks":
        (index.parent / "part.mask").write_bytes(bytes(1 - b for b in before["part.mask"]))
    else:
        written(1)
        (index.parent / "part.mask").write_bytes(before["part.mask"])
    assert index.read_bytes() == before["index.json"]
    run(spec, model, index, done)
    assert "continuing" not in capsys.readouterr().err
    fresh = tmp_path / "fresh" / "DONE.json"
    run(spec, model, index, fresh)
    assert outcome(done) == outcome(fresh)


def test_the_same_data_written_again_continue_a_run(tmp_path, model_folder, capsys):
    """Times of change are not what data are."""
    index = packed(tmp_path / "data", [[10, 6]] * 12, 16)
    done = tmp_path / "out" / "DONE.json"
    stop_after(6, settings(), model_folder, index, done)
    packed(tmp_path / "data", [[10, 6]] * 12, 16)
    run(settings(), model_folder, index, done)
    assert "continuing after step 6 of 12" in capsys.readouterr().err


def test_recorded_hashes_are_taken_where_they_hold(tmp_path, monkeypatch):
    """Terabytes of tokens are not read again at every start."""
    index = packed(tmp_path, [[16]] * 4, 16)
    Record().write([tmp_path / "part.bin"], [], {})
    monkeypatch.setattr(provenance, "sha256_of", lambda path: f"read {Path(path).name}")
    found = _data_digests(PackedDataset(index))
    assert found["part.bin"] == sha256_of(tmp_path / "part.bin")
    assert found["index.json"] == "read index.json"
    os.utime(tmp_path / "part.bin")
    assert _data_digests(PackedDataset(index))["part.bin"] == "read part.bin"
