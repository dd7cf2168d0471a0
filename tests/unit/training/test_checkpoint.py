"""A checkpoint is whole or not there; the newest whole one is found."""

import errno
import json
import os

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.training import checkpoint
from lemur.training.engines.base import State
from lemur.training.guard import WriterLock
from lemur.training.stored import Stored


def state(value: float, size: int = 8) -> State:
    tensor = torch.full((size,), float(value))
    return State(int(value), {"a.weight": tensor}, {"exp_avg": {"a.weight": tensor + 1}})


@pytest.fixture
def metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 2.0}\n')
    return path


def save(folder, step, metrics, keep=2):
    made = checkpoint.save(folder, step, state(step), metrics, 4 * step)
    checkpoint.prune(folder, keep)
    return made


def test_round_trip_and_pruning(tmp_path, metrics):
    folder = tmp_path / "run"
    for step in (3, 6, 9, 12):
        save(folder, step, metrics)
    assert [step for step, _ in checkpoint.numbered(folder)] == [9, 12]
    assert sorted(path.name for path in folder.iterdir()) == ["step-12", "step-9"]
    step, path, manifest = checkpoint.newest(folder)
    assert (step, manifest.sequences_seen) == (12, 48)
    stored = Stored(path, manifest)
    assert stored.updates == 12
    shape = torch.Size([8])
    assert torch.equal(stored.whole("parameters", "a.weight", shape), torch.full((8,), 12.0))
    assert torch.equal(stored.whole("exp_avg", "a.weight", shape), torch.full((8,), 13.0))
    assert (path / "metrics.jsonl").read_text() == metrics.read_text()


def test_every_so_many_tokens_one_stays(tmp_path, metrics):
    """Checkpoints every 3 steps, one kept each 10 steps: the first at or after 10, 20 and 30."""
    folder = tmp_path / "run"
    for step in range(3, 36, 3):
        checkpoint.save(folder, step, state(step), metrics, 0)
        checkpoint.prune(folder, 2, 10.0)
    assert [step for step, _ in checkpoint.numbered(folder)] == [12, 21, 30, 33]
    checkpoint.prune(folder, 0, 10.0)
    assert [step for step, _ in checkpoint.numbered(folder)] == [12, 21, 30]


@given(
    steps=st.lists(st.integers(1, 500), unique=True, max_size=40).map(sorted),
    every=st.floats(0.5, 100),
    keep=st.integers(1, 4),
)
def test_pruning_as_it_goes_keeps_what_pruning_at_the_end_keeps(steps, every, keep):
    """Whatever is removed early, no multiple loses its checkpoint, and none is kept twice."""
    left: list[int] = []
    for step in steps:
        left.append(step)
        kept = checkpoint.lasting(left, every)
        left = [s for k, s in enumerate(left) if s in kept or k >= len(left) - keep]
    assert checkpoint.lasting(left, every) == checkpoint.lasting(steps, every)
    passed = {int(step // every) for step in steps} - {0}
    assert {int(step // every) for step in checkpoint.lasting(steps, every)} == passed


def test_steps_are_ordered_as_numbers(tmp_path, metrics):
    for step in (9, 10, 100):
        save(tmp_path / "run", step, metrics, keep=3)
    assert checkpoint.newest(tmp_path / "run")[0] == 100


def a_folder_instead(path):
    """What the system refuses to read, even for root."""
    (path / "checkpoint.json").unlink()
    (path / "checkpoint.json").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path / "exp_avg.safetensors", 20),
        lambda path: (path / "parameters.safetensors").unlink(),
        lambda path: (path / "checkpoint.json").write_text("{"),
        lambda path: (path / "checkpoint.json").unlink(),
        lambda path: (path / "metrics.jsonl").write_text("other"),
        lambda path: (path / "parameters.safetensors").write_bytes(
            (path / "parameters.safetensors").read_bytes()[:-1] + b"\1"
        ),
        a_folder_instead,
    ],
    ids=[
        "truncated",
        "missing",
        "bad json",
        "no json",
        "other metrics",
        "one byte",
        "folder",
    ],
)
def test_a_damaged_checkpoint_is_passed_over(tmp_path, metrics, damage, capsys):
    folder = tmp_path / "run"
    save(folder, 3, metrics)
    damage(save(folder, 6, metrics))
    step, path, _ = checkpoint.newest(folder)
    assert (step, path.name) == (3, "step-3")
    assert "step-6" in capsys.readouterr().err
    damage(folder / "step-3")
    assert checkpoint.newest(folder) is None


def test_a_checkpoint_that_the_disk_does_not_give_back(tmp_path, metrics, monkeypatch, capsys):
    folder = tmp_path / "run"
    for step in (3, 6):
        save(folder, step, metrics)

    def failing(path, read=checkpoint.sha256_of):
        if path.parent.name == "step-6":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return read(path)

    monkeypatch.setattr(checkpoint, "sha256_of", failing)
    assert checkpoint.newest(folder)[0] == 3
    assert "Input/output error" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "is not a checkpoint's"),
        ('{"format": 1, "step": 6, "files": 5}', "is not a checkpoint's"),
        ('{"format": 0, "step": 6, "files": {}}', "format 0, expected 1 or 2"),
        ('{"format": 1, "step": 3, "updates": 3, "files": {}}', "was written as step-3"),
    ],
)
def test_what_describes_no_checkpoint_is_passed_over(tmp_path, metrics, capsys, text, words):
    folder = tmp_path / "run"
    save(folder, 3, metrics)
    (save(folder, 6, metrics) / "checkpoint.json").write_text(text)
    assert checkpoint.newest(folder)[0] == 3
    assert words in capsys.readouterr().err


@settings(max_examples=10)
@given(good=st.sets(st.integers(1, 5)), damaged=st.sets(st.integers(1, 5)), keep=st.integers(1, 3))
@example(good=set(), damaged={4, 5}, keep=2)
def test_the_checkpoint_just_saved_stays(tmp_path_factory, good, damaged, keep):
    """Whatever stands there when a run continues: what it saves is what the next one finds."""
    folder = tmp_path_factory.mktemp("run")
    metrics = folder / "metrics.jsonl"
    metrics.write_text("")
    for step in good | damaged:
        save(folder, step, metrics, keep=99)
    for step in damaged:
        (folder / f"step-{step}" / "parameters.safetensors").write_bytes(b"")
    found = checkpoint.newest(folder)
    at = found[0] if found else 0
    assert at == max(good - damaged, default=0)
    checkpoint.set_aside(folder, at)
    for step in range(at + 1, at + 4):
        save(folder, step, metrics, keep)
        assert checkpoint.newest(folder)[0] == step
        assert not list(folder.glob(".step-*"))
        if keep > 1 and at in good:
            assert len(checkpoint.numbered(folder)) >= 2


def test_a_failing_write_leaves_the_others(tmp_path, metrics, monkeypatch):
    folder = tmp_path / "run"
    save(folder, 3, metrics)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "_save_tensors", full)
    with pytest.raises(OSError, match="No space"):
        save(folder, 6, metrics)
    assert [path.name for path in folder.iterdir()] == ["step-3"]
    assert checkpoint.newest(folder)[0] == 3


def test_a_partial_folder_is_no_checkpoint(tmp_path, metrics):
    folder = tmp_path / "run"
    save(folder, 3, metrics).rename(folder / ".step-3.partial")
    assert checkpoint.newest(folder) is None
    checkpoint.clear_partial(folder)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_an_enospc_and_the_last_good_one_stays(small_disk, metrics):
    disk, _ = small_disk(2)
    folder = disk / "run"
    fits = state(1, size=100_000)  # 0.8 MB with its moment
    checkpoint.save(folder, 1, fits, metrics, 0)
    with pytest.raises(OSError) as caught:
        for step in (2, 3, 4):
            checkpoint.save(folder, step, fits, metrics, 0)
    assert caught.value.errno == errno.ENOSPC
    step, path, manifest = checkpoint.newest(folder)
    read = Stored(path, manifest).whole("parameters", "a.weight", torch.Size([100_000]))
    assert torch.equal(read, torch.ones(100_000))
    assert not list(folder.glob(".step*"))
    assert step in (1, 2)


def test_a_second_writer_is_refused_in_one_line(tmp_path):
    with WriterLock(tmp_path / "run"), pytest.raises(UserError) as caught:
        WriterLock(tmp_path / "run")
    assert f"process {os.getpid()} on" in str(caught.value)
    with WriterLock(tmp_path / "run"):
        pass  # given back


def test_meta_says_what_is_in_it(tmp_path, metrics):
    path = save(tmp_path / "run", 3, metrics)
    meta = json.loads((path / "checkpoint.json").read_text())
    assert sorted(meta["files"]) == [
        "exp_avg.safetensors",
        "metrics.jsonl",
        "parameters.safetensors",
    ]
