"""make bench-agents: episodes an hour in several ways, and what a world's step takes.

    python tests/bench/agents.py --model FOLDER --data resources/environments --out reports/bench/agents.md

One model plays the same first tasks of MINT's GSM8K and MBPP with the worlds that the rules use. By our
engine: with keys and values kept from turn to turn, several episodes at once (as `snakemake agents`
does), and with each turn's whole prompt encoded anew. By vLLM's server over OpenAI's interface: one
episode at a time, which is how MINT itself plays, several at once by our driver, and several at once by
Inspect. All take turns until their ratios' intervals are narrow. Greedy answers are compared, too:
bfloat16 rounds by the batch. Loading is not counted.
"""

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environment import Suite
from lemur.agents.intercode import shell
from lemur.agents.intercode.session import Session
from lemur.agents.players.engine import EnginePlayer
from lemur.agents.players.player import Player
from lemur.agents.players.server import ServerPlayer
from lemur.agents.sessions.python import PythonSession
from lemur.chat import chatml
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal
from lemur.evaluation.backends.completions import CompletionsClient
from lemur.inference.conversations import Conversations
from lemur.inference.engine import Engine, Wanted
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent, Sandbox

from bench import agents_report, ratios, served_model
from bench.agents_report import ANEW, INSPECT, KEPT, MINT, SERVED, Row

PEER = Path(__file__).with_name("inspect_peer.py")
MODEL = "smollm2-135m-instruct-q4"
QUERY = "SELECT count(*) FROM singer"


class Anew(Conversations):
    """Conversations of which nothing is kept: each turn encodes its whole prompt."""

    def _copy(self, key: Any, prompt: tuple[int, ...], at: int) -> int:
        return 0

    def _park(self, number: int) -> None:
        """Nothing is held between turns."""


def play(suite: Suite, player: Player, args: argparse.Namespace, rows: int) -> Row:
    """The first tasks, ``rows`` episodes at a time."""
    tasks = suite.tasks()[: args.limit]
    sampling = replace(suite.sampling(), max_new_tokens=args.new)
    with (
        tempfile.TemporaryDirectory(prefix="lemur-bench.") as folder,
        Journal(Path(folder) / "journal") as journal,
    ):
        driver = Driver(suite, player, journal, rows, 1, sampling=sampling)
        began = time.monotonic()
        made = driver.play(tasks, "bench-agents")
        seconds = time.monotonic() - began
    if not any(episode.turns for episode in made):
        raise UserError(
            f"{args.model}: its context leaves MINT's prompts no room: name another model"
        )
    said = tuple(tuple(turn.answer for turn in episode.turns) for episode in made)
    return Row(seconds, said, sum(episode.tokens for episode in made))


def play_here(suite: Suite, engine: Engine, args: argparse.Namespace, kept: bool) -> Row:
    """By our engine, with or without what it keeps between turns."""
    player = EnginePlayer(engine, args.model, args.limit)
    if not kept:
        player.conversations = Anew(engine, args.limit)
    row = play(suite, player, args, args.limit)
    talk = player.conversations
    return replace(row, encoded=talk.encoded, reused=talk.reused)


def play_served(suite: Suite, url: str, args: argparse.Namespace, rows: int) -> Row:
    """By a server that holds nothing of an earlier measurement."""
    served_model.forget(url)
    client = CompletionsClient(url, served_model.SERVED, "bench-agents")
    with contextlib.closing(ServerPlayer(client, rows)) as player:
        return play(suite, player, args, rows)


def play_by_inspect(name: str, url: str, args: argparse.Namespace) -> Row:
    """By the same server, asked by Inspect in a process and an environment of its own."""
    served_model.forget(url)
    with tempfile.TemporaryDirectory(prefix="lemur-bench.") as folder:
        asked, answers = Path(folder) / "asked.json", Path(folder) / "answers.json"
        given = {"url": url, "served": served_model.SERVED, "set": name, "new": args.new}
        given |= {"start": chatml.START, "end": chatml.END}
        given |= {"data": str(_files(args.data, "mint")), "limit": args.limit, "rows": args.limit}
        asked.write_text(json.dumps(given))
        peer = [ROOT / "workflow" / "env-run", "export", "python", PEER, asked, answers]
        done = subprocess.run(list(map(str, peer)), capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"Inspect ended with {done.returncode} ({last})")
        found = json.loads(answers.read_text())
    said = tuple(tuple(answer for answer, _ in episode) for episode in found["episodes"])
    tokens = sum(count for episode in found["episodes"] for _, count in episode)
    return Row(found["seconds"], said, tokens)


def measured(args: argparse.Namespace) -> tuple[dict[tuple[str, str], list[Row]], list[str]]:
    """Rows by set and way, a row a turn; and why ways are missing."""
    engine = Engine(args.model, "bf16", "cpu")
    ((_, _),) = engine.generate([Wanted((1, 2, 3), 4)], 1)  # warm: libraries load at first use
    missing: list[str] = []
    with contextlib.ExitStack() as opened:
        try:
            url = opened.enter_context(served_model.serve(args.model))
        except UserError as error:
            url, missing = None, [f"vLLM's server is missing: {error}."]
        inspect = subprocess.run(
            [ROOT / "workflow" / "env-run", "export", "true"], capture_output=True, text=True
        )
        if url is not None and inspect.returncode:
            missing.append(f"Inspect is missing: {inspect.stderr.strip().splitlines()[-1]}.")
        sides: dict[tuple[str, str], Callable[[], Row]] = {}
        for name in agents_report.SETS:
            data = {"data": _files(args.data, "mint"), "sets": [name]}
            suite = environments.load("mint", data)
            sides[name, KEPT] = partial(play_here, suite, engine, args, True)
            sides[name, ANEW] = partial(play_here, suite, engine, args, False)
            if url is not None:
                sides[name, MINT] = partial(play_served, suite, url, args, 1)
                sides[name, SERVED] = partial(play_served, suite, url, args, args.limit)
                if not inspect.returncode:
                    sides[name, INSPECT] = partial(play_by_inspect, name, url, args)
        found = ratios.in_turns(
            sides,
            agents_report.judged,
            agents_report.PACE,
            lambda line: print(f"bench-agents: {line}", flush=True),
        )
    return found, missing


def steps(args: argparse.Namespace) -> dict[str, tuple[float, float] | str]:
    """By kind of world: milliseconds of a step (median, fastest), or why it cannot be measured."""
    sandbox = probe()
    if isinstance(sandbox, Absent):
        return dict.fromkeys(agents_report.GOALS, sandbox.reason)
    found: dict[str, tuple[float, float] | str] = {}
    for name, opened in (
        ("Python cell", lambda: _cells(sandbox)),
        ("SQL query", lambda: _queries(args.data)),
        ("shell command", _commands),
        ("game command", _games),
    ):
        try:
            with opened() as step:
                found[name] = _milliseconds(step, args.steps, args.pause)
        except UserError as error:
            found[name] = str(error)
    return found


def _milliseconds(step: Callable[[], object], count: int, pause: float) -> tuple[float, float]:
    """The median and the least of ``count`` calls, after a few that begin what is begun once. ``pause``: seconds before
    each, in which a model would think, and a world may prepare its next step."""
    times = []
    for number in range(count + 3):
        time.sleep(pause)
        began = time.monotonic()
        step()
        if number >= 3:
            times.append(1e3 * (time.monotonic() - began))
    return median(times), min(times)


@contextlib.contextmanager
def _cells(sandbox: Sandbox) -> Iterator[Callable[[], object]]:
    """A cell that computes next to nothing, so that all its time is what lies beyond the cell."""
    with contextlib.closing(PythonSession(sandbox)) as session:

        def step() -> None:
            assert session.run("1 + 1").output.rstrip().endswith(": 2")

        yield step


@contextlib.contextmanager
def _queries(data: Path) -> Iterator[Callable[[], object]]:
    """A query and its judgement, whose worlds are SQLite's, as by default."""
    given = {"data": _files(data, "intercode_sql"), "turns": 10**6}
    suite = environments.load("intercode_sql", given)
    task = next(task for task in suite.tasks() if QUERY.lower() in str(task.data["gold"]).lower())
    with contextlib.closing(suite), contextlib.closing(suite.open()) as world:
        world.reset(task)

        def step() -> None:
            assert world.step(QUERY).reward == 1.0

        yield step


@contextlib.contextmanager
def _commands() -> Iterator[Callable[[], object]]:
    """A command in a root that holds nothing of its own."""
    if (why := shell.missing()) is not None:
        raise UserError(why)
    with contextlib.closing(Session({})) as session:

        def step() -> None:
            said, done = session.act("echo a", lambda text: ["/bin/bash", "-c", text])
            assert (said, done) == ("a\n", True), said

        yield step


@contextlib.contextmanager
def _games() -> Iterator[Callable[[], object]]:
    """A command in a game of ALFWorld's that comes with the project, where its library is built."""
    data = Path(environments.__file__).parent / "alfworld" / "shipped"
    suite = environments.load("alfworld", {"data": data, "turns": 10**6, "commands": 10**6})
    task = suite.tasks()[0]
    if (why := suite.unplayable(task)) is not None:
        raise UserError(why)
    with contextlib.closing(suite.open()) as world:
        world.reset(task)

        def step() -> None:
            assert "Nothing happens" not in world.step("Action: look").observation

        yield step


def _files(data: Path, name: str) -> Path:
    """The files of a download, or of a folder that was named."""
    place = data / name / "part-0-of-1" / "files"
    if not place.is_dir():
        raise UserError(f"{place}: no such folder: make bench-agents downloads it")
    return place


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = ROOT / "resources" / "models" / MODEL / "model"
    parser.add_argument("--model", type=Path, default=usual)
    parser.add_argument("--data", type=Path, default=ROOT / "resources" / "environments")
    parser.add_argument("--limit", type=int, default=8, help="tasks of a set, and episodes at once")
    parser.add_argument("--new", type=int, default=96, help="longest answer of a turn in tokens")
    parser.add_argument("--steps", type=int, default=50, help="measured steps of each world")
    parser.add_argument(
        "--pause", type=float, default=0.2, help="seconds between two steps of a world"
    )
    parser.add_argument("--note", default="", help="a sentence about the machine, for the page")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "bench" / "agents.md")
    args = parser.parse_args()
    # What it has started ends with it, also where it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        worlds = steps(args)
        rows, missing = measured(args)
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.out, agents_report.page(rows, worlds, missing, args))
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
