"""Check training and decoding on this machine's GPU, in at most eight minutes and without a network.

    python tests/gpu/check.py [--wheels FOLDER] [--out reports/bench/gpu.md] [--only PART ...]
    python tests/gpu/check.py --device cpu --tiny      # that the check itself runs, in a few minutes

Needs Python 3.11 or newer with torch 2.10, transformers 5.15 and numpy, safetensors, tokenizers,
psutil, accelerate or newer of each, and no environment of this project. What else there is (flash-attn,
liger-kernel, peft, torchtitan, ai2-olmo-core) is checked, also as pure Python wheels in --wheels.

Each part is a process of its own with its own time limit; what it finds is written line by line to
<--results>/<part>.json, and the page is made anew after each. A part that fails or hangs leaves the
others' results. The exit code is 1 where a part failed or a line misses its goal.
"""

import argparse
import contextlib
import dataclasses
import importlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "workflow"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from lemur.core.errors import UserError, nearest  # noqa: E402
from lemur.core.files import write_text  # noqa: E402

from gpu import report  # noqa: E402 - after the path
from gpu.report import Part, absent, misses, page  # noqa: E402

# Seconds at most by part, in the order in which they run: what must be right comes before what must
# be fast, and the size that has a goal before those that have none. Importing torch and transformers
# alone takes some ten seconds a part, and a minute the first time on a machine that has just started.
LIMITS = {
    "machine": 90,
    "attention": 45,
    "losses": 35,
    "train-1b": 130,
    "resume": 75,
    "decoding": 65,
    "train-135m": 60,
    "cells": 50,
    "train-13m": 40,
}
LEAST = 20.0  # seconds under which no part begins


@dataclasses.dataclass(frozen=True)
class Session:
    """What a part is given: ``deadline`` is on time.monotonic's clock."""

    part: Part
    device: str
    tiny: bool
    folder: Path
    deadline: float

    def left(self) -> float:
        """Seconds until this part is ended."""
        return self.deadline - time.monotonic()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes; no goals of speed")
    parser.add_argument("--wheels", type=Path, help="a folder of pure Python wheels to use as well")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "bench" / "gpu.md")
    parser.add_argument("--results", type=Path, help="folder for <part>.json and .log [temporary]")
    parser.add_argument("--only", nargs="+", metavar="PART", help=f"of {', '.join(LIMITS)}")
    parser.add_argument("--minutes", type=float, default=8.0, help="for everything [8]")
    parser.add_argument("--run-part", help=argparse.SUPPRESS)
    args = parser.parse_args()
    for name in args.only or ():
        if name not in LIMITS:
            raise UserError(f"--only: '{name}'{nearest(name, LIMITS)}")
    return args


def unpack(wheels: Path, folder: Path) -> None:
    """Pure Python wheels, side by side in ``folder``: no installer is asked, since none may be there."""
    found = sorted(wheels.glob("*.whl"))
    if not found:
        raise UserError(f"--wheels {wheels}: no wheel is there")
    for wheel in found:
        if not wheel.name.endswith("-none-any.whl"):
            raise UserError(f"--wheels: {wheel.name}: not a pure Python wheel (-none-any.whl)")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def surroundings(work: Path, site: Path | None, tiny: bool) -> dict[str, str]:
    """The environment of a part: paths, no network, and kernels kept between parts."""
    paths = [ROOT / "workflow", ROOT / "tests", *([site] if site else [])]
    given = os.environ.get("PYTHONPATH")
    few = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"} if tiny else {}
    return (
        os.environ
        | few
        | {
            "PYTHONPATH": os.pathsep.join([*map(str, paths), *([given] if given else [])]),
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TORCHINDUCTOR_CACHE_DIR": str(work / "inductor"),
            "TRITON_CACHE_DIR": str(work / "triton"),
            "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
            "PYTHONUNBUFFERED": "1",
            # cuBLAS looks once a process, at its first product; what is deterministic comes later.
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        }
    )


def run_part(args: argparse.Namespace, work: Path, environment: dict[str, str], name: str,
             limit: float) -> Part:  # fmt: skip
    """Run a part in a process group of its own, which is ended at its limit; what it found."""
    path, log = args.results / f"{name}.json", args.results / f"{name}.log"
    path.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--run-part", name, "--device", args.device]
    command += ["--results", str(args.results), "--minutes", str(limit / 60)]
    command += ["--tiny"] if args.tiny else []
    began = time.monotonic()
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=work,
            start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(limit)
            state = "done" if code == 0 else f"failed with code {code}: {_last_line(log)}"
        except subprocess.TimeoutExpired:
            state = f"ended at its limit of {limit:.0f} s"
        finally:
            _end(process)
    found = report.read(path, name)
    found.state = state if found.state in ("under way", "wrote nothing", "done") else found.state
    found.seconds = time.monotonic() - began
    found.write()
    return found


def _end(process: subprocess.Popen) -> None:
    """End what is left of a part: a process that hangs on the device would hold its memory."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "it printed nothing"


def inside(args: argparse.Namespace) -> None:
    """This process is a part: find its module, run it, and write what it finds."""
    name = args.run_part
    part = Part(name, args.results / f"{name}.json")
    part.write()
    module, _, size = name.partition("-")
    module = {"train": "training"}.get(module, module)
    deadline = time.monotonic() + 60 * args.minutes
    with tempfile.TemporaryDirectory(prefix="lemur-gpu.", dir=Path.cwd()) as folder:
        session = Session(part, args.device, args.tiny, Path(folder), deadline)
        run = importlib.import_module(f"gpu.{module}").run
        run(session, *([size] if size else []))
    part.state = "done"
    part.write()


def main() -> int:
    args = arguments()
    if args.run_part:
        inside(args)
        return 0
    with tempfile.TemporaryDirectory(prefix="lemur-gpu.") as folder:
        work, site = Path(folder), None
        if args.wheels:
            site = work / "site"
            unpack(args.wheels, site)
        args.results = (args.results or work / "results").resolve()
        args.results.mkdir(parents=True, exist_ok=True)
        return everything(args, work, surroundings(work, site, args.tiny))


def everything(args: argparse.Namespace, work: Path, environment: dict[str, str]) -> int:
    """All parts in turn, the page after each; the exit code."""
    shown = shlex.join(["python", "tests/gpu/check.py", *sys.argv[1:]])
    chosen = [name for name in LIMITS if not args.only or name in args.only]
    end, parts = time.monotonic() + 60 * args.minutes, []
    for number, name in enumerate(chosen):
        left = end - time.monotonic()
        scale = 10 if args.device == "cpu" else 1  # a CPU's limits are no measure of anything
        why = f"{args.minutes:g} minutes were over" if left < LEAST and not args.tiny else ""
        if parts and parts[0].facts.get("device") == report.NO_GPU:
            why = report.NO_GPU
        if why:
            part = Part(name, args.results / f"{name}.json", state=report.ABSENT)
            part.add(absent("all of it", why))
        else:
            limit = scale * LIMITS[name] if args.tiny else min(LIMITS[name], left)
            print(f"gpu-check: {name} ({number + 1} of {len(chosen)}), at most {limit:.0f} s, "
                  f"{max(0.0, left):.0f} s left of all", flush=True)  # fmt: skip
            part = run_part(args, work, environment, name, limit)
            for line in part.lines:
                print(
                    f"  {line.what}: {line.found} {line.goal and f'({line.goal})'} {line.verdict}"
                )
            print(f"  {part.state}, {part.seconds:.0f} s", flush=True)
        parts.append(part)
        machine = next((one.facts for one in parts if one.name == "machine"), {})
        write_text(args.out, page(parts, shown, machine, args.tiny))
    missed = misses(parts)
    print("\n".join([f"wrote {args.out}", *(f"missed: {line}" for line in missed)]), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"error: {error}")
    except Exception:
        traceback.print_exc()
        sys.exit(1)
