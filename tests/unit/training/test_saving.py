"""Several ranks' checkpoints: whole or not there, read by any number of ranks, written meanwhile."""

import errno
import hashlib
import os
import signal
import threading

import pytest
import torch
from lemur.core.errors import LostRank
from lemur.models import shards, tensor_file
from lemur.training import checkpoint, saving
from lemur.training.engines.base import State
from lemur.training.manifest import read_manifest
from lemur.training.publishing import Trained, write_weights
from lemur.training.saving import Saver, find
from lemur.training.stored import PARAMETERS, Stored
from safetensors.torch import save_file
from saving_team import KINDS, SHAPES, Team, tensors
from transformers import LlamaConfig, LlamaForCausalLM


@pytest.fixture
def metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 2.0}\n')
    return path


def save(team, folder, metrics, *steps, keep=2):
    """Save at each of ``steps``, as training does; what each rank's part in it ended with."""

    def work(rank):
        saver = Saver(rank, folder, keep, None)
        for step in steps:
            rank.total(0)  # none copies its part of the step before any more
            if rank.rank == 0:
                team.fill(step)
            rank.total(0)
            saver.save(step, metrics if rank.rank == 0 else None, 4 * step)
        saver.finish()

    return team.run(work)


def whole(path) -> dict:
    stored = Stored(path, read_manifest(path))
    return {(k, n): stored.whole(k, n, shape) for k in KINDS for n, shape in SHAPES.items()}


def equal(found: dict, seed: float) -> bool:
    return all(torch.equal(found[key], tensor) for key, tensor in tensors(seed).items())


@pytest.mark.parametrize(("world", "stage"), [(2, 1), (2, 3), (4, 2), (4, 3), (9, 3)])
@pytest.mark.parametrize(("readers", "other"), [(1, 2), (3, 1), (4, 3)])
def test_any_ranks_read_what_others_wrote(tmp_path, metrics, world, stage, readers, other):
    """Every slice, bit for bit, also where ranks outnumber a tensor's numbers."""
    assert save(Team(world, stage), tmp_path, metrics, 3) == [None] * world
    team = Team(readers, other)
    (step, path), *_ = team.run(lambda rank: find(rank, tmp_path))
    stored = Stored(path, read_manifest(path))
    team.fill(3)
    assert (step, stored.updates) == (3, 3)
    for rank in team.ranks:
        for part in rank.slices():
            assert torch.equal(stored.read(part), rank.get(part))
    assert (path / "metrics.jsonl").read_text() == metrics.read_text()


def test_what_one_rank_wrote_keeps_its_bytes_and_is_read_by_several(tmp_path, metrics):
    found = tensors(3)
    kinds = {kind: {n: found[kind, n] for n in SHAPES} for kind in KINDS}
    state = State(3, kinds.pop(PARAMETERS), kinds)
    path = checkpoint.save(tmp_path, 3, state, metrics, 12)
    # What was written before several ranks wrote their own files.
    everything = b"".join(file.read_bytes() for file in sorted(path.iterdir()))
    assert hashlib.sha256(everything).hexdigest()[:16] == "6718c045a24f44c5"
    assert equal(whole(path), 3)
    assert Team(3).run(lambda rank: find(rank, tmp_path)) == [(3, path)] * 3


def test_pruning_keeps_the_newest(tmp_path, metrics):
    save(Team(2), tmp_path / "run", metrics, 3, 6, 9)
    assert [step for step, _ in checkpoint.numbered(tmp_path / "run")] == [6, 9]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["step-6", "step-9"]


def test_training_goes_on_while_a_part_is_written(tmp_path, metrics, monkeypatch):
    """What changes after ``save`` is not in the checkpoint, which is not there before all wrote."""
    write, go = tensor_file.write, threading.Event()

    def waits(path, *rest):
        if path.name == "rank-00001.safetensors":
            assert go.wait(20)
        return write(path, *rest)

    monkeypatch.setattr(tensor_file, "write", waits)
    team = Team(2)
    team.fill(5)

    def work(rank):
        saver = Saver(rank, tmp_path / "run", 2, None)
        saver.save(5, metrics if rank.rank == 0 else None, 0)
        rank.total(0)
        for tensor in rank.held.values():
            tensor.zero_()
        if rank.rank == 0:
            metrics.write_text("later")
        saver.poll()
        seen = checkpoint.numbered(tmp_path / "run")
        rank.total(0)
        go.set()
        saver.finish()
        return seen

    assert team.run(work) == [[], []]
    assert equal(whole(tmp_path / "run" / "step-5"), 5)
    assert (tmp_path / "run" / "step-5" / "metrics.jsonl").read_text().startswith('{"step": 1')


class At:
    """Kills this process, all its ranks, at the call of a function for the checkpoint of step 6."""

    def __init__(self, monkeypatch, module, name, calls=1):
        self.real, self.left = getattr(module, name), calls
        monkeypatch.setattr(module, name, self)

    def __call__(self, *arguments):
        if ".step-6." in str(arguments[0]):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.real(*arguments)


@pytest.mark.parametrize(
    ("module", "name", "calls"),
    [
        (tensor_file, "write", 1),
        (tensor_file, "write", 2),
        (tensor_file.os, "fsync", 1),
        (checkpoint, "sync", 1),
        (saving, "sha256_of", 1),
        (checkpoint, "write_json", 1),
        (checkpoint, "sync", 2),
        (checkpoint.os, "rename", 1),
    ],
)
def test_killed_while_writing(tmp_path, metrics, monkeypatch, module, name, calls, capfd):
    """The one before is found, what is left is removed, and the same step can be saved again."""
    folder = tmp_path / "run"
    child = os.fork()
    if not child:
        try:
            if name == "fsync":  # of a file's number: only the second checkpoint's files count
                save(Team(2), folder, metrics, 3)
                monkeypatch.setattr(os, name, lambda _: os.kill(os.getpid(), signal.SIGKILL))
                save(Team(2), folder, metrics, 6)
            else:
                At(monkeypatch, module, name, calls)
                save(Team(2), folder, metrics, 3, 6)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert list(folder.glob(".step-6.*.partial"))
    assert Team(4, 3).run(lambda rank: find(rank, folder)) == [(3, folder / "step-3")] * 4
    assert equal(whole(folder / "step-3"), 3)
    checkpoint.clear_partial(folder)
    assert [path.name for path in folder.iterdir()] == ["step-3"]
    assert save(Team(2), folder, metrics, 6) == [None, None]
    assert equal(whole(folder / "step-6"), 6)


def test_a_full_disk_is_said_by_who_met_it(tmp_path, metrics, monkeypatch):
    """The others learn of it, nothing half-written stays, and the checkpoint before does."""
    write = tensor_file.write

    def full(path, *rest):
        if ".step-6." in str(path) and path.name == "rank-00001.safetensors":
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, *rest)

    monkeypatch.setattr(tensor_file, "write", full)
    first, second, third = save(Team(3), tmp_path / "run", metrics, 3, 6)
    assert isinstance(first, LostRank) and isinstance(third, LostRank)
    assert isinstance(second, OSError) and second.errno == errno.ENOSPC
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["step-3"]


def test_a_disk_that_is_really_full(small_disk, metrics):
    disk, _ = small_disk(1)
    shapes = {"a.weight": torch.Size([50_000])}  # 0.6 MB with its moments
    outcome = save(Team(2, 3, shapes), disk / "run", metrics, 3, 6)
    assert any(getattr(error, "errno", None) == errno.ENOSPC for error in outcome), outcome
    assert [path.name for path in (disk / "run").iterdir()] == ["step-3"]


def test_a_rank_of_a_run_that_is_over_writes_to_no_new_checkpoint(tmp_path, metrics):
    """Nobody can end a rank on a node that is out of reach: what it writes is not what is read."""
    folder = tmp_path / "run"
    team = Team(2)
    team.fill(6)

    def stale(rank):
        saver = Saver(rank, folder, 2, None)
        saver.pool.submit = lambda *arguments: arguments  # is not there yet when the run ends
        saver.save(6, metrics if rank.rank == 0 else None, 0)
        return saver, saver.pending.written

    (_, late), (_, later) = team.run(stale)
    checkpoint.clear_partial(folder)
    save(Team(2), folder, metrics, 6)
    for write, *arguments in (late, later):
        write(*arguments)
    assert equal(whole(folder / "step-6"), 6)
    checkpoint.clear_partial(folder)
    assert [path.name for path in folder.iterdir()] == ["step-6"]


@pytest.mark.parametrize("file", ["rank-00000.safetensors", "rank-00002.safetensors", "gone"])
def test_damage_is_found_by_whoever_verifies_the_file(tmp_path, metrics, file, capsys):
    folder = tmp_path / "run"
    save(Team(3), folder, metrics, 3, 6)
    if file == "gone":
        (folder / "step-6" / "checkpoint.json").unlink()
    else:
        os.truncate(folder / "step-6" / file, 100)
    capsys.readouterr()
    assert Team(2).run(lambda rank: find(rank, folder)) == [(3, folder / "step-3")] * 2
    said = capsys.readouterr().err
    assert said.count("warning") == 1 and "trying an older checkpoint" in said
    assert "checkpoint.json" in said if file == "gone" else f"{file} is damaged" in said
    assert (folder / ".step-6.damaged").is_dir()


# -- the published model ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=50, num_hidden_layers=11, **sizes))


@pytest.mark.parametrize("largest", ["4KB", "5GB"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_several_ranks_write_what_transformers_writes(
    tmp_path, metrics, model, monkeypatch, largest, dtype
):
    """Names, bytes, hashes and the index; each file by one of the ranks, in turn."""
    monkeypatch.setattr(shards, "LARGEST", largest)
    weights = {name: p.detach() for name, p in model.named_parameters()}
    state = State(1, weights, {kind: weights for kind in KINDS[1:]})
    path = checkpoint.save(tmp_path, 1, state, metrics, 0)
    model._weight_conversions = []  # as after loading: no family's own names
    cast = {name: tensor.to(dtype) for name, tensor in weights.items()}
    model.save_pretrained(tmp_path / "one", state_dict=cast, max_shard_size=largest)
    expected = {p.name: p.read_bytes() for p in (tmp_path / "one").glob("model*")}
    (tmp_path / "many").mkdir()
    team = Team(3, 3, {name: tensor.shape for name, tensor in weights.items()})
    stored = Stored(path, read_manifest(path))
    trained = Trained(stored, team.ranks[0].shapes)
    digests, *others = team.run(lambda r: write_weights(r, trained, tmp_path / "many", dtype))
    assert others == [digests] * 2
    assert {p.name: p.read_bytes() for p in (tmp_path / "many").iterdir()} == expected
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in expected.items()}
    assert digests == {name: h for name, h in hashes.items() if name.endswith(".safetensors")}
    assert len(digests) == 1 if largest == "5GB" else len(digests) > 3


def test_files_are_those_of_the_library(tmp_path):
    tensors = {
        "b": torch.arange(5, dtype=torch.int64),
        "ä.long": torch.randn(3, 7).to(torch.bfloat16),
        "a": torch.randn(2, 3),
        "none": torch.empty(0, 4),
        "scalar": torch.tensor(2.5),
    }
    save_file(tensors, tmp_path / "library", {"format": "pt"})
    described = {
        name: tensor_file.Entry(tensor.dtype, tuple(tensor.shape))
        for name, tensor in tensors.items()
    }
    digest = tensor_file.write(tmp_path / "ours", described, tensors.get, {"format": "pt"})
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "library").read_bytes()
    assert digest == hashlib.sha256((tmp_path / "ours").read_bytes()).hexdigest()
