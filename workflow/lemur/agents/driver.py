"""Plays many episodes at a time: while worlds work, the model goes on with other episodes.

Everything is written down as it comes. A killed run continues: answers that are known are taken, and
worlds take them again; where a world does not say what it had said before, or a prompt is not what
it was, the episode begins again, which is counted.
"""

import hashlib
from collections.abc import Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, replace
from typing import Any
from zlib import crc32

from lemur.agents.environment import Environment, Message, Sampling, Step, Suite, Task, WorldFailed
from lemur.agents.episode import CONTEXT_FULL, REFUSED, WORLD_FAILED, Episode, Turn
from lemur.agents.players.player import Answer, Player
from lemur.agents.resuming import (
    Answered,
    Begun,
    Ended,
    Entry,
    Event,
    Known,
    Stepped,
    Taught,
    read_entry,
    recorded,
)
from lemur.core.errors import UserError
from lemur.core.files import canonical
from lemur.core.progress import Progress
from lemur.data.journal import Journal

PATIENCE = 0.05  # seconds for which a player is waited for before worlds are looked after
WORLD_TRIES = 2  # of an episode whose world fails
ENDS = {CONTEXT_FULL, REFUSED}  # finishes after which nothing more can be asked


class _Live:
    """One episode under way."""

    def __init__(self, task: Task, known: Known, world: Environment):
        self.task, self.known, self.world = task, known, world
        self.start = ""
        self.turns: list[Turn] = []
        self.answer: Answer | None = None
        self.prompt = ""
        self.failures = 0


class Driver:
    """Plays ``tasks`` of one suite with one player, ``batch`` episodes at a time.

    ``seed`` seeds sampling with each episode's and turn's own number. ``teacher`` gives feedback
    where the suite asks for it, and may be the player itself. ``sampling`` replaces the suite's own.
    The journal holds lines of kind start, answer, step, feedback and end.
    """

    def __init__(
        self,
        suite: Suite,
        player: Player,
        journal: Journal,
        batch: int,
        seed: int,
        teacher: Player | None = None,
        sampling: Sampling | None = None,
    ):
        self.suite, self.player, self.journal = suite, player, journal
        self.teacher = teacher
        self.batch, self.seed = max(1, batch), seed
        self.sampling = sampling or suite.sampling()
        self.working: dict[Future[Any], _Live] = {}
        self.asked: dict[Hashable, _Live] = {}
        self.taught: dict[Hashable, _Live] = {}

    def play(self, tasks: Sequence[Task], label: str) -> list[Episode]:
        """All episodes, in the order of ``tasks``."""
        known = {task.id: Known() for task in tasks}
        for line in self.journal.entries:
            if line.get("episode") in known and (entry := read_entry(line)) is not None:
                known[entry.episode].read(entry)
        done: dict[str, Episode] = {}
        for task in tasks:
            if known[task.id].ended is not None:
                done[task.id] = recorded(task, known[task.id])
        left = [task for task in tasks if task.id not in done]
        left.reverse()
        live: dict[str, _Live] = {}
        with (
            ThreadPoolExecutor(self.batch) as pool,
            Progress(label, len(tasks), "episodes", start=len(done)) as progress,
        ):
            self.pool, self.progress, self.answered = pool, progress, 0
            try:
                while left or live:
                    while left and len(live) < self.batch:
                        task = left.pop()
                        live[task.id] = _Live(task, known[task.id], self.suite.open())
                        self._work(live[task.id], "reset", task)
                    for episode in self._advance():
                        done[episode.task] = episode
                        live.pop(episode.task)
                        progress.add()
            finally:
                for future in self.working:
                    future.cancel()
                wait(self.working)
                for other in live.values():
                    other.world.close()
        return [done[task.id] for task in tasks]

    def _work(self, live: _Live, call: str, *given: Any) -> None:
        """Have a world do something while others go on."""
        self.working[self.pool.submit(getattr(live.world, call), *given)] = live

    def _advance(self) -> list[Episode]:
        """Take what players and worlds have ready; the episodes that ended by it."""
        ended = []
        if self.asked or self.taught:
            # Two players share the time: a server that is waited for must not hold up an engine.
            patience = PATIENCE / 10 if self.asked and self.taught else PATIENCE
            patience = 0.0 if any(future.done() for future in self.working) else patience
            for player in {
                id(speaker): speaker for speaker in (self.player, self.teacher) if speaker
            }.values():
                for key, answer in player.answers(patience):
                    if key in self.taught:
                        ended += self._heard(self.taught.pop(key), answer)
                    else:
                        ended += self._answered(self.asked.pop(key), answer)
            ready = [future for future in self.working if future.done()]
        else:
            ready = list(wait(self.working, return_when=FIRST_COMPLETED).done)
        for future in ready:
            ended += self._worked(self.working.pop(future), future)
        return ended

    def _worked(self, live: _Live, future: Future[Any]) -> list[Episode]:
        """A world has begun, or has taken an answer."""
        try:
            made = future.result()
        except WorldFailed as error:
            return self._failed(live, str(error))
        if live.answer is None:
            return self._begun(live, made)
        return self._stepped(live, live.answer, made)

    def _failed(self, live: _Live, why: str) -> list[Episode]:
        live.failures += 1
        if live.failures < WORLD_TRIES:
            self._begin_again(live)  # with what is known: the model is not to blame
            return []
        return [self._end(live, WORLD_FAILED, " ".join(why.split())[:300])]

    def _forget(self, live: _Live) -> list[Episode]:
        """Begin an episode again with nothing known, since it does not go as it went before."""
        attempt = live.known.attempt + 1
        live.known = Known(attempt)
        self._begin_again(live)
        return []

    def _begin_again(self, live: _Live) -> None:
        live.world.close()
        live.turns, live.answer = [], None
        live.world = self.suite.open()
        self._work(live, "reset", live.task)

    def _begun(self, live: _Live, start: str) -> list[Episode]:
        known = live.known
        if known.start is None:
            self._write(live, Begun(start))
        elif self.suite.normalised(known.start) != self.suite.normalised(start):
            return self._forget(live)
        live.start = live.known.start or ""
        return self._ask(live)

    def _ask(self, live: _Live) -> list[Episode]:
        """Ask the next turn, or take the answer that is known."""
        number = len(live.turns)
        messages = self.suite.messages(live.task, live.start, live.turns)
        live.prompt = prompt_digest(messages, self.sampling)
        known = live.known.answers[number] if number < len(live.known.answers) else None
        if known is None:
            self.asked[live.task.id] = live
            self.player.ask(
                live.task.id, number, messages, self.sampling, self._number(live, number)
            )
            return []
        if known.prompt != live.prompt:
            return self._forget(live)
        return self._take(live, known.taken)

    def _answered(self, live: _Live, answer: Answer) -> list[Episode]:
        said = answer.text, answer.tokens, answer.finish
        self._write(live, Answered(len(live.turns), live.prompt, *said))
        return self._take(live, answer)

    def _take(self, live: _Live, answer: Answer) -> list[Episode]:
        if answer.finish in ENDS:
            return [self._end(live, answer.finish)]
        live.answer = answer
        self._work(live, "step", answer.text)
        return []

    def _stepped(self, live: _Live, answer: Answer, step: Step) -> list[Episode]:
        number, live.answer = len(live.turns), None
        self.answered += 1
        self.progress.add(0, f"{self.answered:,} turns")
        made = Turn(
            live.prompt, answer.text, answer.tokens, answer.finish,
            step.observation, step.reward, step.done, dict(step.info),
        )  # fmt: skip
        if number < len(live.known.steps):
            if self._differs(live.known.steps[number], step):
                return self._forget(live)
            made = replace(made, observation=live.known.steps[number].observation)
        else:
            self._write(live, Stepped.from_step(number, step))
        live.turns.append(made)
        if step.done:
            return [self._end(live, str(step.info.get("end", "done")))]
        return self._consult(live)

    def _consult(self, live: _Live) -> list[Episode]:
        """Ask the teacher about the last turn, where there is one."""
        asked = self.suite.consult(live.task, live.start, live.turns)
        if asked is None:
            return self._ask(live)
        number = len(live.turns) - 1
        digest = prompt_digest(*asked)
        if (known := live.known.feedback.get(number)) is not None:
            if known.prompt != digest:
                return self._forget(live)
            return self._learn(live, known.feedback)
        if self.teacher is None:
            raise UserError(
                f"{self.suite.name}: feedback needs a teacher: name a model or a server"
            )
        key = live.task.id, "teacher"
        live.prompt = digest
        self.taught[key] = live
        self.teacher.ask(key, number, *asked, self._number(live, number))
        return []

    def _heard(self, live: _Live, answer: Answer) -> list[Episode]:
        """The teacher has spoken; one without room for the episode says nothing."""
        feedback = self.suite.passed_on(answer.text)
        number = len(live.turns) - 1
        whole = None if feedback == answer.text else answer.text
        taught = Taught(number, live.prompt, feedback, answer.tokens, answer.finish, whole)
        self._write(live, taught)
        assert self.teacher is not None
        self.teacher.drop((live.task.id, "teacher"))
        return self._learn(live, feedback)

    def _learn(self, live: _Live, feedback: str) -> list[Episode]:
        last = live.turns[-1]
        live.turns[-1] = replace(last, info={**last.info, "feedback": feedback})
        return self._ask(live)

    def _number(self, live: _Live, turn: int) -> int:
        """What seeds the sampling of a turn, whatever else is asked."""
        return self.seed << 48 | crc32(f"{live.task.id} {turn}".encode())

    def _differs(self, known: Stepped, step: Step) -> bool:
        said = self.suite.normalised(known.observation), known.reward, known.done
        return said != (self.suite.normalised(step.observation), step.reward, step.done)

    def _end(self, live: _Live, end: str, detail: str = "") -> Episode:
        self._write(live, Ended(end, detail))
        self.player.drop(live.task.id)
        live.world.close()
        turns = tuple(live.turns)
        return Episode(live.task.id, live.start, turns, end, live.known.attempt, detail)

    def _write(self, live: _Live, event: Event) -> None:
        entry = Entry(live.task.id, live.known.attempt, event)
        self.journal.add(dict(entry.line()))
        live.known.read(entry)


def prompt_digest(messages: Sequence[Message], sampling: Sampling) -> str:
    """sha256 of what is read and how it is asked."""
    asked = canonical([[dict(message) for message in messages], asdict(sampling)])
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
