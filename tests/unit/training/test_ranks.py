"""Two CPU ranks: what ends one ends all, in one line; what is asked of one is done by all."""

import errno
import os
import random
import signal
import threading
import time
from concurrent.futures import wait

import pytest
from forked_ranks import train
from lemur.core.files import sha256_of
from lemur.launch import ranks
from lemur.models import tensor_file
from lemur.training import checkpoint, publishing, stage, trainer
from lemur.training.engines.base import NotFinite
from lemur.training.engines.deepspeed_engine import DeepSpeedEngine
from lemur.training.saving import HostCopy, Saver
from lemur.training.stage import run as train_alone
from tiny_training import settings, stop_after, timeless, tiny_model

TWO = settings(
    engine="auto",
    parallel__processes_per_node=2,
    parallel__zero_stage=2,
    parallel__timeout_seconds=60,
)


def outcome(done):
    model = sha256_of(done.parent / "model" / "model.safetensors")
    return model, timeless(done.parent / "metrics.jsonl"), done.read_text()


def steps_kept(done):
    (folder,) = (done.parent / "checkpoints").iterdir()
    return [step for step, _ in checkpoint.numbered(folder)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, model_folder, index):
    done = tmp_path_factory.mktemp("two") / "DONE.json"
    with pytest.MonkeyPatch.context() as patch:
        code, _ = train(patch, TWO, model_folder, index, done)
    assert code == 0
    return outcome(done)


def waits_for_each_checkpoint():
    """So that what is there at a step does not depend on how fast a disk is: only tests wait."""
    poll = Saver.poll

    def awaited(self):
        if self.pending is not None:
            wait([self.pending.written])
        poll(self)

    Saver.poll = awaited


@pytest.fixture
def two(monkeypatch, capfd, tmp_path, model_folder, index):
    """Runs two ranks: (exit code, lines of stderr), and where DONE.json goes."""
    done = tmp_path / "DONE.json"

    def run(arm=lambda rank: None, spec=TWO):
        def armed(rank):
            waits_for_each_checkpoint()
            arm(rank)

        capfd.readouterr()
        began = time.monotonic()
        code, group = train(monkeypatch, spec, model_folder, index, done, armed)
        assert time.monotonic() - began < 60
        assert all(process.code is not None for process in group.processes)  # no orphan
        return code, capfd.readouterr().err.splitlines()

    return run, done


def at(step, wanted, action):
    """``action(rank)`` in the rank ``wanted`` before the update of ``step`` (from 0)."""

    def arm(rank):
        update = trainer._update

        def acting(job, now, *more):
            if now == step and rank in wanted:
                action(rank)
            return update(job, now, *more)

        trainer._update = acting

    return arm


def only_error(lines):
    (line,) = [line for line in lines if line.startswith("error: ")]
    return line


def test_a_killed_rank_ends_the_other_and_the_run_continues(two, undisturbed):
    run, done = two
    code, lines = run(at(7, {1}, lambda _: os.kill(os.getpid(), signal.SIGKILL)))
    assert code == 128 + 9
    assert only_error(lines) == (
        "error: rank 1 was ended by SIGKILL (out of memory?); the other ranks were ended; "
        "the same command continues from the last checkpoint"
    )
    assert not any("Traceback" in line for line in lines)
    assert steps_kept(done) == [3, 6]
    code, lines = run()
    assert code == 0 and any("continuing after step 6 of 12" in line for line in lines)
    assert outcome(done) == undisturbed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_the_job_saves_once_and_stops_all(two, undisturbed, number):
    run, done = two
    # One rank tells the launcher, at a moment that is the same every time.
    code, lines = run(at(4, {1}, lambda _: (os.kill(os.getppid(), number), time.sleep(0.3))))
    assert code == 75
    assert only_error(lines).startswith(
        f"error: pretrain tiny: stopped by {number.name} after step 5 of 12"
    )
    assert steps_kept(done) == [3, 5]
    assert run()[0] == 0
    assert outcome(done) == undisturbed


def test_a_rank_that_hangs_is_named_and_ended(two, monkeypatch):
    run, done = two
    monkeypatch.setattr(ranks, "PATIENCE", 1.0)
    spec = {**TWO, "parallel": {**TWO["parallel"], "timeout_seconds": 3}}
    code, lines = run(at(7, {1}, lambda _: os.kill(os.getpid(), signal.SIGSTOP)), spec)
    assert code == 128 + 9
    assert only_error(lines).startswith("error: rank 1 did not answer the others and was killed;")
    assert steps_kept(done) == [3, 6]


def fails(_):
    raise ValueError("a mistake in the code")


def no_memory(_):
    raise MemoryError


@pytest.mark.long
@pytest.mark.parametrize(("rank", "error"), [(0, fails), (1, fails), (1, no_memory)])
def test_an_exception_in_a_rank_is_shown_and_ends_the_other(two, rank, error):
    run, done = two
    code, lines = run(at(7, {rank}, error))
    assert code == 1
    assert sum("Traceback" in line for line in lines) == 1
    assert only_error(lines).startswith(f"error: rank {rank} left with code 1; the other ranks")
    assert steps_kept(done) == [3, 6]


@pytest.mark.long
@pytest.mark.parametrize(("step", "ends_at"), [(0, 1), (5, 8)])
def test_a_loss_that_is_not_finite_is_said_once(two, step, ends_at):
    """Both ranks meet it; one line names the step: the first of all, or the third in a row."""
    run, _ = two

    def arm(rank):
        real, count = DeepSpeedEngine.train_step, []

        def broken(self, *arguments):
            count.append(1)
            if len(count) > step:
                raise NotFinite("loss nan")
            return real(self, *arguments)

        DeepSpeedEngine.train_step = broken

    code, lines = run(arm)
    assert code == 2
    assert f"step {ends_at}:" in only_error(lines) and "not finite" in only_error(lines)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_sigkill_anywhere_on_two_ranks(two, undisturbed, seed):
    """Twenty random moments in all, by the clock, of a random rank: starting, saving, publishing."""
    run, done = two
    draw = random.Random(seed)

    def after(seconds, victim):
        def arm(rank):
            if rank == victim:  # a thread: also while Python waits in a write or a collective
                threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()

        return arm

    for _ in range(4):
        code, lines = run(after(draw.uniform(0.0, 3.5), draw.randrange(2)))
        if code == 0:  # ended before its time came
            assert outcome(done) == undisturbed
        else:
            assert code == 128 + 9, lines
            assert "was ended by SIGKILL" in only_error(lines)
    assert run()[0] == 0
    assert outcome(done) == undisturbed


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_sigkill_while_two_ranks_save(two, undisturbed, rank):
    """One rank dies while it writes its part, the other's is whole."""
    run, done = two

    def arm(mine):
        write = tensor_file.write

        def dying(path, *rest):
            if path.parent.name.startswith(".step-6.") and mine == rank:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(path, *rest)

        tensor_file.write = dying

    code, lines = run(arm)
    assert code == 128 + 9 and f"rank {rank} was ended by SIGKILL" in only_error(lines)
    assert steps_kept(done) == [3]
    assert run()[0] == 0
    assert outcome(done) == undisturbed


def test_a_rank_whose_disk_is_full_says_so(two, undisturbed):
    """In one line; nothing half-written stays, and the same command continues."""
    run, done = two

    def arm(rank):
        write = tensor_file.write

        def full(path, *rest):
            if path.parent.name.startswith(".step-6.") and rank == 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, *rest)

        tensor_file.write = full

    code, lines = run(arm)
    assert code == 2 and only_error(lines).startswith("error: the disk is full at ")
    assert "rank-00001.safetensors: free some space; the same command continues" in only_error(
        lines
    )
    assert steps_kept(done) == [3] and not list(done.parent.glob("checkpoints/*/.step-*"))
    assert run()[0] == 0
    assert outcome(done) == undisturbed


@pytest.mark.long
@pytest.mark.timeout(900)
def test_ranks_and_stage_change_between_runs(two, tmp_path_factory, model_folder, index):
    """Begun by two ranks in ZeRO 2, continued by one process, ended by four ranks in ZeRO 3."""
    run, done = two
    code, _ = run(at(4, {1}, lambda _: (os.kill(os.getppid(), signal.SIGTERM), time.sleep(0.3))))
    assert code == 75 and steps_kept(done) == [3, 5]
    stop_after(7, settings(), model_folder, index, done)
    assert steps_kept(done) == [6, 7]
    four = {**TWO["parallel"], "processes_per_node": 4, "zero_stage": 3}
    code, lines = run(spec={**TWO, "parallel": four, "micro_batch_sequences": 1})
    assert code == 0 and any("continuing after step 7 of 12" in line for line in lines)
    alone = tmp_path_factory.mktemp("alone") / "DONE.json"
    train_alone(settings(), model_folder, index, alone)
    losses = [[line["loss"] for line in outcome(path)[1]] for path in (done, alone)]
    assert losses[0] == pytest.approx(losses[1], rel=2e-5)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8}])
def test_no_rank_holds_more_than_its_part(monkeypatch, tmp_path, index, lora):
    """12 MB of weights a rank and 37 of its part of a checkpoint; the largest tensor has 4 MB.

    What a rank holds on top of what it held before while the base is read, while it saves, and
    while the model is published, with adapters merged into it where there are some. Gathered in one
    place a checkpoint has 147 MB, and the model 49.
    """
    sizes = {"vocab_size": 16_384, "hidden_size": 64, "intermediate_size": 4_096}
    folder = tiny_model(tmp_path / "wide", **sizes, num_hidden_layers=14, tie_word_embeddings=True)
    parallel = {**TWO["parallel"], "processes_per_node": 4, "zero_stage": 3}
    parallel["timeout_seconds"] = 600
    spec = {**TWO, "parallel": parallel, "micro_batch_sequences": 1, "tokens": 2 * 64, "lora": lora}
    done, found = tmp_path / "DONE.json", tmp_path / "held"
    found.mkdir()
    places = [
        (stage, "load"), (DeepSpeedEngine, "_shard"), (HostCopy, "take"),
        (publishing, "weights_of"), (publishing, "write_weights"),
    ]  # fmt: skip

    def arm(rank):
        def measured(name, action):
            def measuring(*arguments, **named):
                with Anonymous() as memory:
                    result = action(*arguments, **named)
                with open(found / f"{name}-{rank}", "a") as file:
                    file.write(f"{memory.most}\n")
                return result

            return measuring

        for place, name in places:
            setattr(place, name, measured(name, getattr(place, name)))

    code, _ = train(monkeypatch, spec, folder, index, done, arm)
    assert code == 0
    most = {
        name: [
            int(max((found / f"{name}-{rank}").read_text().split(), key=int)) for rank in range(4)
        ]
        for _, name in places
    }
    part, tensor, else_ = 12.3e6, 4.2e6, 8e6
    assert max(most["load"]) < tensor + else_, most
    # What DeepSpeed takes for itself is every rank's; rank 0 reads the base for all of them.
    assert most["_shard"][0] < max(most["_shard"][1:]) + tensor + else_, most
    assert max(most["take"]) < 3 * part + else_, most
    assert lora or max(most["take"]) > 33e6  # it is really measured
    assert max(most["weights_of"]) < else_, most
    assert max(most["write_weights"]) < 2 * tensor + else_, most


class Anonymous:
    """The most memory of its own that this process holds while it is entered, less what it held."""

    def __enter__(self):
        self.before, self.most, self.ended = self._now(), 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _watch(self):
        while not self.ended.wait(0.001):
            self.most = max(self.most, self._now() - self.before)
        self.most = max(self.most, self._now() - self.before)

    @staticmethod
    def _now():
        with open("/proc/self/status") as file:
            (line,) = [line for line in file if line.startswith("RssAnon")]
        return 1024 * int(line.split()[1])
