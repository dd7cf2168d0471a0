"""Kernels are compiled by the preflight, and training finds them; without a compiler one line says so."""

import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
import torch
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.training import compiled, kernel_warmup
from lemur.training.settings import parse
from tiny_training import command, mixed_lengths, packed, settings, tiny_model

COMPILER = shutil.which("g++")
# Inductor asks for its version at every start and preprocesses a header to name what it keeps.
# The compiler's path is part of that name: it is the same one, and refuses once a file is there.
REFUSING = """#!/bin/sh
[ -e "$0.refuses" ] && case " $* " in *" -shared "* | *" -c "*) echo "compiled: $*" >&2; exit 1;; esac
exec g++ "$@"
"""


def preflight(spec: dict, model, out, **environment) -> subprocess.CompletedProcess:
    asked = {
        "stage": "pretrain", "device": "cpu", "nodes": 1, "processes_per_node": 1, "disk_bytes": 1,
        "clock_seconds": 30, "timeout_seconds": 60, "training": spec,
    }  # fmt: skip
    script = ROOT / "scripts" / "4_pretrain" / "preflight.py"
    arguments = ["--spec", json.dumps(asked), "--model", str(model), "--out", str(out)]
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=1500,
        env={**os.environ, **environment},
    )


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not COMPILER, reason="compiler: no g++")
@pytest.mark.parametrize("changes", [{}, {"precision": "bf16", "gradient_checkpointing": True}])
def test_training_compiles_nothing_after_the_preflight(changes, tmp_path):
    """More layers, steps and documents than were tried, under a compiler that only tells its version."""
    model = tiny_model(tmp_path / "model", num_hidden_layers=4)
    index = packed(tmp_path / "data", mixed_lengths(20, 16), 16)
    spec = settings(compile=True, tokens=256, **changes)
    refusing = tmp_path / "g++"
    refusing.write_text(REFUSING)
    refusing.chmod(refusing.stat().st_mode | stat.S_IXUSR)
    kept = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "kernels"), "OMP_NUM_THREADS": "1"}
    kept["CXX"] = str(refusing)
    done = preflight(spec, model, tmp_path / "preflight.json", **kept)
    assert done.returncode == 0, done.stderr
    assert "1 rank, " in done.stderr and " graphs compiled and " in done.stderr
    refusing.with_name("g++.refuses").touch()
    train = command(spec, model, index, tmp_path / "out" / "DONE.json")
    found = subprocess.run(
        train,
        capture_output=True,
        text=True,
        timeout=1500,
        env={**os.environ, **kept},
    )
    assert found.returncode == 0, found.stderr[-3000:]
    # The refusal is real: without the kept kernels the same command fails.
    kept["TORCHINDUCTOR_CACHE_DIR"] = str(tmp_path / "empty")
    shutil.rmtree(tmp_path / "out")
    failed = preflight(spec, model, tmp_path / "again.json", **kept)
    assert failed.returncode == 2, failed.stderr
    last = failed.stderr.strip().splitlines()[-1]
    assert last.startswith("error: pretrain.compile: kernels could not be compiled: "), last


def test_no_compiler_is_one_line_of_the_preflight(tmp_path, model_folder):
    out = tmp_path / "preflight.json"
    done = preflight(settings(compile=True), model_folder, out, PATH="/nowhere", CXX="")
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "Traceback" not in done.stderr
    assert errors[0].startswith("error: pretrain.compile: true needs a compiler and c++ or g++ or")
    assert not out.exists()


def test_nothing_is_compiled_where_nothing_asks_for_it(monkeypatch, model_folder):
    monkeypatch.setattr(
        kernel_warmup.registry, "build", lambda *_: pytest.fail("a model was built")
    )
    assert kernel_warmup.prebuild(settings(), model_folder) is None


def test_liger_is_asked_for_on_a_gpu_and_needs_a_compiler(monkeypatch):
    spec = parse(settings(parallel__device="cuda", precision="bf16", cross_entropy="auto"))
    monkeypatch.setattr(kernel_warmup.loss.importlib.util, "find_spec", lambda name: object())
    assert kernel_warmup.asked_by(spec) == "cross_entropy"
    monkeypatch.setattr(compiled.shutil, "which", lambda name: None)
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(
        UserError, match=r"^pretrain\.cross_entropy: auto needs .* or set it to chunked"
    ):
        compiled.check_compiler(spec, "cross_entropy")


def test_what_is_tried_is_the_recipes_pass_on_two_layers(tmp_path):
    model = tiny_model(tmp_path / "model", num_hidden_layers=5)
    spec = kernel_warmup._one_pass(settings(), model)
    cut = kernel_warmup._cut(model, spec)
    assert len(cut.model.layers) == kernel_warmup.LAYERS
    assert cut.config.rms_norm_eps == 1e-6 and cut.config.vocab_size == 61
    batch = kernel_warmup._batch(spec)
    assert batch.input_ids.shape == (2, 16) and batch.targets == spec.global_batch_tokens
    assert torch.equal(batch.position_ids[1], torch.arange(16))
