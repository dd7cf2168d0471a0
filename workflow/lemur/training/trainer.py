"""The training loop: every step is a function of the spec, the data and the step's number."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from lemur.core.errors import Interrupted, UserError
from lemur.core.log import logger
from lemur.core.progress import Progress
from lemur.tokenization.packed import PackedDataset, batch
from lemur.training import checkpoint, saving
from lemur.training.batches import step_batches
from lemur.training.engines.base import Engine, NotFinite
from lemur.training.guard import StopSignal
from lemur.training.loss_spikes import documents
from lemur.training.manifest import read_manifest
from lemur.training.metrics import Metrics
from lemur.training.settings import Spec
from lemur.training.stored import Stored
from lemur.training.throughput import Meter, words
from lemur.training.track import Trackers

LONG = 120.0  # seconds of work that are worth a checkpoint before the model is written


@dataclass(frozen=True)
class Run:
    """What stays the same during a run: ``folder`` is checkpoints/<fingerprint>.

    ``track``: names of trackers to be fed too.
    """

    spec: Spec
    data: PackedDataset
    engine: Engine
    folder: Path
    steps: int
    meter: Meter
    track: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a finished run leaves: the metrics (on rank 0), and the parameters, float32, by name:
    in memory where there is one rank, else in the last checkpoint, since no host may hold them all.
    """

    metrics: Metrics | None
    parameters: dict[str, torch.Tensor] | None
    stored: Path | None


def _seed(spec: Spec, step: int, rank: int) -> None:
    """Nothing drawn at a step depends on the steps before it, so none of it is in a checkpoint."""
    torch.manual_seed(((spec.seed * 1_000_003 + step) * 65_537 + rank) % (1 << 63))


def resume(run: Run) -> tuple[int, Metrics | None]:
    """Continue from the newest good checkpoint: (steps already done, the metrics of rank 0)."""
    engine, folder = run.engine, run.folder
    first = engine.rank == 0
    if first:
        checkpoint.clear_partial(folder)
    if engine.world > 1:
        step, path = saving.find(engine, folder)
    else:
        found = checkpoint.newest(folder)
        step, path = found[:2] if found else (0, None)
        checkpoint.set_aside(folder, step)
    metrics = None
    if first:
        metrics = Metrics(folder / "metrics.jsonl", path / "metrics.jsonl" if path else None)
    if path is not None:
        if first:
            logger.info(f"{run.spec.stage}: continuing after step {step} of {run.steps}")
        engine.load(Stored(path, read_manifest(path)))
    return step, metrics


class OneRank:
    """Saves what one rank has learned, at once: its methods are those of ``saving.Saver``."""

    def __init__(self, run: Run):
        self.run = run

    def save(self, step: int, metrics: Path, sequences_seen: int) -> None:
        run = self.run
        checkpoint.save(run.folder, step, run.engine.state(), metrics, sequences_seen)
        checkpoint.prune(run.folder, run.spec.keep, run.spec.kept_steps, run.spec.keep_at)

    def poll(self) -> None:
        pass

    def finish(self) -> None:
        pass


def _saver(run: Run) -> OneRank | saving.Saver:
    if run.engine.world == 1:
        return OneRank(run)
    spec = run.spec
    return saving.Saver(run.engine, run.folder, spec.keep, spec.kept_steps, spec.keep_at)


def _update(run: Run, step: int, rate: float) -> tuple[float | None, float | None]:
    """One optimiser step: (mean loss in nats a label, gradient norm); None, None: it was skipped."""
    spec, engine = run.spec, run.engine
    _seed(spec, step, engine.rank)
    with run.meter.waiting():
        batches = step_batches(run.data, spec, step, engine.rank)
    targets = engine.total(sum(batch.targets for batch in batches))
    try:
        loss_sum, norm = engine.train_step(batches, targets, rate)
    except NotFinite as error:
        if engine.rank == 0:
            logger.warning(
                f"warning: {spec.stage}: step {step + 1}: not finite ({error}): the step is skipped"
            )
        return None, None
    return loss_sum / max(1, targets), norm


def _give_up(run: Run, step: int, skipped: int) -> None:
    """Stop where ``skipped`` steps in a row were not finite; the same on every rank."""
    spec = run.spec
    if not skipped or (skipped < spec.max_skipped and step > 0):
        return
    numbers = batch(len(run.data), spec.sequences, spec.seed, step).tolist()
    kept = "the checkpoints before it are kept" if step + 1 > skipped else "nothing was learned yet"
    raise UserError(
        f"step {step + 1}: loss or gradient not finite{f' {skipped} times in a row' if skipped > 1 else ''}: "
        f"try a lower {spec.key('optimizer.learning_rate')} or look at the documents of this batch; "
        f"{kept} (sequences {', '.join(map(str, numbers[:8]))}: {documents(run.data, numbers)})"
    )


def train(run: Run) -> Outcome:
    """Run to the last step.

    SIGINT, SIGTERM and SIGUSR1 write a checkpoint and raise ``Interrupted``. A step whose loss or gradient
    is not finite is skipped and counted; ``max_skipped`` in a row, or the first step of all, is a
    UserError that names its documents. The same call continues from the rest.
    """
    spec, engine = run.spec, run.engine
    done, metrics = resume(run)
    label = f"{spec.stage} {spec.recipe}"
    unit = spec.global_batch_tokens
    quiet = float("inf") if engine.rank else 5.0
    progress = Progress(label, run.steps * unit, "tokens", start=done * unit, every=quiet)
    saved_at = time.monotonic()
    schedule = spec.schedule_of(run.steps)
    skipped = engine.total(metrics.watch.in_a_row if metrics is not None else 0)
    meter = run.meter
    trackers = Trackers.start(run.track, run.folder, spec, metrics, meter)
    saver = _saver(run)
    with StopSignal() as stop, trackers:
        for step in range(done, run.steps):
            meter.start()
            rate = schedule.rate(step)
            loss, norm = _update(run, step, rate)
            skipped = skipped + 1 if loss is None else 0
            saver.poll()
            if skipped:
                saver.finish()  # before it may be given up, and that is rare
            _give_up(run, step, skipped)
            measured = meter.read()
            if metrics is not None:
                values = (step + 1, (step + 1) * unit, loss, rate, norm)
                trackers.log(metrics.add(*values, measured))
            said = "skipped" if loss is None else f"loss {loss:.3f}"
            progress.add(unit, f"step {step + 1} {said}, {words(measured)}")
            stopping = engine.total(stop.received is not None) > 0
            last = step + 1 == run.steps
            # Publishing can fail too (a full disk): do not lose a long stretch to it.
            due = (step + 1) % spec.every_steps == 0 and not last
            due = due or step + 1 in spec.keep_at
            due = due or (last and engine.total(time.monotonic() - saved_at > LONG) > 0)
            due = due or (last and engine.world > 1)  # the model is published from it
            if stopping or due:
                seen = (step + 1) * spec.sequences
                saver.save(step + 1, metrics.path if metrics is not None else None, seen)
                saved_at = time.monotonic()
            if stopping and not last:
                saver.finish()
                why = stop.received or "a signal to another rank"
                raise Interrupted(
                    f"{label}: stopped by {why} after step {step + 1} of {run.steps}; "
                    "the same command continues"
                )
        saver.finish()
    if metrics is not None:
        with progress:
            pass  # prints the last line
    if engine.world > 1:
        return Outcome(metrics, None, run.folder / f"step-{run.steps}")
    return Outcome(metrics, engine.state().parameters, None)
