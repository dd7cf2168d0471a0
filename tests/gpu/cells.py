"""Part cells: several cells of a study trained at once on one device, each the command of its job."""

import time

from bench.training_work import Work

from gpu import commands
from gpu.report import fact, holds

TOGETHER = 4


def run(session) -> None:
    """One alone, then several at a time: the same bits, and what they train together a second."""
    size = "1m" if session.tiny else "13m"
    context, batch, micro = (64, 256, 2) if session.tiny else (2_048, 32_768, 8)
    count, steps = (2, 6) if session.tiny else (TOGETHER, 200)
    work = Work(
        who="ours", model=size, context=context, batch=batch, micro=micro, precision="bf16",
        device=session.device, compile=False, deterministic=True, steps=steps, warm=2,
    )  # fmt: skip
    folder, part = session.folder, session.part
    values = {**commands.settings(work, 10 * steps), "threads": 2}
    alone = folder / "alone" / "DONE.json"
    began = time.monotonic()
    commands.finish(commands.start(values, work, folder, alone), alone, session.left())
    single, began = time.monotonic() - began, time.monotonic()
    many = [folder / f"cell-{number}" / "DONE.json" for number in range(count)]
    running = [commands.start(values, work, folder, done) for done in many]
    try:
        for process, done in zip(running, many, strict=True):
            commands.finish(process, done, session.left())
    finally:
        for process in running:
            process.kill()
    all_of_them = time.monotonic() - began
    wanted = commands.outcome(alone)
    equal = sum(commands.outcome(done) == wanted for done in many)
    part.add(holds(f"{count} at once: the same bits as one alone", equal == count, f"{equal} of {count}", f"{count} of {count}"))  # fmt: skip
    part.add(fact("seconds of one alone, from start to end", f"{single:.1f}"))
    said = f"{all_of_them:.1f}, {count * single / all_of_them:.2f} times as many a second"
    part.add(fact(f"seconds of {count} together", said))
    one, other = (commands.seconds_a_step(done) for done in (alone, many[0]))
    part.add(fact("tokens/s of a cell, alone and among the others", f"{batch / one:,.0f} and {batch / other:,.0f}"))  # fmt: skip
    most = max(line["memory_mb"] for done in many for line in commands.metrics(done))
    part.add(fact("most memory of a cell", f"{most / 1e3:.2f} GB"))
