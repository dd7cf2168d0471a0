"""TensorBoard and Weights & Biases get what metrics.jsonl gets, once, with the network off."""

import json
import socket

import pytest
from lemur.core.errors import UserError
from lemur.training import trainer
from lemur.training.stage import run
from tiny_training import settings


class Stopped(BaseException):
    """Stands for a kill."""


def losses(path):
    return [json.loads(line)["loss"] for line in (path / "metrics.jsonl").read_text().splitlines()]


def test_a_name_that_is_not_known(tmp_path, model_folder, index):
    with pytest.raises(UserError, match="--track: 'tensorbord'; did you mean 'tensorboard'"):
        run(settings(), model_folder, index, tmp_path / "DONE.json", ["tensorbord"])


def test_tensorboard_of_a_run_that_was_killed(tmp_path, model_folder, index, monkeypatch):
    """Steps 7 and 8 were done twice; each is there once, and the last values count."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    update = trainer._update

    def dying(job, step, rate):
        if step == 8:
            raise Stopped
        return update(job, step, rate)

    done = tmp_path / "DONE.json"
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(trainer, "_update", dying)
        run(settings(), model_folder, index, done, ["tensorboard"])
    assert (tmp_path / "tensorboard").is_dir()
    run(settings(), model_folder, index, done, ["tensorboard"])
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    scalars = read.Scalars("train/loss")
    assert [scalar.step for scalar in scalars] == list(range(1, 13))
    assert [scalar.value for scalar in scalars] == pytest.approx(losses(tmp_path), rel=1e-6)
    assert {"train/mfu", "train/tokens_per_second", "train/memory_mb"} <= set(
        read.Tags()["scalars"]
    )


@pytest.mark.long
def test_wandb_is_offline(tmp_path, model_folder, index, monkeypatch):
    """This process tries no connection beyond this machine, and the run's file holds every step."""
    real, tried = socket.socket.connect, []

    def connect(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            tried.append(address)
            raise OSError("no network")
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    run(settings(), model_folder, index, tmp_path / "DONE.json", ["wandb"])
    (kept,) = (tmp_path / "wandb").rglob("*.wandb")
    assert kept.stat().st_size > 1000 and not tried
    text = kept.read_bytes()
    assert text.count(b"gradient_norm") >= 12
