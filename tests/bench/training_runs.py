"""One measurement of training in a process of its own: the loop, a bare loop, or the Trainer.

    training_runs.py WORK.json FOLDER

Prints "MEASURED " and JSON: seconds of each step after the warm-up ones ("wall", "processor"), bytes
of "memory" on a GPU and, for the loop, "rate" (FLOP/s of a matrix product) and "flops" a token.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from lemur.tokenization.packed import PackedDataset, batch
from lemur.training import trainer as training_loop
from lemur.training.engines.registry import build
from lemur.training.model import load as load_ours
from lemur.training.settings import parse
from lemur.training.throughput import Meter, model_flops_a_token

sys.path.insert(0, str(Path(__file__).parent))
from training_work import (
    BETAS,
    CLIP,
    DECAY,
    EPSILON,
    RATE,
    Work,
    data,
    load,
    model_folder,
    spec,
)


class Clock:
    """Wall and processor time at the start of each step."""

    def __init__(self, device: str):
        self.device, self.wall, self.processor = device, [], []
        self.rate = 0.0  # FLOP/s of a matrix product, and model FLOPs a token; ours alone
        self.flops = 0.0

    def tick(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()
        self.wall.append(time.perf_counter())
        self.processor.append(time.process_time())

    def steps(self, warm: int) -> dict[str, list[float]]:
        pairs = {"wall": self.wall, "processor": self.processor}
        return {
            name: [b - a for a, b in zip(times[warm:-1], times[warm + 1 :], strict=True)]
            for name, times in pairs.items()
        }


def ours(work: Work, folder: Path, clock: Clock) -> None:
    """The project's loop whole: reading, update, metrics, progress."""

    class Ticking(Meter):
        def start(self) -> None:
            clock.tick()
            super().start()

    settings = parse(spec(work))
    packed = PackedDataset(data(work, folder))
    model = load_ours(model_folder(work, folder), settings, packed)
    flops = model_flops_a_token(model, work.context)
    engine = build(model, settings)
    with tempfile.TemporaryDirectory() as run:
        meter = Ticking(settings, engine.device, flops)
        clock.rate, clock.flops = meter.peak, flops
        training_loop.train(
            training_loop.Run(settings, packed, engine, Path(run), work.steps, meter)
        )
    clock.tick()


def _sequences(work: Work, folder: Path, step: int) -> torch.Tensor:
    packed = PackedDataset(data(work, folder))
    chosen = batch(len(packed), work.sequences, 0, step)
    return torch.stack([torch.from_numpy(packed[int(n)]["input_ids"]) for n in chosen])


class Bare:
    """What a good engineer writes in twenty lines: autocast, fused AdamW, clipping."""

    def __init__(self, work: Work, folder: Path):
        self.work = work
        self.model = load(work, folder)
        self.called = torch.compile(self.model) if work.compile else self.model
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=RATE,
            betas=BETAS,
            eps=EPSILON,
            weight_decay=DECAY,
            fused=True,
        )
        self.batches = [_sequences(work, folder, step) for step in range(4)]

    def step(self, number: int) -> None:
        """One update."""
        work = self.work
        parts = work.sequences // work.micro
        for part in self.batches[number % 4].split(work.micro):
            ids = part.to(work.device, non_blocking=True)
            with torch.autocast(work.device, torch.bfloat16, enabled=work.precision == "bf16"):
                loss = self.called(input_ids=ids, labels=ids).loss / parts
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        loss.item()


def bare(work: Work, folder: Path, clock: Clock) -> None:
    """The bare loop from its first step to its last."""
    side = Bare(work, folder)
    for step in range(work.steps):
        clock.tick()
        side.step(step)
    clock.tick()


def trainer(work: Work, folder: Path, clock: Clock) -> None:
    """transformers' Trainer from its first step to its last."""
    train(work, load(work, folder), items(work, folder), clock)


def items(work: Work, folder: Path) -> list[dict[str, torch.Tensor]]:
    """The sequences of four steps as the Trainer takes them."""
    rows = torch.cat([_sequences(work, folder, step) for step in range(4)])
    return [{"input_ids": row, "labels": row} for row in rows]


def train(
    work: Work, model: torch.nn.Module, rows: list[dict[str, torch.Tensor]], clock: Clock
) -> None:
    """The Trainer with the same settings; it reports nothing and saves nothing."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Ticking(TrainerCallback):
        def on_step_begin(self, *_, **__):
            clock.tick()

    with tempfile.TemporaryDirectory() as run:
        arguments = TrainingArguments(
            output_dir=run,
            per_device_train_batch_size=work.micro,
            gradient_accumulation_steps=work.sequences // work.micro,
            max_steps=work.steps,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            adam_beta1=BETAS[0],
            adam_beta2=BETAS[1],
            adam_epsilon=EPSILON,
            weight_decay=DECAY,
            max_grad_norm=CLIP,
            optim="adamw_torch_fused",
            bf16=work.precision == "bf16",
            use_cpu=work.device == "cpu",
            torch_compile=work.compile,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            logging_steps=1,
            dataloader_pin_memory=work.device == "cuda",
        )
        Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[Ticking()]).train()
    clock.tick()


def main() -> None:
    work = Work(**json.loads(sys.argv[1]))
    clock = Clock(work.device)
    {"ours": ours, "bare": bare, "trainer": trainer}[work.who](work, Path(sys.argv[2]), clock)
    found = {**clock.steps(work.warm), "memory": 0, "rate": clock.rate, "flops": clock.flops}
    if work.device == "cuda":
        found["memory"] = torch.cuda.max_memory_allocated()
    print("MEASURED " + json.dumps(found))


if __name__ == "__main__":
    main()
