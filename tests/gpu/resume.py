"""Part resume: the training command killed and given again, bit by bit; and what determinism costs."""

from bench.training_work import Work

from gpu import commands
from gpu.report import fact, holds


def run(session) -> None:
    """An undisturbed run, one killed after a checkpoint and continued, and one not deterministic."""
    size = "1m" if session.tiny else "13m"
    context, batch, micro = (64, 256, 2) if session.tiny else (2_048, 32_768, 8)
    steps = 8 if session.tiny else 40
    work = Work(
        who="ours", model=size, context=context, batch=batch, micro=micro, precision="bf16",
        device=session.device, compile=False, deterministic=True, steps=steps, warm=2,
    )  # fmt: skip
    every = steps // 4
    values = commands.settings(work, every)
    folder, part = session.folder, session.part

    def whole(name: str, given: dict):
        done = folder / name / "DONE.json"
        commands.finish(commands.start(given, work, folder, done), done, session.left())
        return done

    plain = whole("undisturbed", values)
    wanted = commands.outcome(plain)
    done = folder / "killed" / "DONE.json"
    process = commands.start(values, work, folder, done)
    kept = commands.checkpoint_of(done, process, session.left()).name
    process.kill()
    process.wait()
    early = not done.exists()
    part.add(holds("killed before the end", early, f"after {kept} of {steps}", "before the end"))
    commands.finish(commands.start(values, work, folder, done), done, session.left())
    continued = "continuing after step" in commands.log(done).read_text(errors="replace")
    part.add(holds("the same command continues", continued, "from a checkpoint" if continued else "from the start", "from a checkpoint"))  # fmt: skip
    found = commands.outcome(done)
    for number, what in enumerate(("weights", "metrics of every step", "DONE.json")):
        equal = found[number] == wanted[number]
        part.add(holds(f"killed and continued: {what}", equal, "same bits" if equal else "other bits", "same bits"))  # fmt: skip
    loose = whole("loose", {**values, "deterministic": False})
    slow, fast = commands.seconds_a_step(plain), commands.seconds_a_step(loose)
    part.add(fact("seconds a step, deterministic / not", f"{slow / fast:.3f} ({slow:.4f} and {fast:.4f})"))  # fmt: skip
    same = commands.outcome(loose)[0] == wanted[0]
    part.add(fact("weights without deterministic kernels", "same bits" if same else "other bits"))
