"""Generate the responses of one model to one benchmark."""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from lemur.chat.chatml import END
from lemur.core.errors import UserError, nearest
from lemur.core.files import replacing
from lemur.evaluation import identity
from lemur.evaluation.backends.base import Answers, Backend
from lemur.evaluation.fingerprint import collect
from lemur.evaluation.lm import RecordingLM, ReplayLM
from lemur.evaluation.response_journal import Journal, Place
from lemur.evaluation.spec import BenchmarkSpec
from lemur.evaluation.tasks import Bench

Loaded = dict[Any, Any]  # models, by what they were loaded with


def _server(spec: BenchmarkSpec, folder: Path, label: str, loaded: Loaded) -> Backend:
    from lemur.evaluation.backends.server_backend import (
        ServerBackend,  # each backend loads its own libraries
    )

    url, served = str(spec.backend.url), str(spec.backend.served)
    return ServerBackend(url, served, spec.decoding, spec.batch, spec.seed, label)


def _vllm(spec: BenchmarkSpec, folder: Path, label: str, loaded: Loaded) -> Backend:
    from lemur.evaluation.backends.vllm_backend import VllmBackend

    return VllmBackend(folder, spec.precision, spec.decoding, spec.seed, label, loaded)


def _transformers(spec: BenchmarkSpec, folder: Path, label: str, loaded: Loaded) -> Backend:
    from lemur.evaluation.backends.transformers_backend import TransformersBackend
    from lemur.inference.engine import Engine

    key = folder, spec.precision, spec.device
    engine = loaded.get(key) or loaded.setdefault(key, Engine(*key))
    return TransformersBackend(engine, spec.decoding, spec.batch, spec.seed, label)


BACKENDS: dict[str, Callable[[BenchmarkSpec, Path, str, Loaded], Backend]] = {
    "transformers": _transformers,
    "vllm": _vllm,
    "server": _server,
}


def backend_of(
    spec: BenchmarkSpec, folder: Path, ends_turn: bool, loaded: Loaded | None = None
) -> Backend:
    """What answers requests, by ``spec.backend``.

    ``ends_turn``: answers end with the marker of the chat format, which the model has to know.

    ``loaded`` keeps models from one benchmark to the next.
    """
    name = spec.backend.name
    if name not in BACKENDS:
        raise UserError(f"--spec: backend '{name}'{nearest(name, BACKENDS)}")
    label = f"{spec.benchmark} {spec.model}"
    backend = BACKENDS[name](spec, folder, label, {} if loaded is None else loaded)
    if ends_turn and not backend.has_token(END):
        raise UserError(f"{folder}: format chatml, but no token '{END}'")
    return backend


class _Later(Backend):
    """Loads the model when the first response is missing, and not before."""

    def __init__(self, spec: BenchmarkSpec, folder: Path, bench: Bench, loaded: Loaded | None):
        self.spec, self.folder, self.bench, self.loaded = spec, folder, bench, loaded
        self.backend: Backend | None = None

    def _ready(self) -> Backend:
        if self.backend is None:
            self.backend = backend_of(self.spec, self.folder, self.bench.ends_turn, self.loaded)
            self.backend.begin, self.backend.chat = self.bench.begin, self.bench.chat
            self.backend.answers_apart = self.bench.definition.conversations
            self.backend.dialogues = self.dialogues
        return self.backend

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        return self._ready().generate(requests, seeds, done) if requests else iter(())

    def loglikelihood(
        self, requests: Sequence[Instance], seeds: Sequence[int], done: int
    ) -> Answers:
        if not requests:
            return
        backend, most = self._ready(), self.bench.definition.longest_prompt
        shots: dict[str, tuple[str, int]] = {}
        if most and requests and backend.count_tokens(requests[0].args[0]) is not None:
            for request in requests:
                if request.args[0] not in shots:
                    shots[request.args[0]] = self._fitted(backend, request, most)
            requests = [_with(request, shots[request.args[0]][0]) for request in requests]
        left = {text: number for text, number in shots.values()}
        for number, answer in backend.loglikelihood(requests, seeds, done):
            fewer = left.get(requests[number].args[0], self.spec.shots)
            same = fewer == self.spec.shots
            yield number, answer if same else dataclasses.replace(answer, shots=fewer)

    def _fitted(self, backend: Backend, request: Any, most: int) -> tuple[str, int]:
        """The prompt with as many solved examples, the first ones, as leave it ``most`` tokens."""
        text, shots = request.args[0], self.spec.shots
        while shots and (backend.count_tokens(text) or 0) > most:
            shots -= 1
            text = self.bench.tasks[request.task_name].fewshot_context(request.doc, shots)
        return text, shots

    def rolling(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        return self._ready().rolling(requests, seeds, done) if requests else iter(())


def _with(request: Any, text: str) -> Any:
    """The request with another prompt."""
    changed = copy.copy(request)
    changed.arguments = (text, *request.args[1:])
    return changed


def run(spec: BenchmarkSpec, model: Path, data: Path, out: Path) -> None:
    """Write ``out`` (generations.jsonl). What an earlier run with the same settings has recorded is
    not asked again; nothing that was generated is lost when this is killed."""
    digest = identity.identity(spec.backend.served, model)
    made = ask(spec, Bench(spec, data), model, digest, out)
    with replacing(out) as temporary:
        temporary.write_bytes(made)


def ask(
    spec: BenchmarkSpec,
    bench: Bench,
    model: Path,
    identity: str,
    out: Path,
    loaded: Loaded | None = None,
) -> bytes:
    """The bytes of ``out``: what ``model`` answers to the problems of ``bench``, each answer kept in
    the journal beside it as it comes. ``identity`` is the model's; ``loaded`` as in ``backend_of``."""
    with Journal(out, collect(spec, bench, identity)) as journal:
        lm = RecordingLM(journal, _Later(spec, Path(model), bench, loaded))
        bench.evaluate(lm, metrics=False)
        return journal.finish(places(bench, lm))


def places(bench: Bench, lm: ReplayLM) -> list[Place]:
    """Where each response belongs, in the order of tasks and problems."""
    named = {
        (name, number): document["_id"]
        for name, task in bench.tasks.items()
        for number, document in enumerate(task.eval_docs)
    }
    order = {place: rank for rank, place in enumerate(named)}
    found = sorted(
        lm.places,
        key=lambda asked: (order[asked.task, asked.number], asked.choice, asked.repeat),
    )
    return [
        Place(
            key=asked.key,
            task=asked.task,
            document=named[asked.task, asked.number],
            choice=asked.choice,
            repeat=asked.repeat,
        )
        for asked in found
    ]
