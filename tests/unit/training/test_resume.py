"""However a run ends, the same command ends with the same bytes."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.training import checkpoint, trainer
from lemur.training.guard import WriterLock
from lemur.training.stage import run
from tiny_training import (
    command,
    ended,
    forked,
    launch,
    outcome,
    packed,
    settings,
    stop_after,
    tiny_model,
)


class Killed(BaseException):
    """Stands for SIGKILL inside one process: no handler of the code under test catches it."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, model_folder, index):
    """Outcomes of whole runs, by precision."""
    made = {}
    for precision in ("fp32", "bf16"):
        done = tmp_path_factory.mktemp(precision) / "DONE.json"
        run(settings(precision=precision), model_folder, index, done)
        made[precision] = outcome(done)
    return made


def test_the_same_settings_give_the_same_bytes(undisturbed, model_folder, index, tmp_path):
    run(settings(), model_folder, index, tmp_path / "DONE.json")
    assert outcome(tmp_path / "DONE.json") == undisturbed["fp32"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "DONE.json",
        "metrics.jsonl",
        "model",
    ]


@hypothesis_settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kills=st.lists(st.integers(0, 11), min_size=1, max_size=3),
    every=st.integers(1, 5),
    precision=st.sampled_from(["fp32", "bf16"]),
)
def test_killed_before_any_update(
    undisturbed, model_folder, index, tmp_path_factory, kills, every, precision
):
    """Each run dies before the update of a step; checkpoints fall at other steps than kills."""
    done = tmp_path_factory.mktemp("killed") / "DONE.json"
    spec = settings(precision=precision, checkpoint__every_steps=every)
    update = trainer._update
    with pytest.MonkeyPatch.context() as patch:
        for kill in kills:

            def dying(job, step, rate, kill=kill):
                if step == kill:
                    raise Killed
                return update(job, step, rate)

            patch.setattr(trainer, "_update", dying)
            # A kill at a step that an earlier run's checkpoint lies behind never comes.
            try:
                run(spec, model_folder, index, done)
            except Killed:
                assert not done.exists()
        patch.setattr(trainer, "_update", update)
        run(spec, model_folder, index, done)
    assert outcome(done) == undisturbed[precision]


@pytest.mark.parametrize(
    ("where", "calls"),
    [("_save_tensors", 1), ("_save_tensors", 3), ("sync", 1), ("sync", 3), ("write_json", 1)],
)
def test_killed_while_writing_a_checkpoint(
    undisturbed, model_folder, index, tmp_path, monkeypatch, where, calls
):
    """Dies inside the writing of the second checkpoint; a partial folder is left, as by a kill."""
    done = tmp_path / "DONE.json"
    place = contracts if where == "write_json" else checkpoint
    real, left = getattr(place, where), [calls]

    def dying(*args):
        if any(path.name == ".step-6.partial" for path in _folder(done).iterdir()):
            left[0] -= 1
            if not left[0]:
                raise Killed
        return real(*args)

    monkeypatch.setattr(place, where, dying)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", _keep_partial(shutil.rmtree))
    with pytest.raises(Killed):
        run(settings(), model_folder, index, done)
    assert (_folder(done) / ".step-6.partial").is_dir()
    assert [step for step, _ in checkpoint.numbered(_folder(done))] == [3]
    monkeypatch.undo()
    run(settings(), model_folder, index, done)
    assert outcome(done) == undisturbed["fp32"]


def _folder(done: Path) -> Path:
    (only,) = (done.parent / "checkpoints").iterdir()
    return only


def _keep_partial(rmtree):
    """SIGKILL runs no ``finally``: what the dying run would tidy stays."""

    def keep(path, *args, **named):
        if not str(path).endswith(".step-6.partial"):
            rmtree(path, *args, **named)

    return keep


def test_other_settings_do_not_continue_a_run(undisturbed, model_folder, index, tmp_path):
    done = tmp_path / "DONE.json"
    stop_after(6, settings(seed=4), model_folder, index, done)
    run(settings(), model_folder, index, done)
    assert outcome(done) == undisturbed["fp32"]
    assert not (tmp_path / "checkpoints").exists()  # also those that were given up


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_write_a_checkpoint(undisturbed, model_folder, index, tmp_path, number, ctrl_c):
    done = tmp_path / "DONE.json"
    spec = settings(checkpoint__every_steps=100)
    before = signal.getsignal(number)
    said = stop_after(5, spec, model_folder, index, done, number)
    assert signal.getsignal(number) == before
    assert said == (
        f"pretrain tiny: stopped by {signal.Signals(number).name} after step 5 of 12; "
        "the same command continues"
    )
    assert [step for step, _ in checkpoint.numbered(_folder(done))] == [5]
    assert not done.exists()
    run(spec, model_folder, index, done)
    assert outcome(done) == undisturbed["fp32"]


def test_a_truncated_checkpoint_gives_way_to_the_one_before(
    undisturbed, model_folder, index, tmp_path, capsys
):
    done = tmp_path / "DONE.json"
    stop_after(8, settings(), model_folder, index, done)
    folder = _folder(done)
    assert [step for step, _ in checkpoint.numbered(folder)] == [6, 8]
    os.truncate(folder / "step-8" / "parameters.safetensors", 100)
    run(settings(), model_folder, index, done)
    shown = capsys.readouterr().err
    assert "step-8: parameters.safetensors is damaged" in shown
    assert "continuing after step 6 of 12" in shown
    assert outcome(done) == undisturbed["fp32"]


def test_damage_does_not_have_a_killed_run_begin_again_and_again(
    undisturbed, model_folder, index, tmp_path, capsys
):
    """Both checkpoints are damaged; what is saved after that stays, though its number is lower."""
    done = tmp_path / "DONE.json"
    stop_after(8, settings(), model_folder, index, done)
    for number in (6, 8):
        os.truncate(_folder(done) / f"step-{number}" / "parameters.safetensors", 100)
    stop_after(4, settings(), model_folder, index, done)
    assert [step for step, _ in checkpoint.numbered(_folder(done))] == [3, 4]
    capsys.readouterr()
    run(settings(), model_folder, index, done)
    assert "continuing after step 4 of 12" in capsys.readouterr().err
    assert outcome(done) == undisturbed["fp32"]


def test_a_second_writer_is_refused(model_folder, index, tmp_path):
    done = tmp_path / "DONE.json"
    stop_after(4, settings(), model_folder, index, done)
    with WriterLock(_folder(done)), pytest.raises(UserError, match="already writing here"):
        run(settings(), model_folder, index, done)


def test_a_loss_that_is_not_finite_names_the_step(tmp_path, model_folder, index):
    spec = settings(optimizer__learning_rate=1e30, optimizer__clip=0.0, schedule__warmup=0.0)
    with pytest.raises(UserError) as caught:
        run(spec, model_folder, index, tmp_path / "DONE.json")
    said = str(caught.value)
    assert said.startswith("step ") and "not finite" in said and "\n" not in said
    assert "part.bin at token " in said
    assert "pretrain.optimizer.learning_rate" in said
    assert not (tmp_path / "DONE.json").exists()


def _run_and_kill(spec, model_folder, index, done, moment) -> bool:
    """Start a run and SIGKILL it when ``moment`` says so; False if it finished first."""
    shown = done.parent / "stderr.txt"
    child = forked(spec, model_folder, index, done, shown)
    while not moment(done.parent):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            assert os.waitstatus_to_exitcode(status) == 0, shown.read_text()
            return False
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    return ended(child) == -signal.SIGKILL


def _lines(folder: Path) -> int:
    found = list(folder.glob("checkpoints/*/metrics.jsonl"))
    return found[0].read_bytes().count(b"\n") if found else 0


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """A model whose checkpoint takes a while to write, its data, and the undisturbed outcome."""
    base = tmp_path_factory.mktemp("larger")
    folder = tiny_model(base / "model", hidden_size=256, intermediate_size=1024)
    index = packed(base / "data", [[10, 6], [16], [3, 12]] * 8, 16)
    done = base / "out" / "DONE.json"
    spec = settings(optimizer__learning_rate=0.001)
    assert launch(spec, folder, index, done).returncode == 0
    return spec, folder, index, outcome(done)


def _survives(larger, done: Path, moments) -> int:
    spec, folder, index, expected = larger
    killed = sum(_run_and_kill(spec, folder, index, done, moment) for moment in moments)
    shown = done.parent / "stderr.txt"
    assert ended(forked(spec, folder, index, done, shown)) == 0, shown.read_text()
    assert outcome(done) == expected
    return killed


def _die_at_step(number: int):
    def arm() -> None:
        update = trainer._update

        def dying(job, step, rate):
            if step == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return update(job, step, rate)

        trainer._update = dying

    return arm


def _die_writing(step: int, file: str):
    """Dies when ``file`` of a checkpoint has been written and is about to be flushed."""

    def arm() -> None:
        sync = checkpoint.sync

        def dying(path):
            if path.parent.name == f".step-{step}.partial" and path.name == file:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(path)

        checkpoint.sync = dying

    return arm


def test_sigkill_at_three_steps_and_while_writing(larger, tmp_path):
    """Processes that are really killed, each continuing the one before."""
    spec, folder, index, expected = larger
    done, shown = tmp_path / "DONE.json", tmp_path / "stderr.txt"
    steps = sorted(random.Random(11).sample(range(12), 3))
    deaths = [_die_at_step(step) for step in steps]
    deaths.insert(
        1, _die_writing(next(s for s in (3, 6, 9) if s > steps[0]), "exp_avg.safetensors")
    )
    for arm in deaths:
        assert ended(forked(spec, folder, index, done, shown, arm)) == -signal.SIGKILL
        assert not done.exists()
    assert ended(forked(spec, folder, index, done, shown)) == 0, shown.read_text()
    assert outcome(done) == expected


def test_a_full_disk_stops_a_run_and_space_continues_it(larger, small_disk, tmp_path):
    """The third checkpoint (24 MB) does not fit: one line, the second stays; then it goes on."""
    spec, folder, index, expected = larger
    disk, resize = small_disk(60)
    done = disk / "DONE.json"
    shown = tmp_path / "stderr.txt"
    assert ended(forked(spec, folder, index, done, shown)) == 2, shown.read_text()
    errors = [line for line in shown.read_text().splitlines() if "error" in line.lower()]
    assert len(errors) == 1 and errors[0].startswith("error: the disk is full at ")
    assert "Traceback" not in shown.read_text()
    assert [step for step, _ in checkpoint.numbered(_folder(done))] == [3, 6]
    assert not done.exists()
    resize(200)
    assert ended(forked(spec, folder, index, done, shown)) == 0
    assert "continuing after step 6 of 12" in shown.read_text()
    assert outcome(done) == expected


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(5))
def test_sigkill_anywhere(larger, tmp_path, seed):
    """Twenty more random moments in all, by the clock: loading, writing, publishing among them."""
    draw = random.Random(seed)
    spec, folder, index, _ = larger
    (tmp_path / "timing").mkdir()
    started = time.monotonic()
    timing = tmp_path / "timing"
    assert ended(forked(spec, folder, index, timing / "DONE.json", timing / "stderr.txt")) == 0
    whole = time.monotonic() - started

    def after(delay: float):
        begun = []

        def moment(_: Path) -> bool:
            begun.append(time.monotonic()) if not begun else None
            return time.monotonic() - begun[0] > delay

        return moment

    delays = [draw.uniform(0, whole) for _ in range(4)]
    _survives(larger, tmp_path / "DONE.json", [after(delay) for delay in delays])


def test_sigterm_leaves_with_75_and_one_line(larger, tmp_path):
    spec, folder, index, expected = larger
    done = tmp_path / "DONE.json"
    process = subprocess.Popen(
        command(spec, folder, index, done), stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and _lines(tmp_path) < 2:
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    _, shown = process.communicate(timeout=120)
    assert process.returncode == 75
    errors = [line for line in shown.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and "SIGTERM" in errors[0]
    assert "Traceback" not in shown
    assert launch(spec, folder, index, done).returncode == 0
    assert outcome(done) == expected


def test_the_metrics_of_a_resumed_run_have_every_step_once(undisturbed):
    lines = undisturbed["fp32"][1]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert [line["tokens"] for line in lines] == [64 * n for n in range(1, 13)]
    assert list(lines[0]) == ["step", "tokens", "loss", "learning_rate", "gradient_norm"]
    assert json.loads(undisturbed["fp32"][2])["final_loss"] == lines[-1]["loss"]
