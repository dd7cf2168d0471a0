"""Part cells: several cells of a study trained at once on one device, each the command of its job."""

from bench.training_work import Work

from gpu import commands
from gpu.report import fact, holds

TOGETHER = 4


def run(session) -> None:
    """One alone, then several at a time: the same bits, and what they train together a second."""
    size = "1m" if session.tiny else "13m"
    context, batch, micro = (64, 256, 2) if session.tiny else (2_048, 32_768, 8)
    count, steps = (2, 6) if session.tiny else (TOGETHER, 120)
    work = Work(
        who="ours", model=size, context=context, batch=batch, micro=micro, precision="bf16",
        device=session.device, compile=False, deterministic=True, steps=steps, warm=2,
    )  # fmt: skip
    folder, part = session.folder, session.part
    values = {**commands.settings(work, 10 * steps), "threads": 2}
    alone = folder / "alone" / "DONE.json"
    commands.finish(commands.start(values, work, folder, alone), alone, session.left())
    many = [folder / f"cell-{number}" / "DONE.json" for number in range(count)]
    running = [commands.start(values, work, folder, done) for done in many]
    try:
        for process, done in zip(running, many, strict=True):
            commands.finish(process, done, session.left())
    finally:
        for process in running:
            process.kill()
    wanted = commands.outcome(alone)
    equal = sum(commands.outcome(done) == wanted for done in many)
    part.add(holds(f"{count} at once: the same bits as one alone", equal == count, f"{equal} of {count}", f"{count} of {count}"))  # fmt: skip
    one = batch / commands.seconds_a_step(alone)
    together = sum(batch / commands.seconds_a_step(done) for done in many)
    part.add(fact("tokens/s of one alone", f"{one:,.0f}"))
    part.add(fact(f"tokens/s of {count} together", f"{together:,.0f}, {together / one:.2f} of one"))
    most = max(line["memory_mb"] for done in many for line in commands.metrics(done))
    part.add(fact("most memory of a cell", f"{most / 1e3:.2f} GB"))
